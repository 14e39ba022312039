-- The vault: card numbers, PIN verification values, API secrets and the keys that protect them. Only the role
-- cardwright_vault may look in here; cardwright_app has no right in this schema, so a mistake in any other room cannot
-- reach a card number. The role may not delete: what has to go loses its cipher text and keeps its row.
CREATE SCHEMA vault;
REVOKE ALL ON SCHEMA vault FROM PUBLIC;
GRANT USAGE ON SCHEMA vault TO cardwright_vault;

-- vault.data_key
-- A row is one data key of a record family, 32 random bytes wrapped (AES-256-GCM) by the master key named beside it. The
-- highest generation of a family encrypts new records, the older ones only decrypt. Family 'derivation' is never an
-- encryption key but the root that the CVV key, the fingerprint key, the PIN key and the token keys are derived from;
-- a second generation would change every printed CVV, so there is none.
-- Written by the vault's keyring on first use and by a rotation. Grows by one row per rotation. Never removed, because
-- old records and backups need their key.
CREATE TABLE vault.data_key (
  family        text COLLATE "C" NOT NULL CHECK (family IN ('pan', 'pin', 'secret', 'derivation')),
  generation    integer NOT NULL CHECK (generation >= 1),
  master_key_id text COLLATE "C" NOT NULL,
  wrapped_key   bytea NOT NULL CHECK (octet_length(wrapped_key) = 65),
  created_at    bigint NOT NULL,
  wrapped_at    bigint NOT NULL,
  PRIMARY KEY (family, generation),
  CHECK (family <> 'derivation' OR generation = 1)
);
GRANT SELECT, INSERT ON vault.data_key TO cardwright_vault;
GRANT UPDATE (master_key_id, wrapped_key, wrapped_at) ON vault.data_key TO cardwright_vault;

-- vault.card
-- A row is one card number that was handed out: encrypted, with a keyed fingerprint to find it by and to keep it unique.
-- Written when a card is issued. Grows by one row per card. Never removed: the row of a discarded application loses its
-- cipher text and keeps the fingerprint, so that a number is never handed out twice.
-- The fingerprint is unique over all merchants, since a purchase names nothing but the number.
CREATE TABLE vault.card (
  merchant_id     integer NOT NULL,
  card_no         text COLLATE "C" NOT NULL,
  pan_fingerprint bytea NOT NULL CHECK (octet_length(pan_fingerprint) = 32),
  pan_envelope    bytea,
  bin             text COLLATE "C" NOT NULL CHECK (bin ~ '^[0-9]{6,8}$'),
  last4           text COLLATE "C" NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
  expiry_year     smallint NOT NULL CHECK (expiry_year BETWEEN 2000 AND 2099),
  expiry_month    smallint NOT NULL CHECK (expiry_month BETWEEN 1 AND 12),
  issued_at       bigint NOT NULL,
  discarded_at    bigint,
  PRIMARY KEY (merchant_id, card_no),
  CHECK ((pan_envelope IS NULL) = (discarded_at IS NOT NULL))
);
CREATE UNIQUE INDEX card_pan_fingerprint ON vault.card (pan_fingerprint);
GRANT SELECT, INSERT ON vault.card TO cardwright_vault;
GRANT UPDATE (pan_envelope, discarded_at) ON vault.card TO cardwright_vault;

-- vault.card_pin
-- A row is the PIN of one card as an encrypted, salted verification value (the PIN itself cannot be read back), with the
-- wrong tries in a row. Written when a PIN is set and on every try. At most one row per card; replaced by the next PIN,
-- never removed.
CREATE TABLE vault.card_pin (
  merchant_id integer NOT NULL,
  card_no     text COLLATE "C" NOT NULL,
  envelope    bytea NOT NULL,
  version     integer NOT NULL CHECK (version >= 1),
  wrong_tries smallint NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND 3),
  set_at      bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no),
  FOREIGN KEY (merchant_id, card_no) REFERENCES vault.card (merchant_id, card_no)
) WITH (fillfactor = 80);
GRANT SELECT, INSERT ON vault.card_pin TO cardwright_vault;
GRANT UPDATE (envelope, version, wrong_tries, set_at) ON vault.card_pin TO cardwright_vault;

-- vault.api_secret
-- A row is one API secret of a merchant's credential, encrypted. Written when a credential is made. Grows by one row per
-- credential. A deleted secret loses its cipher text for ever; the row stays, so that its id is not used again.
CREATE TABLE vault.api_secret (
  merchant_id integer NOT NULL,
  secret_id   text COLLATE "C" NOT NULL,
  envelope    bytea,
  stored_at   bigint NOT NULL,
  deleted_at  bigint,
  PRIMARY KEY (merchant_id, secret_id),
  CHECK ((envelope IS NULL) = (deleted_at IS NOT NULL))
);
GRANT SELECT, INSERT ON vault.api_secret TO cardwright_vault;
GRANT UPDATE (envelope, deleted_at) ON vault.api_secret TO cardwright_vault;
