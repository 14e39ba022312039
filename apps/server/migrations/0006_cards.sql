-- card: one row per card that was applied for; written by the cards room, and by the decision, which keeps the card's limit
-- counters and callback sequence here because it holds the row's lock anyway. Grows with the business, never removed.
-- version goes up whenever a fact changes that the decision keeps in memory (terms, expiry); the decision compares it.
-- fillfactor leaves room for the counters to be updated on the same page without touching an index.
CREATE TABLE card (
  merchant_id            integer NOT NULL REFERENCES merchant,
  card_no                text COLLATE "C" NOT NULL,
  card_unique_no         text COLLATE "C" NOT NULL,
  -- SHA-256 of the application's normalised content: the same card_unique_no with other content is refused.
  content_hash           bytea NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  card_bin_no            text COLLATE "C" NOT NULL REFERENCES bin,
  bin_terms_version      integer NOT NULL,
  package_no             text COLLATE "C" REFERENCES package,
  package_terms_version  integer,
  card_type              text NOT NULL CHECK (card_type IN ('Virtual', 'Physical')),
  organization           text NOT NULL,
  card_name              text NOT NULL,
  card_last_no           text NOT NULL CHECK (card_last_no ~ '^[0-9]{4}$'),
  expiry_year            smallint NOT NULL,
  expiry_month           smallint NOT NULL CHECK (expiry_month BETWEEN 1 AND 12),
  -- Credit mode: the cardholder's account that purchases are taken from.
  credit_account_id      uuid,
  status                 text NOT NULL CHECK (status IN ('Pending', 'ToActivate', 'Activated', 'Fail', 'Frozen', 'Delete')),
  version                integer NOT NULL DEFAULT 1,
  utc_offset_minutes     smallint NOT NULL,
  -- What counts against the limits: the period's first day (days since 1970) or month (months since 1970), and its sum.
  week_start             integer NOT NULL DEFAULT 0,
  week_spent             bigint NOT NULL DEFAULT 0,
  atm_day                integer NOT NULL DEFAULT 0,
  atm_day_spent          bigint NOT NULL DEFAULT 0,
  atm_month              integer NOT NULL DEFAULT 0,
  atm_month_spent        bigint NOT NULL DEFAULT 0,
  -- What was approved in the merchant's stead on one day, against the merchant's limit per card.
  stand_in_day           integer NOT NULL DEFAULT 0,
  stand_in_spent         bigint NOT NULL DEFAULT 0,
  -- The last Sequence given to a callback about this card: no gaps, starts at 1.
  callback_sequence      bigint NOT NULL DEFAULT 0,
  activation_failures    smallint NOT NULL DEFAULT 0,
  activation_locked_until bigint NOT NULL DEFAULT 0,
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no),
  UNIQUE (merchant_id, card_unique_no),
  -- A card of a package without an account would buy on the reserve alone.
  CONSTRAINT card_of_package_has_account CHECK ((package_no IS NULL) = (credit_account_id IS NULL)),
  CHECK ((package_no IS NULL) = (package_terms_version IS NULL))
) WITH (fillfactor = 75);
CREATE INDEX card_of_cardholder ON card (merchant_id, cardholder_no, card_no);
CREATE INDEX card_being_made ON card (created_at) WHERE status = 'Pending';

-- card_address: where a card is sent and billed, as given in the application. One row per card that came with an address.
CREATE TABLE card_address (
  merchant_id            integer NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  first_name             text NOT NULL DEFAULT '',
  last_name              text NOT NULL DEFAULT '',
  phone_code             text NOT NULL DEFAULT '',
  phone                  text NOT NULL DEFAULT '',
  postal_code            text NOT NULL,
  country                text NOT NULL,
  state                  text NOT NULL,
  city                   text NOT NULL,
  address_line1          text NOT NULL,
  address_line2          text NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, card_no),
  FOREIGN KEY (merchant_id, card_no) REFERENCES card
);

-- client_token: a single-use token for the card-data frame, kept as its SHA-256. Taking it deletes the row; the worker removes
-- the ones that nobody took.
CREATE TABLE client_token (
  merchant_id            integer NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  token_hash             bytea NOT NULL UNIQUE,
  expires_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, token_hash)
);
CREATE INDEX client_token_expiry ON client_token (expires_at);

GRANT SELECT, INSERT, UPDATE ON card, card_address TO cardwright_app;
GRANT SELECT, INSERT, DELETE ON client_token TO cardwright_app;

-- credit_transfer: a transfer of credit to (In) or from (Out) a cardholder's account; credit mode. Written once, never changed.
CREATE TABLE credit_transfer (
  merchant_id            integer NOT NULL,
  transfer_no            text COLLATE "C" NOT NULL,
  transfer_unique_no     text COLLATE "C" NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  type                   text NOT NULL CHECK (type IN ('In', 'Out')),
  amount                 bigint NOT NULL CHECK (amount > 0),
  before_balance         bigint NOT NULL,
  after_balance          bigint NOT NULL,
  status                 text NOT NULL DEFAULT 'Success' CHECK (status IN ('Pending', 'Success', 'Fail')),
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, transfer_no),
  UNIQUE (merchant_id, transfer_unique_no)
);
CREATE INDEX credit_transfer_of_cardholder ON credit_transfer (merchant_id, cardholder_no, transfer_no);
GRANT SELECT, INSERT ON credit_transfer TO cardwright_app;

-- Adds a push about a card to its line, in the caller's transaction: the card's row is locked by the update, so numbers have no
-- gaps and their order is the order of the changes.
CREATE FUNCTION enqueue_callback(p_merchant_id integer, p_card_no text, p_callback_id uuid, p_action text, p_data text,
                                 p_consume_no text, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  next bigint;
BEGIN
  UPDATE card SET callback_sequence = callback_sequence + 1
  WHERE merchant_id = p_merchant_id AND card_no = p_card_no
  RETURNING callback_sequence INTO STRICT next;
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
  VALUES (p_merchant_id, p_callback_id, p_card_no, next, p_action, p_consume_no, p_data, p_at, p_at);
END $$;

-- Lists walk the key and skip what earlier pages showed: with a fresh visibility map that walk reads the index alone. The default
-- waits until a fifth of the table is new.
ALTER TABLE credit_transfer SET (autovacuum_vacuum_insert_scale_factor = 0.01);
