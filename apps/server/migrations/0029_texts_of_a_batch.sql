-- The texts of a batch's pushes stay the one value that they arrive as.
--
-- They were taken apart, put into the pushes, the pushes put together, and that written to the disk: seven copies of half a kilobyte for each
-- purchase, while it waits. What the callbacks room takes apart a moment later nobody waits for.
--
-- And once more fewer steps for a small batch: pushes are made where a purchase is walked over, repeats are looked up in full only where one
-- is found, and what came of a batch is answered as one value. Instructions of Postgres for one purchase: 2.14 million before, 1.86 now.

-- text_at: which of the row's texts is the data of this push, from 1; NULL where data is.
ALTER TYPE outgoing_callback ADD ATTRIBUTE text_at integer;
-- What is used of them and what is not, separated by U+001F, which no JSON has; NULL where each push has its own. Not compressed, as callbacks.
ALTER TABLE callback_outbox ADD COLUMN texts text;
ALTER TABLE callback_outbox ALTER COLUMN texts SET STORAGE EXTERNAL;

-- As before, with the texts.
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
    RETURNING callbacks, string_to_array(texts, E'\x1f') AS texts
  )
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
  SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.consume_no,
    CASE WHEN c.text_at IS NULL THEN c.data ELSE taken.texts[c.text_at] END, c.created_at, c.due_at
  FROM taken, unnest(taken.callbacks) AS c;
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END $$;

-- A row's texts are taken apart once, and only for a reader of data.
CREATE OR REPLACE VIEW any_callback AS
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, 'Open' AS state, attempts, failures,
         first_failed_at, NULL::bigint AS finished_at, last_error
  FROM callback
  UNION ALL
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state, attempts, failures,
         first_failed_at, finished_at, error
  FROM callback_history
  UNION ALL
  SELECT c.merchant_id, c.callback_id, c.card_no COLLATE "C", c.sequence, c.action, c.consume_no COLLATE "C",
         CASE WHEN c.text_at IS NULL THEN c.data ELSE t.texts[c.text_at] END, c.created_at, c.due_at, 'Open', 0, 0, NULL, NULL, ''
  FROM callback_outbox o
  CROSS JOIN LATERAL (SELECT string_to_array(o.texts, E'\x1f') AS texts OFFSET 0) t, unnest(o.callbacks) AS c;

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
  VALUES (ARRAY[ROW(p_merchant_id, p_callback_id, p_card_no, next, p_action, p_consume_no, p_data, p_at, p_at, NULL)::outgoing_callback], 1);
END $$;

