-- callback: a push that a merchant must receive, and how far its delivery has come. The room in which the change happened
-- inserts it in the same transaction (merchant_id … due_at); from then on it belongs to the callbacks room.
-- callback_id is a UUID version 7 made from the clock that also gives created_at, so the key's order is the order of time.
-- data is the exact text of the push's `data`: what was signed is what is sent, every time.
-- Grows with the business. Delivered and given-up ones are removed 30 days after they ended; one that fails is given up after
-- 30 days of retries.
CREATE TABLE callback (
  merchant_id            integer NOT NULL,
  callback_id            uuid NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  -- Per card, without gaps, from 1: the order in which pushes about one card arrive.
  sequence               bigint NOT NULL,
  action                 text NOT NULL CHECK (action IN ('Consumption', 'Card_update')),
  -- The consumption it is about, empty for any other push: a late answer to that consumption's question is told with it.
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  data                   text NOT NULL,
  created_at             bigint NOT NULL,
  state                  text NOT NULL DEFAULT 'Due' CHECK (state IN ('Due', 'Delivered', 'GivenUp')),
  -- The next try is not before this moment. A push that waits for an earlier one of its card is moved out of the way by it.
  due_at                 bigint NOT NULL,
  -- A worker is trying it until then; a worker that died loses it by time. In no index, so that a claim is a HOT update.
  lease_until            bigint NOT NULL DEFAULT 0,
  -- Tries begun, ever: the number of the last callback_attempt.
  attempts               integer NOT NULL DEFAULT 0,
  -- Tries that failed since the schedule of retries began; sending again by hand begins a new one.
  failures               integer NOT NULL DEFAULT 0,
  -- The first of those failures: later pushes of the card wait 10 minutes from here at most, retries end 30 days from here.
  first_failed_at        bigint,
  -- When it was delivered or given up.
  finished_at            bigint,
  PRIMARY KEY (merchant_id, callback_id),
  CHECK ((state = 'Due') = (finished_at IS NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE UNIQUE INDEX callback_of_card ON callback (merchant_id, card_no, sequence);
-- Whether anything is due at all, and what has been due longest.
CREATE INDEX callback_due ON callback (due_at) WHERE state = 'Due';
-- A merchant's own line, reached without walking through another merchant's million.
CREATE INDEX callback_due_of_merchant ON callback (merchant_id, due_at) WHERE state = 'Due';
-- Whether an earlier push of the card is still open; without its delivered ones, which are many.
CREATE INDEX callback_open_of_card ON callback (merchant_id, card_no, sequence) WHERE state = 'Due';
CREATE INDEX callback_finished ON callback (finished_at) WHERE state <> 'Due';

-- callback_attempt: one try of a push, with what was answered (the first 4 KB). Written by the callbacks room, removed with its
-- push. A number may be missing: that try's process died before it could write.
CREATE TABLE callback_attempt (
  merchant_id            integer NOT NULL,
  callback_id            uuid NOT NULL,
  attempt                integer NOT NULL,
  attempted_at           bigint NOT NULL,
  duration_ms            real NOT NULL,
  http_status            smallint,
  answer                 text NOT NULL DEFAULT '',
  -- Why the try failed; empty when it was good.
  error                  text NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, callback_id, attempt)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON callback, callback_attempt TO cardwright_app;
