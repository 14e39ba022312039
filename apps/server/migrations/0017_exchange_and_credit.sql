-- Exchange rates, how much credit a merchant may grant, and bonus credit.

-- exchange_rate: how many USD one whole unit of a currency is worth from a moment on, who says so, and when it was written down.
-- Written by the operator (one row for each currency of a call), in the sandbox once at its first start. Never changed: a correction
-- is a row with the same valid_from and a later rate_id. Grows by some 180 rows with each publication of a rate list; kept, because a
-- purchase that is billed late is converted by the rate of its day.
-- No merchant in the key: the rates are the platform's, alike for all merchants, and small enough to stand on every node.
CREATE TABLE exchange_rate (
  currency               text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  valid_from             bigint NOT NULL,
  rate_id                uuid NOT NULL,
  rate                   text COLLATE "C" NOT NULL CHECK (rate ~ '^[0-9]{1,3}([.][0-9]{1,12})?$' AND rate::numeric > 0),
  source                 text NOT NULL CHECK (source <> ''),
  created_at             bigint NOT NULL,
  PRIMARY KEY (currency, valid_from, rate_id)
);
GRANT SELECT, INSERT ON exchange_rate TO cardwright_app;

-- credit_policy: what bounds a merchant's transfers `In`: nothing, its reserve, or credit_ratio (decimal text) times its reserve.
ALTER TABLE merchant
  ADD COLUMN credit_policy text NOT NULL DEFAULT 'none' CHECK (credit_policy IN ('none', 'reserve', 'ratio')),
  ADD COLUMN credit_ratio  text NOT NULL DEFAULT '' CHECK (credit_ratio = '' OR credit_ratio ~ '^[0-9]{1,3}([.][0-9]{1,4})?$'),
  ADD CONSTRAINT merchant_credit_ratio CHECK ((credit_policy = 'ratio') = (credit_ratio <> ''));

-- bonus_grant: bonus credit that the operator has given to a cardholder (In) or taken back (Out), with the money moved in the same
-- transaction. reference is the operator's own and makes each arrive once. A few rows per cardholder at most, never changed or removed.
CREATE TABLE bonus_grant (
  merchant_id            integer NOT NULL,
  bonus_no               text COLLATE "C" NOT NULL,
  reference              text NOT NULL CHECK (reference <> ''),
  cardholder_no          text COLLATE "C" NOT NULL,
  type                   text NOT NULL CHECK (type IN ('In', 'Out')),
  amount                 bigint NOT NULL CHECK (amount > 0),
  reason                 text NOT NULL CHECK (reason <> ''),
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, bonus_no),
  UNIQUE (merchant_id, reference)
);
CREATE INDEX bonus_grant_of_cardholder ON bonus_grant (merchant_id, cardholder_no, bonus_no);
GRANT SELECT, INSERT ON bonus_grant TO cardwright_app;
