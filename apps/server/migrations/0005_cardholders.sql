-- cardholder: one person to whom a merchant gives cards.
-- Written by the cardholders room: a row appears when the KYC provider has taken the applicant over, and is updated by each
-- change of the verdict and by the bookkeeping of polls. Grows by one row per accepted application of a new person, and is
-- never removed: cards, accounts and the merchant's own books quote its number for ever.
CREATE TABLE cardholder (
  merchant_id            integer NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  cardholder_unique_no   text COLLATE "C" NOT NULL,
  status                 text NOT NULL CHECK (status IN ('Pending', 'In_progress', 'Approved', 'Rejected')),
  email                  text NOT NULL DEFAULT '',
  first_name             text NOT NULL DEFAULT '',
  last_name              text NOT NULL DEFAULT '',
  fail_reason            text NOT NULL DEFAULT '',
  -- The number of the latest accepted application, from 1.
  attempt                integer NOT NULL CHECK (attempt >= 1),
  kyc_applicant_id       text COLLATE "C" NOT NULL,
  -- The first approval, at which the accounts were opened; kept when a later verdict is another.
  first_approved_at      bigint,
  created_at             bigint NOT NULL,
  updated_at             bigint NOT NULL,
  -- When the provider is asked next; null while a final verdict stands.
  poll_due_at            bigint,
  poll_count             integer NOT NULL DEFAULT 0,
  -- Counts the webhooks, so that a read that began before one is known to be too old.
  poll_wanted            integer NOT NULL DEFAULT 0,
  -- Who is asking the provider now, and until when nobody else does.
  poll_claim_id          uuid,
  poll_lease_until       bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, cardholder_no),
  UNIQUE (merchant_id, cardholder_unique_no),
  CHECK (status <> 'Rejected' OR fail_reason <> ''),
  CHECK (status <> 'Approved' OR first_approved_at IS NOT NULL)
);

-- The merchant's list: newest first, ties by the higher number.
CREATE INDEX cardholder_newest ON cardholder (merchant_id, created_at DESC, cardholder_no DESC);
-- Webhooks name the applicant only. Not unique: the merchant is not part of it.
CREATE INDEX cardholder_applicant ON cardholder (kyc_applicant_id);
CREATE INDEX cardholder_poll_due ON cardholder (poll_due_at) WHERE poll_due_at IS NOT NULL;

-- cardholder_attempt: one accepted application of a cardholder.
-- Written once, together with the cardholder it created or updated; it is what a repeated call with the same share token is
-- recognised by. Grows by one row per accepted application; never updated, never removed.
CREATE TABLE cardholder_attempt (
  merchant_id       integer NOT NULL,
  cardholder_no     text COLLATE "C" NOT NULL,
  attempt           integer NOT NULL,
  -- SHA-256 of the share token, which itself is never stored.
  share_token_hash  bytea NOT NULL CHECK (octet_length(share_token_hash) = 32),
  kyc_applicant_id  text COLLATE "C" NOT NULL,
  created_at        bigint NOT NULL,
  PRIMARY KEY (merchant_id, cardholder_no, attempt)
);

-- cardholder_status_change: one change of a cardholder's status, with what the provider said.
-- Written in the transaction that changes the status. Grows by two to four rows per application; never updated, never removed.
CREATE TABLE cardholder_status_change (
  merchant_id    integer NOT NULL,
  cardholder_no  text COLLATE "C" NOT NULL,
  change_id      uuid NOT NULL,
  attempt        integer NOT NULL,
  before_status  text NOT NULL,
  after_status   text NOT NULL,
  reason         text NOT NULL,
  changed_at     bigint NOT NULL,
  PRIMARY KEY (merchant_id, cardholder_no, change_id)
);

-- cardholder_import: an application whose share token is being handed to the KYC provider at this moment.
-- Written by `apply` before it calls the provider and removed when the answer is stored or the call failed, so there are as
-- many rows as calls in flight. The row of a process that died stands until its lease ends; then the next application with
-- the number takes it over, or the worker removes it.
CREATE TABLE cardholder_import (
  merchant_id           integer NOT NULL,
  cardholder_unique_no  text COLLATE "C" NOT NULL,
  claim_id              uuid NOT NULL,
  share_token_hash      bytea NOT NULL CHECK (octet_length(share_token_hash) = 32),
  lease_until           bigint NOT NULL,
  PRIMARY KEY (merchant_id, cardholder_unique_no)
);

CREATE INDEX cardholder_import_lease ON cardholder_import (lease_until);

GRANT SELECT, INSERT, UPDATE ON cardholder TO cardwright_app;
GRANT SELECT, INSERT ON cardholder_attempt, cardholder_status_change TO cardwright_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cardholder_import TO cardwright_app;
