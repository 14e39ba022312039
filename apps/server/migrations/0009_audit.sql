-- audit_head: the end of one audit chain: how many entries it has and the hash of the last one. One row per merchant, and
-- merchant_id 0 for what concerns the platform as a whole. Written together with every entry; its lock puts the entries of a
-- chain in one order. Grows with the merchants, never removed.
CREATE TABLE audit_head (
  merchant_id            integer PRIMARY KEY,
  entries                bigint NOT NULL CHECK (entries >= 0),
  hash                   bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

-- audit_entry: who did what, in the transaction that did it. hash is the SHA-256 over previous_hash and the canonical JSON of
-- the row, so that a changed, removed or inserted row shows (verifyAudit). detail is kept as text because its very bytes are
-- hashed; it holds no secret. Written by every room that changes something for an operator, a few rows per such change, never
-- changed or removed: the application's role may only read and insert.
CREATE TABLE audit_entry (
  merchant_id            integer NOT NULL,
  entry_no               bigint NOT NULL CHECK (entry_no > 0),
  actor                  text NOT NULL CHECK (actor <> ''),
  request_id             text NOT NULL,
  action                 text NOT NULL CHECK (action <> ''),
  subject                text NOT NULL,
  detail                 text NOT NULL,
  at                     bigint NOT NULL,
  previous_hash          bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
  hash                   bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (merchant_id, entry_no)
);

GRANT SELECT, INSERT, UPDATE ON audit_head TO cardwright_app;
GRANT SELECT, INSERT ON audit_entry TO cardwright_app;
