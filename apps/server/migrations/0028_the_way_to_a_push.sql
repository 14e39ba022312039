-- One way only to each push.
--
-- Both indexes of callback began with the merchant. With few rows there when Postgres last counted them, as after a quiet minute, either
-- looked as good as the other, and a plan that found a card's pushes by going through all of its merchant's stayed until the next count: a
-- claim with a few thousand pushes waiting took a minute. Now a condition on merchant_id can only mean the key, and who wants the merchant's
-- line says merchant_id + 0.
CREATE INDEX callback_line ON callback ((merchant_id + 0), due_at);
DROP INDEX callback_due;

-- As before, but with the rows that leave named by an array, which leaves nothing to choose: joined, they could be looked for in the list of
-- those to leave once for every row of the outbox.
CREATE OR REPLACE FUNCTION empty_callback_outbox(p_max integer) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  moved integer;
BEGIN
  IF NOT EXISTS (SELECT FROM callback_outbox) THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('callback_outbox', 0));
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH taken AS (
    DELETE FROM callback_outbox
    WHERE outbox_id = ANY (ARRAY(
      SELECT outbox_id FROM (
        SELECT o.outbox_id, o.size, sum(o.size) OVER (ORDER BY o.outbox_id) AS sum
        FROM (SELECT outbox_id, size FROM callback_outbox ORDER BY outbox_id LIMIT p_max) o
      ) oldest WHERE sum - size < p_max
    ))
    RETURNING callbacks
  )
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
  SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.consume_no, c.data, c.created_at, c.due_at
  FROM taken, unnest(taken.callbacks) AS c;
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END $$;
