-- Open callbacks apart from finished ones. What is left to deliver stays small whatever the history weighs, so a decision pays for two
-- indexes instead of five, and thirty days of history are removed by dropping a table instead of a million deletes.
-- This migration copies the whole table once: 400,000 pushes with as many tries took 19 s on a busy machine with 2 cores.

-- callback: a push that a merchant has yet to receive. The room in which the change happened inserts it in the same transaction
-- (merchant_id … due_at); from then on it belongs to the callbacks room. The statement that ends its delivery moves it to
-- callback_history, so the table is as small as what is under way or waits for a merchant.
-- callback_id is a UUID version 7 made from the clock that also gives created_at, so its order is the order of time.
-- data is the exact text of the push's `data`: what was signed is what is sent, every time.
-- fillfactor: a claim writes the row anew; on a page that has room for it this touches no index.
DROP INDEX callback_of_card, callback_due, callback_due_of_merchant, callback_open_of_card, callback_finished;
ALTER TABLE callback RENAME TO callback_before;
ALTER TABLE callback_before RENAME CONSTRAINT callback_pkey TO callback_before_pkey;
CREATE TABLE callback (
  merchant_id            integer NOT NULL,
  callback_id            uuid NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  -- Per card, without gaps, from 1: the order in which pushes about one card arrive.
  sequence               bigint NOT NULL,
  action                 callback_action NOT NULL,
  -- The consumption it is about, empty for any other push: a late answer to that consumption's question is told with it.
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  data                   text NOT NULL,
  created_at             bigint NOT NULL,
  -- The next try is not before this moment.
  due_at                 bigint NOT NULL,
  -- A worker has it until then; a worker that died loses it by time. In no index, so that a claim is a HOT update.
  lease_until            bigint NOT NULL DEFAULT 0,
  -- Tries begun, ever: the number of the latest one.
  attempts               integer NOT NULL DEFAULT 0,
  -- Tries that failed since the schedule of retries began; sending again by hand begins a new one.
  failures               integer NOT NULL DEFAULT 0,
  -- The first of those failures: later pushes of the card wait 10 minutes from here at most, retries end 30 days from here.
  first_failed_at        bigint,
  -- Why the latest try was not good.
  last_error             text NOT NULL DEFAULT '',
  -- It waits for an earlier push of its card, which has moved due_at out of the way; this is where due_at was.
  waits_since            bigint,
  -- Also answers whether an earlier push of the card is open.
  PRIMARY KEY (merchant_id, card_no, sequence)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- callback_history: a push whose delivery is over, with its last try; written when it ends. A partition for each day of finished_at, in
-- business time, dropped 30 days after that day. Sending a push again moves it back to callback.
CREATE TABLE callback_history (
  merchant_id            integer NOT NULL,
  callback_id            uuid NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  sequence               bigint NOT NULL,
  action                 callback_action NOT NULL,
  consume_no             text COLLATE "C" NOT NULL,
  data                   text NOT NULL,
  created_at             bigint NOT NULL,
  due_at                 bigint NOT NULL,
  state                  text NOT NULL,
  attempts               integer NOT NULL,
  failures               integer NOT NULL,
  first_failed_at        bigint,
  finished_at            bigint NOT NULL,
  -- The last try as a row of callback_attempt has it, which saves a delivery at the first try a row of its own. final_attempt is NULL
  -- where nothing was sent at the end.
  final_attempt          integer,
  attempted_at           bigint,
  duration_ms            real,
  http_status            smallint,
  answer                 text NOT NULL DEFAULT '',
  error                  text NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, callback_id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX callback_history_of_card ON callback_history (merchant_id, card_no, callback_id);
CREATE INDEX callback_history_of_consumption ON callback_history (merchant_id, consume_no, callback_id) WHERE consume_no <> '';
CREATE INDEX callback_history_given_up ON callback_history (merchant_id, callback_id) WHERE state = 'GivenUp';

-- callback_attempt: a try of a push that was not its last, with what was answered (the first 4 KB). A number may be missing: that
-- try's process died before it could write. A partition for each day of attempted_at, dropped after 61 days: 30 of retries and 30 in
-- the history. Of a push that was paused for longer, or sent again later, the oldest tries may be gone.
ALTER TABLE callback_attempt RENAME TO callback_attempt_before;
ALTER TABLE callback_attempt_before RENAME CONSTRAINT callback_attempt_pkey TO callback_attempt_before_pkey;
CREATE TABLE callback_attempt (
  merchant_id            integer NOT NULL,
  callback_id            uuid NOT NULL,
  attempt                integer NOT NULL,
  attempted_at           bigint NOT NULL,
  duration_ms            real NOT NULL,
  http_status            smallint,
  answer                 text NOT NULL DEFAULT '',
  -- Why the try was not good; empty when it was.
  error                  text NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, callback_id, attempt, attempted_at)
) PARTITION BY RANGE (attempted_at);

-- callback_endpoint: how a merchant's callback URL is doing, one row per merchant that was ever delivered to. Written by the callbacks
-- room when something changes, and once a minute while it does not; removed never.
CREATE TABLE callback_endpoint (
  merchant_id            integer PRIMARY KEY,
  -- Empty while deliveries go on; 'failures', 'operator' or 'merchant': who has paused them.
  paused_by              text NOT NULL DEFAULT '' CHECK (paused_by IN ('', 'failures', 'operator', 'merchant')),
  paused_at              bigint,
  -- Since then every try has failed.
  failing_since          bigint,
  -- Since then the merchant has asked for patience (HTTP 429) and has taken nothing.
  throttled_since        bigint,
  -- Until then the merchant has asked not to be sent anything (Retry-After).
  held_until             bigint NOT NULL DEFAULT 0,
  -- Both are exact to a minute.
  last_success_at        bigint,
  last_failure_at        bigint,
  CHECK ((paused_by = '') = (paused_at IS NULL))
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON callback, callback_history, callback_attempt, callback_endpoint TO cardwright_app;

-- Every push, open or finished, for readers outside the room.
CREATE VIEW any_callback AS
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, 'Open' AS state, attempts, failures,
         first_failed_at, NULL::bigint AS finished_at, last_error
  FROM callback
  UNION ALL
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state, attempts, failures,
         first_failed_at, finished_at, error
  FROM callback_history;
GRANT SELECT ON any_callback TO cardwright_app;

-- Makes the partitions of some days (counted from 1970) that are missing; returns how many. The table is made apart and then attached,
-- which goes on beside reads and writes of the other days; making it as a partition would wait for all of them and hold up all others.
-- Makers wait for each other, so each partition is made once.
CREATE FUNCTION make_callback_partitions(p_days integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  made integer := 0;
  parent text;
  child text;
  day integer;
BEGIN
  FOREACH parent IN ARRAY ARRAY['callback_history', 'callback_attempt'] LOOP
    FOREACH day IN ARRAY p_days LOOP
      child := parent || '_' || to_char(date '1970-01-01' + day, 'YYYYMMDD');
      CONTINUE WHEN to_regclass(child) IS NOT NULL;
      EXECUTE format('LOCK TABLE ONLY %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
      CONTINUE WHEN to_regclass(child) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, child, day * 86400000::bigint,
                     (day + 1) * 86400000::bigint);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- The partitions there are, with their days.
CREATE FUNCTION callback_partitions(p_parent regclass) RETURNS TABLE (child text, day integer)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT c.relname::text, to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01'
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = p_parent
$$;

-- Drops the oldest partition that lies wholly before a day; returns how many, so call again until it is 0. It must have the whole table
-- for a moment: where it does not get that within a fifth of a second it fails, and nobody has waited longer.
CREATE FUNCTION drop_callback_partition(p_history_before integer, p_attempts_before integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  old text;
BEGIN
  SELECT p.child INTO old FROM (
    SELECT child, day FROM callback_partitions('callback_history') WHERE day < p_history_before
    UNION ALL
    SELECT child, day FROM callback_partitions('callback_attempt') WHERE day < p_attempts_before
  ) p ORDER BY p.day, p.child LIMIT 1;
  IF old IS NULL THEN
    RETURN 0;
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %I', old);
  RETURN 1;
END $$;

-- A push that was made since this moment (Unix ms) is still there: what is dropped goes by whole days, the oldest first.
CREATE FUNCTION callback_history_begins() RETURNS bigint
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT coalesce(min(day), 0) * 86400000::bigint FROM callback_partitions('callback_history')
$$;

REVOKE ALL ON FUNCTION make_callback_partitions, drop_callback_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_callback_partitions, drop_callback_partition TO cardwright_app;

-- What there was.
SELECT make_callback_partitions(array_agg(day)) FROM (
  SELECT (finished_at / 86400000)::integer AS day FROM callback_before WHERE state <> 'Due'
  UNION
  SELECT (attempted_at / 86400000)::integer FROM callback_attempt_before
) days HAVING count(*) > 0;
INSERT INTO callback_attempt
SELECT merchant_id, callback_id, attempt, attempted_at, duration_ms, http_status, answer, error FROM callback_attempt_before;
INSERT INTO callback_history (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state, attempts,
  failures, first_failed_at, finished_at, error)
SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.consume_no, c.data, c.created_at, c.due_at, c.state, c.attempts,
  c.failures, c.first_failed_at, c.finished_at, CASE WHEN c.state = 'GivenUp' THEN coalesce(a.error, '') ELSE '' END
FROM callback_before c
LEFT JOIN callback_attempt_before a ON a.merchant_id = c.merchant_id AND a.callback_id = c.callback_id AND a.attempt = c.attempts
WHERE c.state <> 'Due';
INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, lease_until, attempts,
  failures, first_failed_at, last_error)
SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.consume_no, c.data, c.created_at, c.due_at, c.lease_until, c.attempts,
  c.failures, c.first_failed_at, coalesce(a.error, '')
FROM callback_before c
LEFT JOIN callback_attempt_before a ON a.merchant_id = c.merchant_id AND a.callback_id = c.callback_id AND a.attempt = c.attempts
WHERE c.state = 'Due';
-- Made when the rows are there: a merchant's own line, in the order in which it is due.
CREATE INDEX callback_due ON callback (merchant_id, due_at);

-- The push that tells the merchant its late answer, on each of its tries: the first that is claimed when the answer is known. Pushes of
-- before cannot be looked through any more, so it is remembered here.
ALTER TABLE merchant_question ADD COLUMN told_by uuid;
UPDATE merchant_question m SET told_by = c.callback_id
FROM (
  SELECT DISTINCT ON (merchant_id, consume_no) merchant_id, consume_no, callback_id FROM callback_before
  WHERE consume_no <> '' AND attempts > 0 ORDER BY merchant_id, consume_no, sequence
) c
WHERE m.late AND m.answer_code IS NOT NULL AND m.merchant_id = c.merchant_id AND m.consume_no = c.consume_no;

DROP TABLE callback_before, callback_attempt_before;
