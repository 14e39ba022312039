-- Presentments: what clearings and refunds need beyond 0014.

-- authorized_amount, authorized_local_amount: what had been approved first, where a clearing or a reversal has changed `amount` and
-- `local_amount` since; NULL while they are the same. The network's repeat of the authorization is compared with them, and gets the
-- answer that it got then.
-- capture_limit: what is authorized at present, where a clearing has changed `amount` to what was cleared; NULL while it is `amount`.
-- What clearings take beyond it in all is too much.
ALTER TABLE consumption
  ADD COLUMN authorized_amount bigint CHECK (authorized_amount >= 0),
  ADD COLUMN authorized_local_amount text,
  ADD COLUMN capture_limit bigint CHECK (capture_limit >= 0);

-- shortfall_policy: credit mode; what becomes of a clearing that the cardholder's account does not cover, since no clearing can be
-- refused. overdraw: the account falls below zero. absorb: it stops at zero, and the merchant's income bears the rest of the amount
-- and goes without the rest of its fees. The reserve always pays in full.
ALTER TABLE merchant ADD COLUMN shortfall_policy text NOT NULL DEFAULT 'overdraw' CHECK (shortfall_policy IN ('overdraw', 'absorb'));

-- parked_refund: a refund of more than there was left of its purchase. The network has settled it, the cardholder is not credited; an
-- operator decides what becomes of the money. Written when such a refund comes, changed once by the decision, a few rows a month, never
-- removed. Until the decision nothing of it is in the ledger.
CREATE TABLE parked_refund (
  merchant_id            integer NOT NULL,
  parked_no              text COLLATE "C" NOT NULL,
  -- Of the message that brought it.
  network_reference      text COLLATE "C" NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  -- The purchase that it says it refunds.
  purchase_no            text COLLATE "C" NOT NULL,
  -- The Refund consumption: of a refund authorization when there was one, of the release afterwards; otherwise empty.
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  -- Minor units of the card's currency, and what was left of the purchase when it came.
  amount                 bigint NOT NULL CHECK (amount > 0),
  refundable             bigint NOT NULL CHECK (refundable >= 0),
  local_amount           text NOT NULL,
  local_currency         text NOT NULL,
  exchange_rate          text NOT NULL DEFAULT '',
  exchange_source        text NOT NULL DEFAULT '',
  exchange_at            bigint,
  merchant_name          text NOT NULL DEFAULT '',
  merchant_mcc           text NOT NULL DEFAULT '',
  merchant_city          text NOT NULL DEFAULT '',
  merchant_country       text NOT NULL DEFAULT '',
  -- Released to the cardholder; kept in the merchant's reserve; kept as the platform's income.
  status                 text NOT NULL DEFAULT 'Open' CHECK (status IN ('Open', 'Released', 'KeptForMerchant', 'KeptForPlatform')),
  note                   text NOT NULL DEFAULT '',
  created_at             bigint NOT NULL,
  resolved_at            bigint,
  PRIMARY KEY (merchant_id, parked_no),
  UNIQUE (merchant_id, network_reference),
  CHECK ((status = 'Open') = (resolved_at IS NULL))
);
-- The operator's list over all merchants, and a refund found by its number alone.
CREATE INDEX parked_refund_by_no ON parked_refund (parked_no);
GRANT SELECT, INSERT, UPDATE ON parked_refund TO cardwright_app;
