-- The outbox. What a decision reports is one row for its whole batch, and the callbacks room makes the pushes of it a moment later.
--
-- A row for each push, with two indexes on a table of which half of each page is left free for claims, took 16 of the 100 µs that Postgres
-- had for a decision. A push is written once more than before, but not while a purchase waits for its answer.

-- Read by whoever takes apart later what is written now: what is not there must fail the writer.
CREATE DOMAIN known_text AS text NOT NULL;

-- A push as whoever made the change writes it: see the columns of callback.
CREATE TYPE outgoing_callback AS (
  merchant_id integer, callback_id uuid, card_no text, sequence bigint, action callback_action, consume_no text, data known_text,
  created_at bigint, due_at bigint
);

-- callback_outbox: the pushes of one statement, inserted in the transaction of the changes that they report. Of two rows with pushes about
-- one card the earlier change has the lower id, because the card is locked before the id is taken. Emptied by empty_callback_outbox only.
-- Not compressed: it is read a moment later, and then deleted.
CREATE TABLE callback_outbox (
  outbox_id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  callbacks              outgoing_callback[] NOT NULL,
  -- How many they are, so that nobody has to look into them to know.
  size                   integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000, toast.autovacuum_vacuum_cost_delay = 0);
ALTER TABLE callback_outbox ALTER COLUMN callbacks SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, DELETE ON callback_outbox TO cardwright_app;

-- Moves the pushes of the oldest rows to callback, p_max and those of one row more at most; answers how many, so call again until it is 0.
-- To be called by itself, not in a transaction of something else.
-- One caller at a time, so that none waits for the other's rows with rows of its own, and a card's earlier push is there before its later
-- one. Who waits for another sees afterwards what that one has moved.
-- The commit need not reach the disk before the answer: what is lost with the machine is in the outbox again, and whatever was made of it
-- since is later in the log and lost with it.
-- By its key whatever the table held when the plan was made.
CREATE FUNCTION empty_callback_outbox(p_max integer) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  moved integer;
BEGIN
  IF NOT EXISTS (SELECT FROM callback_outbox) THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('callback_outbox', 0));
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH oldest AS (
    SELECT o.outbox_id, o.size, sum(o.size) OVER (ORDER BY o.outbox_id) AS sum
    FROM (SELECT outbox_id, size FROM callback_outbox ORDER BY outbox_id LIMIT p_max) o
  ), taken AS (
    DELETE FROM callback_outbox WHERE outbox_id IN (SELECT outbox_id FROM oldest WHERE sum - size < p_max) RETURNING callbacks
  )
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
  SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.consume_no, c.data, c.created_at, c.due_at
  FROM taken, unnest(taken.callbacks) AS c;
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END $$;

-- Every push, wherever it is, for readers outside the room.
CREATE OR REPLACE VIEW any_callback AS
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, 'Open' AS state, attempts, failures,
         first_failed_at, NULL::bigint AS finished_at, last_error
  FROM callback
  UNION ALL
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state, attempts, failures,
         first_failed_at, finished_at, error
  FROM callback_history
  UNION ALL
  SELECT c.merchant_id, c.callback_id, c.card_no COLLATE "C", c.sequence, c.action, c.consume_no COLLATE "C", c.data, c.created_at, c.due_at,
         'Open', 0, 0, NULL, NULL, ''
  FROM callback_outbox o, unnest(o.callbacks) AS c;