-- The decision as in 0027, but as said above. Answers one value per item, in order; 'verified' is an approval too. p_data: the texts,
-- separated by U+001F, of all items.
DROP FUNCTION authorization_decide;
DROP TYPE decision_result;
CREATE TYPE decision_result AS (
  verdict text, reason text, status text, held_credit bigint, held_reserve bigint, shown_free boolean, small_fee_decision text,
  small_cost_decision text, answered_no text, answered_partial bigint, answered_word text
);
CREATE FUNCTION authorization_decide(
  c_merchant integer[], c_card text[], a_merchant integer[], a_account uuid[],
  p_merchant integer[], p_reference text[], p_items decision_item[],
  p_fee_rows text[], p_data text, f_rows text[], f_approved text[],
  d_reason text, d_detail text, d_middle text, d_charged text
) RETURNS decision_result[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(p_items);
  texts constant text[] := string_to_array(p_data, E'\x1f');
  cards walked_card[];
  k walked_card;
  available bigint[];
  item decision_item;
  result decision_result;
  results decision_result[];
  lines ledger.hold_line[];
  i integer := 0;
  -- as_sent: a push has a text just as it came.
  written boolean := false; as_sent boolean := false;
  found record;
  -- By item, NULL where its reference is new: items of different merchants may carry the same reference.
  known_no text[]; known_same boolean[]; known_result decision_result[]; known_reversed boolean[];
  r_reason text[]; r_detail text[]; r_middle text[]; r_charged text[];
  pushes outgoing_callback[];
BEGIN
  IF cardinality(texts) <> n THEN
    RAISE EXCEPTION 'authorization: % texts for % items', cardinality(texts), n USING ERRCODE = 'data_exception';
  END IF;
  cards := lock_cards(c_merchant, c_card);
  available := ledger.lock_accounts(a_merchant, a_account);

  -- After the cards' locks, so that a repeat that raced with the first message sees what it wrote, and a reversal that raced with its
  -- authorization is seen by it. Mostly nothing is found, and then to look is all.
  IF EXISTS (
    SELECT FROM unnest(p_merchant, p_reference) AS u (m, r)
    CROSS JOIN LATERAL (
      SELECT FROM consumption x WHERE x.merchant_id = u.m AND x.network_reference = u.r AND x.network_reference <> '' OFFSET 0
    ) p
  ) OR EXISTS (
    SELECT FROM unnest(p_merchant, p_reference) AS u (m, r)
    CROSS JOIN LATERAL (
      SELECT FROM network_message x
      WHERE x.merchant_id = u.m AND x.original_reference = u.r AND x.kind = 'reversal' AND x.consume_no = '' OFFSET 0
    ) e
  ) THEN
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
      known_result[found.i] := ROW('repeat', found.remark, found.status, 0, 0, false, 'open', found.small_cost, found.consume_no,
        found.partial, found.merchant_reason)::decision_result;
    END LOOP;
  END IF;

  FOREACH item IN ARRAY p_items LOOP
    i := i + 1;
    IF known_same[i] THEN
      results := results || known_result[i];
      CONTINUE;
    END IF;
    k := cards[item.card];
    IF k.version <> item.version THEN
      results := results || ROW('stale', '', '', 0, 0, false, 'open', 'open', item.consume_no, NULL, '')::decision_result;
      CONTINUE;
    END IF;

    -- A counter of an earlier period counts as zero.
    IF k.week_start < item.week OR k.atm_day < item.day OR k.atm_month < item.month THEN
      IF k.week_start < item.week THEN k.week_start := item.week; k.week_spent := 0; END IF;
      IF k.atm_day < item.day THEN k.atm_day := item.day; k.atm_day_spent := 0; END IF;
      IF k.atm_month < item.month THEN k.atm_month := item.month; k.atm_month_spent := 0; END IF;
    END IF;
    result := ROW('', '', '', item.credit_total, item.reserve_total, false, 'open', 'open', item.consume_no, NULL, '')::decision_result;
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
      result := ROW('declined', result.reason, 'Fail', 0, 0, false, 'open', 'open', item.consume_no, NULL, '')::decision_result;
      IF r_reason IS NULL THEN
        r_reason := string_to_array(d_reason, E'\x1f'); r_detail := string_to_array(d_detail, E'\x1f');
        r_middle := string_to_array(d_middle, E'\x1f'); r_charged := string_to_array(d_charged, E'\x1f');
      END IF;
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
      IF result.status = 'Pending' AND NOT result.shown_free THEN
        as_sent := true;
        pushes := pushes || ROW(item.merchant_id, item.callback_id, item.card_no, k.callback_sequence, 'Consumption', item.consume_no, '',
          item.at, item.at, i)::outgoing_callback;
      ELSE
        pushes := pushes || ROW(item.merchant_id, item.callback_id, item.card_no, k.callback_sequence, 'Consumption', item.consume_no,
          left(texts[i], item.data_head)
            || CASE WHEN result.verdict = 'declined' THEN r_middle[array_position(r_reason, result.reason)]
                 WHEN result.shown_free THEN f_approved[i]
                 ELSE substr(texts[i], item.data_head + 1, item.data_middle) END
            || substr(left(texts[i], -length(',"status":"Pending","time":' || item.at || '}')), item.data_head + item.data_middle + 1)
            || ',"status":"' || result.status || '","time":' || item.at || '}',
          item.at, item.at, NULL)::outgoing_callback;
      END IF;
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
    WITH decided AS (
      SELECT u.merchant_id, u.card_no, u.cardholder_no, u.consume_no, u.relate_no, u.network_reference, u.type, u.amount, u.fee, u.credit,
        u.small_fee, u.small_cost, u.local_amount, u.local_currency, u.merchant_name, u.merchant_mcc, u.merchant_city, u.merchant_country,
        u.hold_id, u.at, u.wallet, u.recurring, u.decline_fee, u.exchange_rate, u.exchange_source, u.exchange_at,
        u.verdict, u.reason, u.status, u.held_credit, u.held_reserve, u.shown_free, u.small_fee_decision, u.small_cost_decision,
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
      INSERT INTO callback_outbox (callbacks, texts, size)
      SELECT pushes, CASE WHEN as_sent THEN p_data END, cardinality(pushes) WHERE pushes IS NOT NULL
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

  RETURN results;
END $$;

-- The end of a question as in 0027, in the same way. A push about an approval in the merchant's stead has a text of its own: whether there is
-- one is known only here, so the caller's text for it tells of the refusal.
DROP FUNCTION authorization_conclude;
CREATE TYPE conclusion_result AS (concluded boolean, consumption_status text, remark text);
CREATE FUNCTION authorization_conclude(
  c_merchant integer[], c_card text[], p_items conclusion_item[], p_data text, p_stand_in_data text, p_stand_in_detail text,
  p_void_kind text, p_at bigint
) RETURNS conclusion_result[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(p_items);
  cards walked_card[];
  k walked_card;
  candidate record;
  -- By item: NULL where there is nothing of the kind.
  v_stands_in boolean[]; v_status text[]; v_remark text[]; v_concluded boolean[];
  -- Holds to give back, and to lower.
  b_merchant integer[]; b_hold uuid[]; b_transaction uuid[];
  l_merchant integer[]; l_hold uuid[]; l_amount bigint[]; l_transaction uuid[];
  -- What is approved as it was asked.
  y_item integer[]; y_merchant integer[]; y_consume_no text[];
  others boolean := false; failed boolean := false;
  i integer := 0;
  item conclusion_item;
  stand_in_texts text[];
  pushes outgoing_callback[];
  results conclusion_result[];
BEGIN
  IF cardinality(string_to_array(p_data, E'\x1f')) <> n THEN
    RAISE EXCEPTION 'authorization: % texts for % items', cardinality(string_to_array(p_data, E'\x1f')), n USING ERRCODE = 'data_exception';
  END IF;
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
  -- Most merchants leave it at a refusal: then there is no more to find out.
  IF failed OR n = 0 THEN
    failed := EXISTS (
      SELECT FROM unnest(c_merchant) AS u (m)
      CROSS JOIN LATERAL (SELECT FROM merchant x WHERE x.merchant_id = u.m AND x.failure_policy = 'stand_in' OFFSET 0) s
    );
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

  IF v_stands_in IS NOT NULL THEN
    stand_in_texts := string_to_array(p_stand_in_data, E'\x1f');
  END IF;
  i := 0;
  FOREACH item IN ARRAY p_items LOOP
    i := i + 1;
    IF v_status[i] IS NOT NULL THEN
      v_concluded[i] := true;
      k := cards[item.card];
      k.callback_sequence := k.callback_sequence + 1;
      k.touched := true;
      cards[item.card] := k;
      pushes := pushes || ROW(item.merchant_id, item.callback_id, item.card_no, k.callback_sequence, 'Consumption', item.consume_no,
        CASE WHEN v_stands_in[i] THEN stand_in_texts[i] ELSE '' END, p_at, item.due_at,
        CASE WHEN v_stands_in[i] THEN NULL ELSE i END)::outgoing_callback;
    END IF;
  END LOOP;

  IF l_hold IS NOT NULL THEN
    PERFORM ledger.lower_holds(l_merchant, l_hold, array_fill(1::smallint, ARRAY[cardinality(l_hold)]), l_amount, l_transaction, p_at);
  END IF;
  IF b_hold IS NOT NULL OR n = 0 THEN
    PERFORM ledger.void(p_void_kind, b_merchant, b_hold, b_transaction, p_at);
  END IF;
  IF pushes IS NOT NULL OR n = 0 THEN
    WITH pushed AS (
      INSERT INTO callback_outbox (callbacks, texts, size) SELECT pushes, p_data, cardinality(pushes) WHERE pushes IS NOT NULL
    )
    UPDATE card o
    SET callback_sequence = c.callback_sequence, week_spent = c.week_spent, atm_day_spent = c.atm_day_spent,
        atm_month_spent = c.atm_month_spent
    FROM unnest(cards) AS c
    WHERE c.touched AND o.merchant_id = ANY (ARRAY[c.merchant_id]) AND o.card_no = c.card_no;
  END IF;

  IF coalesce(cardinality(pushes), 0) < n THEN
    FOR candidate IN
      SELECT u.ordinality::integer AS i, p.status, p.remark
      FROM unnest(p_items) WITH ORDINALITY AS u
      CROSS JOIN LATERAL (
        SELECT x.status, x.remark FROM consumption x WHERE x.merchant_id = u.merchant_id AND x.consume_no = u.consume_no OFFSET 0
      ) p
      WHERE v_concluded[u.ordinality] IS NULL
    LOOP
      v_status[candidate.i] := candidate.status;
      v_remark[candidate.i] := candidate.remark;
    END LOOP;
  END IF;
  FOR i IN 1..n LOOP
    results := results || ROW(coalesce(v_concluded[i], false), coalesce(v_status[i], ''), coalesce(v_remark[i], ''))::conclusion_result;
  END LOOP;
  RETURN results;
END $$;
