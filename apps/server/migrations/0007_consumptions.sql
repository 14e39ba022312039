-- consumption: one row per card transaction that a merchant can see: purchases, ATM withdrawals, fees taken by themselves,
-- reversals, refunds (contract section 4). Written by the decision and by clearing, grows with the business, never removed.
-- consume_no sorts by the time it was made, so the keys below serve every list: newest first is a walk down the key, a time
-- filter is a range of numbers.
CREATE TABLE consumption (
  merchant_id            integer NOT NULL,
  consume_no             text COLLATE "C" NOT NULL,
  consume_relate_no      text COLLATE "C" NOT NULL DEFAULT '',
  card_no                text COLLATE "C" NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  type                   text NOT NULL CHECK (type IN ('Open_card', 'Consumption', 'Atm', 'Manage_fee', 'Reversal', 'Refund')),
  status                 text NOT NULL CHECK (status IN ('Pending', 'Success', 'Fail')),
  -- Where an open one stands: the merchant is being asked, or the money is held until clearing. Done is final.
  stage                  text NOT NULL CHECK (stage IN ('asking', 'held', 'done')),
  -- Minor units of the card's currency, without fees, never negative.
  amount                 bigint NOT NULL CHECK (amount >= 0),
  -- Fees shown to the merchant (minor units), and their rows as [["Consume_fee","500"], …].
  fee                    bigint NOT NULL DEFAULT 0 CHECK (fee >= 0),
  fee_rows               jsonb NOT NULL DEFAULT '[]',
  -- What the cardholder's account and the reserve bear in all, fees and costs included.
  credit_total           bigint NOT NULL DEFAULT 0 CHECK (credit_total >= 0),
  reserve_total          bigint NOT NULL DEFAULT 0 CHECK (reserve_total >= 0),
  local_amount           text NOT NULL,
  local_currency         text NOT NULL,
  -- What was asked for, where the merchant approved only a part of it; otherwise NULL.
  requested_local_amount text,
  remark                 text NOT NULL DEFAULT '',
  detail                 text NOT NULL DEFAULT '',
  -- The merchant's own word for its refusal of a question, when it gave one.
  merchant_reason        text NOT NULL DEFAULT '',
  merchant_name          text NOT NULL DEFAULT '',
  merchant_mcc           text NOT NULL DEFAULT '',
  merchant_city          text NOT NULL DEFAULT '',
  merchant_country       text NOT NULL DEFAULT '',
  -- The network's own reference: a message that comes again is recognised by it. Empty for what no message caused.
  network_reference      text COLLATE "C" NOT NULL DEFAULT '',
  -- The hold in the ledger, when money was held.
  hold_id                uuid,
  created_at             bigint NOT NULL,
  changed_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, consume_no)
) WITH (fillfactor = 85);
CREATE INDEX consumption_of_card ON consumption (merchant_id, card_no, consume_no);
CREATE INDEX consumption_of_cardholder ON consumption (merchant_id, cardholder_no, consume_no);
CREATE UNIQUE INDEX consumption_network_reference ON consumption (merchant_id, network_reference) WHERE network_reference <> '';
GRANT SELECT, INSERT, UPDATE ON consumption TO cardwright_app;

-- merchant_question: what a merchant was asked in real time and what came of it, one row per Auth question, written when it is
-- over. Times are milliseconds since the request was handed to the connection. Grows with authorization-mode business.
CREATE TABLE merchant_question (
  merchant_id            integer NOT NULL,
  consume_no             text COLLATE "C" NOT NULL,
  asked_at               bigint NOT NULL,
  connect_ms             real,
  send_ms                real,
  first_byte_ms          real,
  done_ms                real,
  http_status            smallint,
  answer_code            integer,
  verdict                text NOT NULL,
  PRIMARY KEY (merchant_id, consume_no)
);
GRANT SELECT, INSERT, UPDATE ON merchant_question TO cardwright_app;

-- Lists walk the key and skip what earlier pages showed: with a fresh visibility map that walk reads the index alone. The default
-- waits until a fifth of the table is new.
ALTER TABLE consumption SET (autovacuum_vacuum_insert_scale_factor = 0.01);