-- As before, but into the outbox: pushes about one card must all go the same way.
CREATE OR REPLACE FUNCTION enqueue_callback(p_merchant_id integer, p_card_no text, p_callback_id uuid, p_action text, p_data text,
                                            p_consume_no text, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  next bigint;
BEGIN
  UPDATE card SET callback_sequence = callback_sequence + 1
  WHERE merchant_id = p_merchant_id AND card_no = p_card_no
  RETURNING callback_sequence INTO STRICT next;
  INSERT INTO callback_outbox (callbacks, size)
  VALUES (ARRAY[ROW(p_merchant_id, p_callback_id, p_card_no, next, p_action, p_consume_no, p_data, p_at, p_at)::outgoing_callback], 1);
END $$;

-- The decision as in 0026, with its pushes in the outbox. p_data is by item: the finished data of the callback for an approval with all fees.
-- What else can come of an item is put together from it: data_head and data_middle are the lengths of its first two parts, the second of
-- which says fees, remark and detail (both parts have ASCII only).
DROP FUNCTION authorization_decide;
DROP TYPE decision_item;
CREATE TYPE decision_item AS (
  merchant_id integer, card integer, card_no text, cardholder_no text, version integer, credit integer, reserve integer,
  credit_account_id uuid, reserve_account_id uuid,
  consume_no text, relate_no text, network_reference text, type text, asks boolean, preset text,
  amount bigint, credit_total bigint, reserve_total bigint, fee bigint,
  limit_purchase bigint, limit_week bigint, limit_atm_day bigint, limit_atm_month bigint, week integer, day integer, month integer,
  local_amount text, local_currency text, merchant_name text, merchant_mcc text, merchant_city text, merchant_country text,
  hold_id uuid, callback_id uuid, at bigint, hold_until bigint, wallet boolean, recurring boolean, decline_fee boolean,
  small_fee bigint, small_fee_max integer, small_fee_period integer, small_cost bigint, small_cost_max integer, small_cost_period integer,
  exchange_rate text, exchange_source text, exchange_at bigint, data_head integer, data_middle integer
);
CREATE FUNCTION authorization_decide(
  c_merchant integer[], c_card text[], a_merchant integer[], a_account uuid[],
  p_merchant integer[], p_reference text[], p_items decision_item[],
  p_fee_rows text[], p_data text[], f_rows text[], f_approved text[],
  d_reason text, d_detail text, d_middle text, d_charged text
) RETURNS TABLE (verdict text, reason text, consume_no text, consumption_status text, partial_amount bigint, merchant_reason text, small_cost text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(p_items);
  cards walked_card[];
  k walked_card;
  available bigint[];
  item decision_item;
  result decision_result;
  results decision_result[];
  lines ledger.hold_line[];
  i integer := 0;
  written boolean := false; declines boolean := false;
  found record;
  -- By item, NULL where its reference is new: items of different merchants may carry the same reference.
  known_no text[]; known_same boolean[]; known_result decision_result[]; known_reversed boolean[];
  r_reason text[]; r_detail text[]; r_middle text[]; r_charged text[];
BEGIN
  cards := lock_cards(c_merchant, c_card);
  available := ledger.lock_accounts(a_merchant, a_account);

  -- After the cards' locks, so that a repeat that raced with the first message sees what it wrote, and a reversal that raced with its
  -- authorization is seen by it. Mostly nothing is found.
  FOR found IN
    SELECT u.i::integer AS i, p.consume_no, CASE p.stage WHEN 'asking' THEN 'Asking' ELSE p.status END AS status, p.remark, p.card_no, p.type,
           p.local_currency, coalesce(p.requested_local_amount, p.authorized_local_amount, p.local_amount) AS local_amount,
           CASE WHEN p.requested_local_amount IS NOT NULL THEN coalesce(p.authorized_amount, p.amount::bigint) END AS partial,
           p.merchant_reason, p.small_cost
    FROM unnest(p_merchant, p_reference) WITH ORDINALITY AS u (m, r, i)
    CROSS JOIN LATERAL (
      SELECT x.* FROM consumption x WHERE x.merchant_id = u.m AND x.network_reference = u.r AND x.network_reference <> '' OFFSET 0
    ) p
    UNION ALL
    -- Any number of reversals may have come first.
    SELECT u.i::integer, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(p_merchant, p_reference) WITH ORDINALITY AS u (m, r, i)
    CROSS JOIN LATERAL (
      SELECT FROM network_message x
      WHERE x.merchant_id = u.m AND x.original_reference = u.r AND x.kind = 'reversal' AND x.consume_no = '' OFFSET 0
    ) e
  LOOP
    IF found.consume_no IS NULL THEN
      known_reversed[found.i] := true;
      CONTINUE;
    END IF;
    item := p_items[found.i];
    known_no[found.i] := found.consume_no;
    known_same[found.i] := item.card_no = found.card_no AND item.type = found.type AND item.local_currency = found.local_currency
      AND item.local_amount = found.local_amount;
    -- A repeat of what was declined because its reversal came first.
    IF found.remark = 'reversed' AND EXISTS (
        SELECT FROM network_message e
        WHERE e.merchant_id = item.merchant_id AND e.original_reference = item.network_reference AND e.original_reference <> ''
          AND e.kind = 'reversal' AND e.consume_no = found.consume_no AND e.effect = 'stored') THEN
      found.remark := 'duplicate';
    END IF;
    known_result[found.i] := ROW('repeat', found.remark, found.status, 0, 0, false, 'open', found.small_cost, NULL, found.consume_no,
      found.partial, found.merchant_reason)::decision_result;
  END LOOP;

  FOREACH item IN ARRAY p_items LOOP
    i := i + 1;
    IF known_same[i] THEN
      results := results || known_result[i];
      CONTINUE;
    END IF;
    k := cards[item.card];
    IF k.version <> item.version THEN
      results := results || ROW('stale', '', '', 0, 0, false, 'open', 'open', NULL, item.consume_no, NULL, '')::decision_result;
      CONTINUE;
    END IF;

    -- A counter of an earlier period counts as zero.
    IF k.week_start < item.week OR k.atm_day < item.day OR k.atm_month < item.month THEN
      IF k.week_start < item.week THEN k.week_start := item.week; k.week_spent := 0; END IF;
      IF k.atm_day < item.day THEN k.atm_day := item.day; k.atm_day_spent := 0; END IF;
      IF k.atm_month < item.month THEN k.atm_month := item.month; k.atm_month_spent := 0; END IF;
    END IF;
    result := ROW('', '', '', item.credit_total, item.reserve_total, false, 'open', 'open', NULL, item.consume_no, NULL, '')::decision_result;
    IF item.small_fee > 0 OR item.small_cost > 0 THEN
      IF item.small_fee > 0 THEN
        IF k.small_period < item.small_fee_period THEN k.small_period := item.small_fee_period; k.small_used := 0; END IF;
        result.small_fee_decision := CASE WHEN k.small_used < item.small_fee_max THEN 'free' ELSE 'charged' END;
        IF result.small_fee_decision = 'free' THEN result.held_credit := result.held_credit - item.small_fee; END IF;
      END IF;
      IF item.small_cost > 0 THEN
        IF k.small_cost_period < item.small_cost_period THEN k.small_cost_period := item.small_cost_period; k.small_cost_used := 0; END IF;
        result.small_cost_decision := CASE WHEN k.small_cost_used < item.small_cost_max THEN 'free' ELSE 'charged' END;
        IF result.small_cost_decision = 'free' THEN result.held_reserve := result.held_reserve - item.small_cost; END IF;
      END IF;
    END IF;

    result.reason := CASE
      WHEN known_no[i] IS NOT NULL THEN 'duplicate'
      WHEN known_reversed[i] THEN 'reversed'
      WHEN k.merchant_status <> 'Active' THEN 'merchant_disabled'
      WHEN k.status = 'Frozen' AND item.type <> 'Refund' THEN 'card_frozen'
      WHEN k.status <> 'Activated' AND NOT (item.type = 'Refund' AND k.status = 'Frozen') THEN 'card_not_active'
      WHEN item.preset <> '' THEN item.preset
      WHEN item.type = 'Refund' THEN ''
      WHEN item.amount > item.limit_purchase THEN 'limit_per_purchase'
      WHEN k.week_spent + item.amount > item.limit_week THEN 'limit_week'
      WHEN item.type = 'Atm' AND k.atm_day_spent + item.amount > item.limit_atm_day THEN 'limit_atm_day'
      WHEN item.type = 'Atm' AND k.atm_month_spent + item.amount > item.limit_atm_month THEN 'limit_atm_month'
      WHEN item.credit > 0 AND available[item.credit] < result.held_credit THEN 'insufficient_credit'
      WHEN available[item.reserve] < result.held_reserve THEN 'insufficient_reserve'
      ELSE ''
    END;

    IF result.reason <> '' THEN
      result := ROW('declined', result.reason, 'Fail', 0, 0, false, 'open', 'open', NULL, item.consume_no, NULL, '')::decision_result;
      declines := true;
    ELSIF item.type = 'Refund' THEN
      -- Nothing is held for money that is to come.
      result.verdict := 'approved'; result.status := 'Pending';
    ELSE
      k.week_spent := k.week_spent + item.amount;
      IF item.type = 'Atm' THEN
        k.atm_day_spent := k.atm_day_spent + item.amount;
        k.atm_month_spent := k.atm_month_spent + item.amount;
      END IF;
      IF item.small_fee > 0 OR item.small_cost > 0 THEN
        IF result.small_fee_decision = 'free' THEN k.small_used := k.small_used + 1; END IF;
        IF result.small_cost_decision = 'free' THEN k.small_cost_used := k.small_cost_used + 1; END IF;
        -- What is shown to the merchant is the cardholder's side where there is one.
        result.shown_free := CASE WHEN item.credit > 0 THEN result.small_fee_decision ELSE result.small_cost_decision END = 'free';
      END IF;
      IF result.held_credit > 0 THEN
        available[item.credit] := available[item.credit] - result.held_credit;
        lines := lines || ROW(item.merchant_id, item.hold_id, 1, CASE WHEN result.held_reserve > 0 THEN 2 ELSE 1 END, item.credit_account_id,
          'TUSDT', result.held_credit, item.consume_no, item.at, item.hold_until)::ledger.hold_line;
      END IF;
      IF result.held_reserve > 0 THEN
        available[item.reserve] := available[item.reserve] - result.held_reserve;
        lines := lines || ROW(item.merchant_id, item.hold_id, CASE WHEN result.held_credit > 0 THEN 2 ELSE 1 END,
          CASE WHEN result.held_credit > 0 THEN 2 ELSE 1 END, item.reserve_account_id, 'USD', result.held_reserve, item.consume_no, item.at,
          item.hold_until)::ledger.hold_line;
      END IF;
      -- Nothing will clear an account verification (amount zero): it is over when it is answered, and nobody is asked.
      IF result.held_credit <= 0 AND result.held_reserve <= 0 THEN
        result.verdict := 'verified'; result.status := 'Success';
      ELSE
        result.verdict := CASE WHEN item.asks THEN 'asking' ELSE 'approved' END; result.status := 'Pending';
      END IF;
    END IF;
    IF result.verdict <> 'asking' THEN
      k.callback_sequence := k.callback_sequence + 1;
      result.sequence := k.callback_sequence;
    END IF;
    k.touched := true;
    cards[item.card] := k;
    results := results || result;
    written := true;
  END LOOP;

  -- Without items at all it is a warm-up: the statements run on nothing and are planned by it.
  IF lines IS NOT NULL OR n = 0 THEN
    PERFORM ledger.hold(lines);
  END IF;
  IF written OR n = 0 THEN
    IF declines THEN
      r_reason := string_to_array(d_reason, E'\x1f'); r_detail := string_to_array(d_detail, E'\x1f');
      r_middle := string_to_array(d_middle, E'\x1f'); r_charged := string_to_array(d_charged, E'\x1f');
    END IF;
    WITH decided AS (
      SELECT u.merchant_id, u.card_no, u.cardholder_no, u.consume_no, u.relate_no, u.network_reference, u.type, u.amount, u.fee, u.credit,
        u.small_fee, u.small_cost, u.local_amount, u.local_currency, u.merchant_name, u.merchant_mcc, u.merchant_city, u.merchant_country,
        u.hold_id, u.callback_id, u.at, u.wallet, u.recurring, u.decline_fee, u.exchange_rate, u.exchange_source, u.exchange_at,
        u.data_head, u.data_middle, u.verdict, u.reason, u.status, u.held_credit, u.held_reserve, u.shown_free, u.small_fee_decision,
        u.small_cost_decision, u.sequence,
        u.ordinality::integer AS i, array_position(r_reason, u.reason) AS place
      FROM ROWS FROM (unnest(p_items), unnest(results)) WITH ORDINALITY AS u
    ), consumed AS (
      INSERT INTO consumption (merchant_id, consume_no, consume_relate_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows,
        credit_total, reserve_total, local_amount, local_currency, remark, detail, merchant_name, merchant_mcc, merchant_city,
        merchant_country, network_reference, hold_id, exchange_rate, exchange_source, exchange_at, small_fee, small_cost, wallet, recurring,
        fee_due, created_at, changed_at)
      SELECT merchant_id, consume_no, relate_no, card_no, cardholder_no, type, status,
        CASE WHEN verdict = 'asking' THEN 'asking' WHEN status = 'Pending' THEN 'held' ELSE 'done' END, amount,
        CASE WHEN verdict = 'declined' THEN 0 WHEN shown_free THEN fee - CASE WHEN credit > 0 THEN decided.small_fee ELSE decided.small_cost END
          ELSE fee END,
        CASE WHEN verdict = 'declined' THEN '[]' WHEN shown_free THEN f_rows[i] ELSE p_fee_rows[i] END::jsonb,
        held_credit, held_reserve, local_amount, local_currency, decided.reason, coalesce(r_detail[place], ''),
        merchant_name, merchant_mcc, merchant_city, merchant_country,
        -- The reference stays with the consumption that had it first.
        CASE WHEN decided.reason = 'duplicate' THEN '' ELSE network_reference END,
        CASE WHEN verdict IN ('approved', 'asking') AND type <> 'Refund' THEN hold_id END,
        coalesce(exchange_rate, ''), coalesce(exchange_source, ''), exchange_at, small_fee_decision, small_cost_decision, wallet, recurring,
        CASE WHEN decline_fee AND r_charged[place] = 't' THEN 'decline' ELSE '' END, at, at
      FROM decided
      WHERE verdict <> 'repeat' AND verdict <> 'stale'
    ), pushed AS (
      INSERT INTO callback_outbox (callbacks, size)
      SELECT array_agg(ROW(merchant_id, callback_id, card_no, sequence, 'Consumption', consume_no,
        CASE WHEN status = 'Pending' AND NOT shown_free THEN p_data[i]
          ELSE left(p_data[i], data_head)
            || CASE WHEN verdict = 'declined' THEN r_middle[place] WHEN shown_free THEN f_approved[i]
                 ELSE substr(p_data[i], data_head + 1, data_middle) END
            || substr(left(p_data[i], -length(',"status":"Pending","time":' || at || '}')), data_head + data_middle + 1)
            || ',"status":"' || status || '","time":' || at || '}'
        END, at, at)::outgoing_callback), count(*)
      FROM decided
      WHERE sequence IS NOT NULL
      HAVING count(*) > 0
    )
    UPDATE card o
    SET week_start = c.week_start, week_spent = c.week_spent, atm_day = c.atm_day, atm_day_spent = c.atm_day_spent, atm_month = c.atm_month,
        atm_month_spent = c.atm_month_spent, small_used = c.small_used, small_period = c.small_period, small_cost_used = c.small_cost_used,
        small_cost_period = c.small_cost_period, callback_sequence = c.callback_sequence
    FROM unnest(cards) AS c
    WHERE c.touched AND o.merchant_id = ANY (ARRAY[c.merchant_id]) AND o.card_no = c.card_no;

    IF known_reversed IS NOT NULL THEN
      UPDATE network_message e SET consume_no = u.consume_no
      FROM ROWS FROM (unnest(p_items), unnest(results)) AS u
      WHERE u.reason = 'reversed' AND u.verdict = 'declined' AND e.merchant_id = u.merchant_id
        AND e.original_reference = u.network_reference AND e.kind = 'reversal' AND e.consume_no = '';
    END IF;
  END IF;

  RETURN QUERY
  SELECT CASE u.verdict WHEN 'verified' THEN 'approved' ELSE u.verdict END, u.reason, u.answered_no, u.status,
    u.answered_partial, u.answered_word, u.small_cost_decision
  FROM unnest(results) AS u;
END $$;

-- The end of a question as in 0026, with its pushes in the outbox. p_stand_in_data is by item like p_data: the data of the callback for a
-- stand-in approval, empty where that cannot be. As a part of an item each of its quotes was escaped twice.
DROP FUNCTION authorization_conclude;
DROP TYPE conclusion_item;
CREATE TYPE conclusion_item AS (
  merchant_id integer, card integer, card_no text, consume_no text, outcome text, remark text, detail text, word text, fee_due boolean,
  keep_amount bigint, keep_back bigint, keep_fee bigint, keep_fee_rows text, keep_reserve bigint, keep_local text,
  week integer, day integer, month integer, transaction_id uuid, callback_id uuid, due_at bigint
);
CREATE FUNCTION authorization_conclude(
  c_merchant integer[], c_card text[], p_items conclusion_item[], p_data text[], p_stand_in_data text[], p_stand_in_detail text,
  p_void_kind text, p_at bigint
) RETURNS TABLE (concluded boolean, consumption_status text, remark text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(p_items);
  cards walked_card[];
  k walked_card;
  candidate record;
  -- By item: NULL where there is nothing of the kind.
  v_stands_in boolean[]; v_status text[]; v_remark text[]; v_sequence bigint[];
  -- Holds to give back, and to lower.
  b_merchant integer[]; b_hold uuid[]; b_transaction uuid[];
  l_merchant integer[]; l_hold uuid[]; l_amount bigint[]; l_transaction uuid[];
  -- What is approved as it was asked.
  y_item integer[]; y_merchant integer[]; y_consume_no text[];
  others boolean := false; failed boolean := false;
  i integer := 0;
  done integer := 0;
  item conclusion_item;
BEGIN
  -- Cards first, then the merchants' stand-in counters, then the accounts (inside the ledger): the order that every writer keeps.
  cards := lock_cards(c_merchant, c_card);

  -- Without items at all it is a warm-up: the statements run on nothing and are planned by it.
  FOREACH item IN ARRAY p_items LOOP
    i := i + 1;
    IF item.outcome = 'approved' AND item.keep_amount IS NULL THEN
      y_item := y_item || i; y_merchant := y_merchant || item.merchant_id; y_consume_no := y_consume_no || item.consume_no;
    ELSE
      others := true;
      failed := failed OR item.outcome = 'failed';
    END IF;
  END LOOP;
  -- A plain yes changes nothing but the stage.
  IF y_item IS NOT NULL OR n = 0 THEN
    FOR candidate IN
      WITH ended AS (
        UPDATE consumption p SET stage = 'held', changed_at = p_at
        FROM unnest(y_item, y_merchant, y_consume_no) AS u (i, m, o)
        WHERE p.merchant_id = ANY (ARRAY[u.m]) AND p.consume_no = u.o AND p.stage || '' = 'asking'
        RETURNING u.i
      )
      SELECT i FROM ended
    LOOP
      v_status[candidate.i] := 'Pending';
      v_remark[candidate.i] := '';
    END LOOP;
  END IF;
  IF failed OR n = 0 THEN
    FOR candidate IN
      SELECT u.ordinality::integer AS i, u.card_no, u.day, m.merchant_id, p.amount, m.stand_in_card_day_max, m.stand_in_day_max
      FROM unnest(p_items) WITH ORDINALITY AS u
      CROSS JOIN LATERAL (SELECT x.* FROM merchant x WHERE x.merchant_id = u.merchant_id OFFSET 0) m
      CROSS JOIN LATERAL (
        SELECT x.amount FROM consumption x
        WHERE x.merchant_id = u.merchant_id AND x.consume_no = u.consume_no AND x.stage || '' = 'asking' OFFSET 0
      ) p
      WHERE u.outcome = 'failed' AND m.failure_policy = 'stand_in' AND p.amount <= m.stand_in_purchase_max
      ORDER BY m.merchant_id, i
    LOOP
      UPDATE card o
      SET stand_in_day = candidate.day,
          stand_in_spent = CASE WHEN o.stand_in_day = candidate.day THEN o.stand_in_spent ELSE 0 END + candidate.amount
      WHERE o.merchant_id = candidate.merchant_id AND o.card_no = candidate.card_no
        AND CASE WHEN o.stand_in_day = candidate.day THEN o.stand_in_spent ELSE 0 END + candidate.amount <= candidate.stand_in_card_day_max;
      CONTINUE WHEN NOT FOUND;
      INSERT INTO merchant_stand_in AS s (merchant_id, day, spent)
      SELECT candidate.merchant_id, candidate.day, candidate.amount WHERE candidate.amount <= candidate.stand_in_day_max
      ON CONFLICT (merchant_id, day) DO UPDATE SET spent = s.spent + EXCLUDED.spent
      WHERE s.spent + EXCLUDED.spent <= candidate.stand_in_day_max;
      IF FOUND THEN
        v_stands_in[candidate.i] := true;
      ELSE
        UPDATE card o SET stand_in_spent = o.stand_in_spent - candidate.amount
        WHERE o.merchant_id = candidate.merchant_id AND o.card_no = candidate.card_no;
      END IF;
    END LOOP;
  END IF;

  IF others OR n = 0 THEN
    FOR candidate IN
      WITH ended AS (
        UPDATE consumption p
        SET status = CASE WHEN u.approved THEN 'Pending' ELSE 'Fail' END,
            stage = CASE WHEN u.approved THEN 'held' ELSE 'done' END,
            remark = CASE WHEN u.stands_in THEN 'stand_in' ELSE u.remark END,
            detail = CASE WHEN u.stands_in THEN p_stand_in_detail ELSE u.detail END, changed_at = p_at,
            amount = coalesce(u.keep_amount, p.amount),
            local_amount = coalesce(u.keep_local, p.local_amount),
            requested_local_amount = CASE WHEN u.keep_local IS NOT NULL THEN p.local_amount ELSE p.requested_local_amount END,
            merchant_reason = u.word,
            fee = CASE WHEN u.approved THEN coalesce(u.keep_fee, p.fee) ELSE 0 END,
            fee_rows = CASE WHEN u.approved THEN coalesce(u.keep_fee_rows::jsonb, p.fee_rows) ELSE '[]' END,
            credit_total = CASE WHEN u.approved THEN p.credit_total ELSE 0 END,
            reserve_total = CASE WHEN u.approved THEN coalesce(u.keep_reserve, p.reserve_total) ELSE 0 END,
            fee_due = CASE WHEN u.fee_due AND NOT u.approved THEN 'decline' ELSE '' END
        FROM (
          SELECT t.*, t.ordinality::integer AS i, coalesce(v_stands_in[t.ordinality], false) AS stands_in,
            t.outcome = 'approved' OR coalesce(v_stands_in[t.ordinality], false) AS approved
          FROM unnest(p_items) WITH ORDINALITY AS t
          WHERE t.outcome <> 'approved' OR t.keep_amount IS NOT NULL
        ) u
        WHERE p.merchant_id = ANY (ARRAY[u.merchant_id]) AND p.consume_no = u.consume_no AND p.stage || '' = 'asking'
        RETURNING u.i, u.card, u.merchant_id, u.approved, u.transaction_id, u.keep_reserve, u.week, u.day, u.month, p.hold_id,
          p.type = 'Atm' AS atm, p.status, p.remark, CASE WHEN u.approved THEN u.keep_back ELSE p.amount::bigint END AS back
      )
      SELECT * FROM ended
    LOOP
      v_status[candidate.i] := candidate.status;
      v_remark[candidate.i] := candidate.remark;
      -- What was not approved goes back to the period that it was counted in, if that is still the card's present one.
      k := cards[candidate.card];
      IF k.week_start = candidate.week THEN k.week_spent := k.week_spent - coalesce(candidate.back, 0); END IF;
      IF candidate.atm AND k.atm_day = candidate.day THEN k.atm_day_spent := k.atm_day_spent - coalesce(candidate.back, 0); END IF;
      IF candidate.atm AND k.atm_month = candidate.month THEN k.atm_month_spent := k.atm_month_spent - coalesce(candidate.back, 0); END IF;
      cards[candidate.card] := k;
      IF NOT candidate.approved THEN
        b_merchant := b_merchant || candidate.merchant_id; b_hold := b_hold || candidate.hold_id;
        b_transaction := b_transaction || candidate.transaction_id;
      ELSIF candidate.keep_reserve IS NOT NULL THEN
        l_merchant := l_merchant || candidate.merchant_id; l_hold := l_hold || candidate.hold_id;
        l_amount := l_amount || candidate.keep_reserve; l_transaction := l_transaction || candidate.transaction_id;
      END IF;
    END LOOP;
  END IF;

  i := 0;
  FOREACH item IN ARRAY p_items LOOP
    i := i + 1;
    IF v_status[i] IS NOT NULL THEN
      k := cards[item.card];
      k.callback_sequence := k.callback_sequence + 1;
      v_sequence[i] := k.callback_sequence;
      k.touched := true;
      cards[item.card] := k;
      done := done + 1;
    END IF;
  END LOOP;

  IF l_hold IS NOT NULL THEN
    PERFORM ledger.lower_holds(l_merchant, l_hold, array_fill(1::smallint, ARRAY[cardinality(l_hold)]), l_amount, l_transaction, p_at);
  END IF;
  IF b_hold IS NOT NULL OR n = 0 THEN
    PERFORM ledger.void(p_void_kind, b_merchant, b_hold, b_transaction, p_at);
  END IF;
  IF done > 0 OR n = 0 THEN
    WITH pushed AS (
      INSERT INTO callback_outbox (callbacks, size)
      SELECT array_agg(ROW(u.merchant_id, u.callback_id, u.card_no, v_sequence[u.ordinality], 'Consumption', u.consume_no,
        CASE WHEN v_stands_in[u.ordinality] THEN p_stand_in_data[u.ordinality] ELSE p_data[u.ordinality] END, p_at,
        u.due_at)::outgoing_callback), count(*)
      FROM unnest(p_items) WITH ORDINALITY AS u
      WHERE v_sequence[u.ordinality] IS NOT NULL
      HAVING count(*) > 0
    )
    UPDATE card o
    SET callback_sequence = c.callback_sequence, week_spent = c.week_spent, atm_day_spent = c.atm_day_spent,
        atm_month_spent = c.atm_month_spent
    FROM unnest(cards) AS c
    WHERE c.touched AND o.merchant_id = ANY (ARRAY[c.merchant_id]) AND o.card_no = c.card_no;
  END IF;

  IF done < n THEN
    FOR candidate IN
      SELECT u.ordinality::integer AS i, p.status, p.remark
      FROM unnest(p_items) WITH ORDINALITY AS u
      CROSS JOIN LATERAL (
        SELECT x.status, x.remark FROM consumption x WHERE x.merchant_id = u.merchant_id AND x.consume_no = u.consume_no OFFSET 0
      ) p
      WHERE v_sequence[u.ordinality] IS NULL
    LOOP
      v_status[candidate.i] := candidate.status;
      v_remark[candidate.i] := candidate.remark;
    END LOOP;
  END IF;
  RETURN QUERY SELECT v_sequence[i] IS NOT NULL, coalesce(v_status[i], ''), coalesce(v_remark[i], '') FROM generate_series(1, n) AS i;
END $$;
