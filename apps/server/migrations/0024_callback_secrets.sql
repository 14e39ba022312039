-- What signs and secures the callbacks beside the API secret: webhook secrets (Standard Webhooks) and client certificates.

-- Each kind of secret has a family of data keys of its own, so that one can be rotated without the others.
ALTER TABLE vault.data_key
  DROP CONSTRAINT data_key_family_check,
  ADD CONSTRAINT data_key_family_check CHECK (family IN ('pan', 'pin', 'secret', 'webhook', 'client_key', 'derivation'));

-- vault.webhook_secret
-- A row is one webhook secret of a merchant, encrypted. Written before the row of the same id in public.webhook_secret, so one whose
-- process died in between is left over and opens nothing. Grows by one row per merchant and rotation. When it has expired it loses
-- its cipher text for ever; the row stays, so that its id is not used again.
CREATE TABLE vault.webhook_secret (
  merchant_id integer NOT NULL,
  secret_id   text COLLATE "C" NOT NULL,
  envelope    bytea,
  stored_at   bigint NOT NULL,
  deleted_at  bigint,
  PRIMARY KEY (merchant_id, secret_id),
  CHECK ((envelope IS NULL) = (deleted_at IS NOT NULL))
);
GRANT SELECT, INSERT ON vault.webhook_secret TO cardwright_vault;
GRANT UPDATE (envelope, deleted_at) ON vault.webhook_secret TO cardwright_vault;

-- vault.client_key
-- A row is the private key of one client certificate, encrypted; secret_id is the certificate's id. Written, left over and erased
-- like a webhook secret. Grows by one row per certificate that an operator sets.
CREATE TABLE vault.client_key (
  merchant_id integer NOT NULL,
  secret_id   text COLLATE "C" NOT NULL,
  envelope    bytea,
  stored_at   bigint NOT NULL,
  deleted_at  bigint,
  PRIMARY KEY (merchant_id, secret_id),
  CHECK ((envelope IS NULL) = (deleted_at IS NOT NULL))
);
GRANT SELECT, INSERT ON vault.client_key TO cardwright_vault;
GRANT UPDATE (envelope, deleted_at) ON vault.client_key TO cardwright_vault;

-- webhook_secret: a secret that signs a merchant's callbacks; its value is in the vault under secret_id. Written with the merchant's
-- first credential and by each rotation. One without an end is the current one; a rotation gives it an end and makes another.
-- Times are the machine's, because the receiver compares with its own clock. At most two of a merchant are valid at once. An ended
-- one is erased from the vault and then removed here, so a merchant has a handful of rows.
CREATE TABLE webhook_secret (
  merchant_id            integer NOT NULL REFERENCES merchant,
  secret_id              uuid NOT NULL,
  created_at             bigint NOT NULL,
  expires_at             bigint,
  PRIMARY KEY (merchant_id, secret_id)
);
CREATE UNIQUE INDEX webhook_secret_one_current ON webhook_secret (merchant_id) WHERE expires_at IS NULL;
-- Those whose end has come, for their erasure.
CREATE INDEX webhook_secret_expires_at ON webhook_secret (expires_at) WHERE expires_at IS NOT NULL;

-- client_certificate: the certificate that we show a merchant's server (mutual TLS), with those of its issuers that come with it; its
-- private key is in the vault under certificate_id. Written by an operator, at most one of a merchant is in use. One that was replaced
-- or taken away has an end; its key is erased from the vault and then the row is removed. Times are the machine's.
CREATE TABLE client_certificate (
  merchant_id            integer NOT NULL REFERENCES merchant,
  certificate_id         uuid NOT NULL,
  certificate_pem        text NOT NULL CHECK (certificate_pem <> ''),
  -- The end of the certificate's own validity.
  valid_to               bigint NOT NULL,
  created_at             bigint NOT NULL,
  ended_at               bigint,
  -- When the event was written that it expires soon.
  expiry_told_at         bigint,
  PRIMARY KEY (merchant_id, certificate_id)
);
CREATE UNIQUE INDEX client_certificate_one_in_use ON client_certificate (merchant_id) WHERE ended_at IS NULL;
CREATE INDEX client_certificate_ended_at ON client_certificate (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX client_certificate_untold ON client_certificate (valid_to) WHERE ended_at IS NULL AND expiry_told_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_secret, client_certificate TO cardwright_app;
