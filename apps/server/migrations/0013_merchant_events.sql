-- merchant_event: something about a merchant's server that its operator should know, with the moment it happened. Written by the
-- callbacks room: 'circuit_opened' and 'circuit_closed', by each process for itself; other kinds will follow. event_id is a UUID
-- version 7 made from the clock that also gives at, so the key's order is the order of time.
-- A merchant that is down for a whole day leaves 1,440 rows per process that asks it. Rows are removed after 90 days, in steps.
CREATE TABLE merchant_event (
  merchant_id            integer NOT NULL,
  event_id               uuid NOT NULL,
  kind                   text NOT NULL CHECK (kind <> ''),
  -- What the kind has to say, with its units in the names. Never a text that came from outside.
  detail                 jsonb NOT NULL DEFAULT '{}',
  at                     bigint NOT NULL,
  PRIMARY KEY (merchant_id, event_id)
);
-- The oldest of all merchants, for their removal.
CREATE INDEX merchant_event_at ON merchant_event (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON merchant_event TO cardwright_app;

-- When the answer had been read, in milliseconds since the request was handed to the connection like the times beside it; and
-- whether a whole answer came after the deadline: it is recorded here and never applied.
ALTER TABLE merchant_question
  ADD COLUMN parse_ms    real,
  ADD COLUMN late        boolean NOT NULL DEFAULT false;
