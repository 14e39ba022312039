-- merchant: one row per company that issues cards through the platform, written by the operator. Grows by hand, never removed.
-- merchant_id is the short internal key that leads every other table's key; merchant_no is the number people see.
-- A Disabled merchant may come back; a Closed one is gone for ever and answered as one that does not exist.
CREATE TABLE merchant (
  merchant_id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  merchant_no            text COLLATE "C" NOT NULL UNIQUE,
  name                   text NOT NULL CHECK (name <> ''),
  mode                   text NOT NULL CHECK (mode IN ('CREDIT_EXTENSION', 'AUTHORIZATION')),
  status                 text NOT NULL DEFAULT 'Active' CHECK (status IN ('Active', 'Disabled', 'Closed')),
  app_id                 text COLLATE "C" NOT NULL UNIQUE,
  callback_url           text NOT NULL DEFAULT '',
  pci_enabled            boolean NOT NULL DEFAULT false,
  card_frame_origins     text[] NOT NULL DEFAULT '{}',
  -- Minutes east of UTC: the day, week and month boundaries of the limits of cards opened from now on.
  utc_offset_minutes     smallint NOT NULL DEFAULT 480 CHECK (utc_offset_minutes BETWEEN -720 AND 840),
  -- Authorization mode: what becomes of a purchase when the merchant's server gives no good answer in time. stand_in approves up
  -- to these amounts, in minor units: one purchase, one card's day, and the day of all cards together.
  failure_policy         text NOT NULL DEFAULT 'decline' CHECK (failure_policy IN ('decline', 'stand_in')),
  stand_in_purchase_max  bigint NOT NULL DEFAULT 0 CHECK (stand_in_purchase_max >= 0),
  stand_in_card_day_max  bigint NOT NULL DEFAULT 0 CHECK (stand_in_card_day_max >= 0),
  stand_in_day_max       bigint NOT NULL DEFAULT 0 CHECK (stand_in_day_max >= 0),
  created_at             bigint NOT NULL
);

-- credential: an Api-Key of a merchant. The key is kept as its SHA-256 only; its apiSecret lives in the vault under
-- credential_id. A few rows per merchant; a deleted one stays as a row with status Deleted, so that the audit can name it.
-- generation goes up whenever the credential is disabled, which kills every Access-Token issued before.
CREATE TABLE credential (
  merchant_id            integer NOT NULL REFERENCES merchant,
  credential_id          uuid NOT NULL,
  label                  text NOT NULL DEFAULT '',
  api_key_hash           bytea NOT NULL UNIQUE CHECK (length(api_key_hash) = 32),
  api_key_hint           text NOT NULL,
  status                 text NOT NULL DEFAULT 'Enabled' CHECK (status IN ('Enabled', 'Disabled', 'Deleted')),
  is_primary             boolean NOT NULL DEFAULT false,
  generation             integer NOT NULL DEFAULT 1,
  allow_list             text[] NOT NULL DEFAULT '{}',
  expires_at             bigint,
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, credential_id),
  CHECK (NOT is_primary OR status <> 'Deleted')
);
CREATE UNIQUE INDEX credential_one_primary ON credential (merchant_id) WHERE is_primary;

-- recharge_order: money that a merchant says it has paid into its reserve, booked when an operator confirms it.
-- Written by the operator API, a few rows per merchant and month, never removed.
CREATE TABLE recharge_order (
  merchant_id            integer NOT NULL REFERENCES merchant,
  recharge_no            text COLLATE "C" NOT NULL,
  amount                 bigint NOT NULL CHECK (amount > 0),
  currency               text NOT NULL CHECK (currency IN ('USD', 'TUSDT')),
  reference              text NOT NULL CHECK (reference <> ''),
  status                 text NOT NULL DEFAULT 'Pending' CHECK (status IN ('Pending', 'Confirmed', 'Rejected')),
  created_at             bigint NOT NULL,
  decided_at             bigint,
  PRIMARY KEY (merchant_id, recharge_no),
  UNIQUE (merchant_id, reference)
);
-- The operator's list over all merchants, and a recharge found by its number alone.
CREATE INDEX recharge_order_by_no ON recharge_order (recharge_no);

GRANT SELECT, INSERT, UPDATE ON merchant, credential, recharge_order TO cardwright_app;
