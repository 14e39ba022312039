-- Management fees (a card's month or year), and moves of the sandbox's clock that do what becomes due on the way.

-- management_due: when the next management fee of one side of a card is looked at; one row per card and side that has such a fee.
-- Written with the card, in the transaction that makes it usable; moved on by each charge in that charge's own transaction; removed
-- when the card is deleted, has expired, or its merchant is closed. So it grows with the cards in use, and the due ones are found
-- by its index, never by looking at cards. The side is who pays: the cardholder by the package's schedule (credit mode), the
-- reserve by the BIN's.
-- step: 'plan' for a card that is older than management fees here: its first fee is that of the next period; 'fee' at the start of a
-- period; 'retry' for a fee that could not be taken then. The period is the one that due_at lies in, counted from the card's opening.
CREATE TABLE management_due (
  merchant_id            integer NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  side                   text NOT NULL CHECK (side IN ('cardholder', 'reserve')),
  step                   text NOT NULL CHECK (step IN ('plan', 'fee', 'retry')),
  due_at                 bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no, side)
) WITH (fillfactor = 80);
CREATE INDEX management_due_at ON management_due (due_at, merchant_id, card_no, side);

-- management_charge: what became of one management period of one side of a card. Its key is what makes a fee be taken once. Written
-- by the charge, changed once when a fee that could not be taken is tried again. One row per card, side and month or year; grows
-- with the cards in use, never removed.
CREATE TABLE management_charge (
  merchant_id            integer NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  side                   text NOT NULL CHECK (side IN ('cardholder', 'reserve')),
  -- 0 is the period that begins with the opening.
  period_index           integer NOT NULL CHECK (period_index >= 0),
  outcome                text NOT NULL CHECK (outcome IN ('taken', 'waived', 'failed')),
  -- Minor units; 0 when waived.
  amount                 bigint NOT NULL CHECK (amount >= 0),
  -- The Manage_fee consumption of the last try; empty where the merchant is not shown this side, or when waived.
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  tries                  smallint NOT NULL CHECK (tries BETWEEN 0 AND 2),
  -- Business time of the last try.
  at                     bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no, side, period_index)
);

-- management_exemption: a card, or with an empty card_no every card of a merchant, that is not cancelled when its management fee
-- cannot be taken twice. Written and removed by the operator; a handful of rows.
CREATE TABLE management_exemption (
  merchant_id            integer NOT NULL REFERENCES merchant,
  card_no                text COLLATE "C" NOT NULL DEFAULT '',
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON management_due TO cardwright_app;
GRANT SELECT, INSERT, UPDATE ON management_charge TO cardwright_app;
GRANT SELECT, INSERT, DELETE ON management_exemption TO cardwright_app;

-- The sides of cards that have a management fee, by the terms that each card was opened with.
CREATE VIEW management_side AS
SELECT k.merchant_id, k.card_no, s.side
FROM card k
CROSS JOIN LATERAL (VALUES ('cardholder', k.package_no, k.package_terms_version), ('reserve', k.card_bin_no, k.bin_terms_version))
  AS s (side, product_no, terms_version)
JOIN product_terms t ON t.product_no = s.product_no AND t.terms_version = s.terms_version
WHERE t.rates ->> 'manage_fee_type' IN ('Month', 'Year') AND (t.rates ->> 'manage_fee')::numeric > 0;
GRANT SELECT ON management_side TO cardwright_app;

-- Begins the management fees of a card that has just become usable: the first one is due at once.
CREATE FUNCTION schedule_management(p_merchant_id integer, p_card_no text, p_at bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO management_due (merchant_id, card_no, side, step, due_at)
  SELECT merchant_id, card_no, side, 'fee', p_at FROM management_side WHERE merchant_id = p_merchant_id AND card_no = p_card_no
  ON CONFLICT DO NOTHING
$$;

-- Cards that are in use already. One that is being made gets its row when it is made.
INSERT INTO management_due (merchant_id, card_no, side, step, due_at)
SELECT s.merchant_id, s.card_no, s.side, 'plan', 0
FROM management_side s JOIN card k USING (merchant_id, card_no)
WHERE k.status IN ('ToActivate', 'Activated', 'Frozen');

-- Who is moving the sandbox's clock, and until when (Unix ms of the database's machine) nobody else may: one that died loses it by
-- time.
ALTER TABLE sandbox_clock
  ADD COLUMN mover_id     uuid,
  ADD COLUMN moving_until bigint NOT NULL DEFAULT 0;
