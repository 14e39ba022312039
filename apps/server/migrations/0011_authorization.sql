-- merchant_stand_in: how much a merchant's purchases have been approved in its stead on one day (day number since 1970 in the card's
-- time zone), against its own limit. Written by authorization_conclude, one row per merchant and day on which its server failed.
CREATE TABLE merchant_stand_in (
  merchant_id            integer NOT NULL,
  day                    integer NOT NULL,
  spent                  bigint NOT NULL CHECK (spent >= 0),
  PRIMARY KEY (merchant_id, day)
);
GRANT SELECT, INSERT, UPDATE ON merchant_stand_in TO cardwright_app;

-- Plans are made once per connection and must not depend on what the tables held at that moment: a plan made on empty tables would
-- read whole tables later. So both functions walk indexes, always.
--
-- The decision. One call decides a batch of authorizations: it locks their cards and accounts in key order, walks through the
-- items in their order of arrival with exact running balances (a prefix-sum query would decline wrongly behind a large
-- declined item), and writes consumptions, holds and callbacks in a handful of set-based statements.
--
-- c_… are the distinct cards, a_… the distinct accounts, both sorted by key; i_… are the items, which point into them with
-- 1-based indexes (0: none). i_preset is a refusal that the caller has found already ('' for none); it yields to the card's
-- status, which only the locked row can tell. decline_fragment holds, for each reason, the middle of the callback's data.
--
-- Answers one row per item: verdict 'approved', 'asking' (the hold stands, the merchant is to be asked), 'declined' with its
-- reason, 'stale' (the card changed since the caller read it: nothing was written) or 'repeat' (the network's reference is
-- known: the consumption's present state, 'Asking' while its merchant is being asked; nothing was written). A known reference with
-- another card, type or amount is no repeat: it is declined as 'duplicate'.
--
-- force_generic_plan: the planner thinks that it saves by planning each call anew for its arrays, and is wrong. With the arrays
-- as parameters a lone decision took 0.8 ms of processor time instead of 2.2 ms, and a full batch a tenth less.
CREATE FUNCTION authorization_decide(
  c_merchant integer[], c_card text[],
  a_merchant integer[], a_account uuid[],
  i_card integer[], i_version integer[], i_credit integer[], i_reserve integer[],
  i_consume_no text[], i_network_reference text[], i_type text[], i_asks boolean[], i_preset text[],
  i_amount bigint[], i_credit_total bigint[], i_reserve_total bigint[], i_fee bigint[], i_fee_rows text[],
  i_limit bigint[], i_limit_week bigint[], i_limit_atm_day bigint[], i_limit_atm_month bigint[],
  i_week integer[], i_day integer[], i_month integer[],
  i_local_amount text[], i_local_currency text[], i_name text[], i_mcc text[], i_city text[], i_country text[],
  i_hold uuid[], i_callback uuid[], i_head text[], i_approved text[], i_tail text[],
  i_at bigint[], i_hold_until bigint[],
  decline_reason text[], decline_detail text[], decline_fragment text[]
) RETURNS TABLE (verdict text, reason text, consume_no text, consumption_status text, partial_amount bigint, merchant_reason text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(i_card);
  c_status text[]; c_version integer[]; c_holder text[]; c_merchant_status text[]; c_sequence bigint[];
  c_week integer[]; c_week_spent bigint[]; c_day integer[]; c_day_spent bigint[]; c_month integer[]; c_month_spent bigint[];
  c_touched boolean[] := array_fill(false, ARRAY[cardinality(c_card)]);
  available bigint[];
  known_no text[]; known_status text[]; known_remark text[]; known_same boolean[]; known_partial bigint[]; known_word text[];
  v_verdict text[] := array_fill(''::text, ARRAY[n]);
  v_reason text[] := array_fill(''::text, ARRAY[n]);
  v_sequence bigint[] := array_fill(NULL::bigint, ARRAY[n]);
  v_no text[] := i_consume_no;
  v_status text[] := array_fill(''::text, ARRAY[n]);
  h_item integer[] := '{}';
  h_index integer[] := '{}'; h_line smallint[] := '{}'; h_account uuid[] := '{}'; h_amount bigint[] := '{}';
  c integer; why text; held integer := 0; lines smallint; is_atm boolean;
BEGIN
  -- The subquery is sorted, so the aggregates need not sort each for itself; a join with merchant could undo the order.
  SELECT array_agg(l.status), array_agg(l.version), array_agg(l.cardholder_no), array_agg(l.callback_sequence),
         array_agg(l.week_start), array_agg(l.week_spent), array_agg(l.atm_day), array_agg(l.atm_day_spent),
         array_agg(l.atm_month), array_agg(l.atm_month_spent), array_agg(l.merchant_status)
  INTO c_status, c_version, c_holder, c_sequence, c_week, c_week_spent, c_day, c_day_spent, c_month, c_month_spent, c_merchant_status
  FROM (
    SELECT k.status, k.version, k.cardholder_no, k.callback_sequence, k.week_start, k.week_spent, k.atm_day, k.atm_day_spent,
           k.atm_month, k.atm_month_spent, (SELECT m.status FROM merchant m WHERE m.merchant_id = k.merchant_id) AS merchant_status
    FROM card k
    WHERE (k.merchant_id, k.card_no) IN (SELECT u.m, u.o FROM unnest(c_merchant, c_card) AS u (m, o))
    ORDER BY k.merchant_id, k.card_no
    FOR NO KEY UPDATE
  ) l;
  IF coalesce(cardinality(c_status), 0) <> cardinality(c_card) THEN
    RAISE EXCEPTION 'authorization: a card does not exist' USING ERRCODE = 'no_data_found';
  END IF;
  available := ledger.lock_accounts(a_merchant, a_account);

  -- After the card's lock, so that a repeat that raced with the first message sees what it wrote.
  -- One entry per item, NULL where the reference is new: items of different merchants may carry the same reference.
  SELECT array_agg(p.consume_no ORDER BY u.i), array_agg(CASE p.stage WHEN 'asking' THEN 'Asking' ELSE p.status END ORDER BY u.i),
         array_agg(p.remark ORDER BY u.i),
         array_agg(p.card_no = c_card[u.c] AND p.type = i_type[u.i] AND p.local_currency = i_local_currency[u.i]
           AND coalesce(p.requested_local_amount, p.local_amount) = i_local_amount[u.i] ORDER BY u.i),
         array_agg(CASE WHEN p.requested_local_amount IS NOT NULL THEN p.amount END ORDER BY u.i), array_agg(p.merchant_reason ORDER BY u.i)
  INTO known_no, known_status, known_remark, known_same, known_partial, known_word
  FROM unnest(i_card, i_network_reference) WITH ORDINALITY AS u (c, r, i)
  LEFT JOIN consumption p ON p.merchant_id = c_merchant[u.c] AND p.network_reference = u.r AND p.network_reference <> '';

  FOR i IN 1 .. n LOOP
    c := i_card[i];
    IF known_same[i] THEN
      v_verdict[i] := 'repeat'; v_no[i] := known_no[i]; v_status[i] := known_status[i]; v_reason[i] := known_remark[i];
      CONTINUE;
    END IF;
    IF c_version[c] <> i_version[i] THEN
      v_verdict[i] := 'stale';
      CONTINUE;
    END IF;

    is_atm := i_type[i] = 'Atm';
    -- A counter of an earlier period counts as zero.
    IF c_week[c] < i_week[i] THEN c_week[c] := i_week[i]; c_week_spent[c] := 0; END IF;
    IF c_day[c] < i_day[i] THEN c_day[c] := i_day[i]; c_day_spent[c] := 0; END IF;
    IF c_month[c] < i_month[i] THEN c_month[c] := i_month[i]; c_month_spent[c] := 0; END IF;

    why := CASE
      WHEN known_no[i] IS NOT NULL THEN 'duplicate'
      WHEN c_merchant_status[c] <> 'Active' THEN 'merchant_disabled'
      WHEN c_status[c] = 'Frozen' THEN 'card_frozen'
      WHEN c_status[c] <> 'Activated' THEN 'card_not_active'
      WHEN i_preset[i] <> '' THEN i_preset[i]
      WHEN i_amount[i] > i_limit[i] THEN 'limit_per_purchase'
      WHEN c_week_spent[c] + i_amount[i] > i_limit_week[i] THEN 'limit_week'
      WHEN is_atm AND c_day_spent[c] + i_amount[i] > i_limit_atm_day[i] THEN 'limit_atm_day'
      WHEN is_atm AND c_month_spent[c] + i_amount[i] > i_limit_atm_month[i] THEN 'limit_atm_month'
      WHEN i_credit[i] > 0 AND available[i_credit[i]] < i_credit_total[i] THEN 'insufficient_credit'
      WHEN available[i_reserve[i]] < i_reserve_total[i] THEN 'insufficient_reserve'
      ELSE ''
    END;

    IF why <> '' THEN
      v_verdict[i] := 'declined'; v_reason[i] := why; v_status[i] := 'Fail';
    ELSE
      c_touched[c] := true;
      c_week_spent[c] := c_week_spent[c] + i_amount[i];
      IF is_atm THEN
        c_day_spent[c] := c_day_spent[c] + i_amount[i];
        c_month_spent[c] := c_month_spent[c] + i_amount[i];
      END IF;
      lines := 0;
      IF i_credit_total[i] > 0 OR i_reserve_total[i] > 0 THEN
        held := held + 1;
        h_item := h_item || i;
        IF i_credit_total[i] > 0 THEN
          available[i_credit[i]] := available[i_credit[i]] - i_credit_total[i];
          lines := 1;
          h_index := h_index || held; h_line := h_line || lines; h_account := h_account || a_account[i_credit[i]];
          h_amount := h_amount || i_credit_total[i];
        END IF;
        IF i_reserve_total[i] > 0 THEN
          available[i_reserve[i]] := available[i_reserve[i]] - i_reserve_total[i];
          lines := (lines + 1)::smallint;
          h_index := h_index || held; h_line := h_line || lines; h_account := h_account || a_account[i_reserve[i]];
          h_amount := h_amount || i_reserve_total[i];
        END IF;
      END IF;
      -- Nothing will clear an account verification (amount zero): it is over when it is answered, and nobody is asked.
      v_verdict[i] := CASE WHEN i_asks[i] AND lines > 0 THEN 'asking' ELSE 'approved' END;
      v_status[i] := CASE WHEN lines > 0 THEN 'Pending' ELSE 'Success' END;
    END IF;
    IF v_verdict[i] <> 'asking' THEN
      c_touched[c] := true;
      c_sequence[c] := c_sequence[c] + 1;
      v_sequence[i] := c_sequence[c];
    END IF;
  END LOOP;

  INSERT INTO consumption (merchant_id, consume_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows, credit_total,
    reserve_total, local_amount, local_currency, remark, detail, merchant_name, merchant_mcc, merchant_city, merchant_country,
    network_reference, hold_id, created_at, changed_at)
  SELECT c_merchant[i_card[i]], i_consume_no[i], c_card[i_card[i]], c_holder[i_card[i]], i_type[i], v_status[i],
    CASE WHEN v_verdict[i] = 'asking' THEN 'asking' WHEN v_status[i] = 'Pending' THEN 'held' ELSE 'done' END,
    i_amount[i], CASE WHEN v_status[i] = 'Fail' THEN 0 ELSE i_fee[i] END, CASE WHEN v_status[i] = 'Fail' THEN '[]' ELSE i_fee_rows[i] END::jsonb,
    CASE WHEN v_status[i] = 'Fail' THEN 0 ELSE i_credit_total[i] END, CASE WHEN v_status[i] = 'Fail' THEN 0 ELSE i_reserve_total[i] END,
    i_local_amount[i], i_local_currency[i], v_reason[i],
    CASE WHEN v_status[i] = 'Fail' THEN coalesce(decline_detail[array_position(decline_reason, v_reason[i])], '') ELSE '' END,
    i_name[i], i_mcc[i], i_city[i], i_country[i],
    -- The reference stays with the consumption that had it first.
    CASE WHEN known_no[i] IS NULL THEN i_network_reference[i] ELSE '' END,
    CASE WHEN v_status[i] = 'Pending' THEN i_hold[i] END, i_at[i], i_at[i]
  FROM generate_series(1, n) AS i
  WHERE v_verdict[i] NOT IN ('repeat', 'stale');

  IF held > 0 THEN
    PERFORM ledger.hold(
      (SELECT array_agg(c_merchant[i_card[x]] ORDER BY o) FROM unnest(h_item) WITH ORDINALITY AS u (x, o)),
      (SELECT array_agg(i_hold[x] ORDER BY o) FROM unnest(h_item) WITH ORDINALITY AS u (x, o)),
      (SELECT array_agg(i_consume_no[x] ORDER BY o) FROM unnest(h_item) WITH ORDINALITY AS u (x, o)),
      (SELECT array_agg(i_at[x] ORDER BY o) FROM unnest(h_item) WITH ORDINALITY AS u (x, o)),
      (SELECT array_agg(i_hold_until[x] ORDER BY o) FROM unnest(h_item) WITH ORDINALITY AS u (x, o)),
      h_index, h_line, h_account, h_amount);
  END IF;

  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
  SELECT c_merchant[i_card[i]], i_callback[i], c_card[i_card[i]], v_sequence[i], 'Consumption', i_consume_no[i],
    i_head[i] || CASE WHEN v_status[i] = 'Fail' THEN decline_fragment[array_position(decline_reason, v_reason[i])] ELSE i_approved[i] END
      || i_tail[i] || ',"status":"' || v_status[i] || '","time":' || i_at[i] || '}', i_at[i], i_at[i]
  FROM generate_series(1, n) AS i
  WHERE v_sequence[i] IS NOT NULL;

  UPDATE card k
  SET week_start = u.week, week_spent = u.week_spent, atm_day = u.day, atm_day_spent = u.day_spent, atm_month = u.month,
      atm_month_spent = u.month_spent, callback_sequence = u.sequence
  FROM unnest(c_merchant, c_card, c_touched, c_week, c_week_spent, c_day, c_day_spent, c_month, c_month_spent, c_sequence)
    AS u (m, o, touched, week, week_spent, day, day_spent, month, month_spent, sequence)
  WHERE u.touched AND k.merchant_id = u.m AND k.card_no = u.o;

  RETURN QUERY
  SELECT v_verdict[i], v_reason[i], v_no[i], v_status[i], CASE WHEN v_verdict[i] = 'repeat' THEN known_partial[i] END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_word[i] ELSE '' END
  FROM generate_series(1, n) AS i;
END $$;

-- Ends a stage of authorizations that hold money. p_stage 'asking' is the second step of one that was put to the merchant, 'held'
-- the end of one that was approved.
--
-- i_outcome: 'approved' keeps the hold, until i_hold_until; i_keep, when given, lowers amount and hold to what the merchant approved
-- of it. 'refused' gives the hold back (p_void_kind), with what it took from the limits, and the consumption fails with i_remark;
-- i_word is the merchant's own reason.
-- 'failed' means that the merchant gave no answer: its own policy decides. 'stand_in' approves within its limits (per purchase, per
-- card and day, per day), which are counted here under lock; otherwise it is refused.
--
-- i_data is the finished data of the callback, i_stand_in_data the one for a stand-in approval; i_due_at is when the push may go.
-- A consumption that is not in that stage any more is left as it is: its row says concluded = false and the present state.
CREATE FUNCTION authorization_conclude(
  i_merchant integer[], i_card text[], i_consume_no text[], i_outcome text[], i_remark text[], i_detail text[],
  i_keep_amount bigint[], i_keep_fee bigint[], i_keep_fee_rows text[], i_keep_reserve bigint[], i_keep_local text[], i_word text[],
  i_week integer[], i_day integer[], i_month integer[],
  i_transaction uuid[], i_callback uuid[], i_data text[], i_stand_in_data text[], i_due_at bigint[], i_hold_until bigint[],
  p_stand_in_detail text, p_stage text, p_void_kind text, p_at bigint
) RETURNS TABLE (concluded boolean, consumption_status text, remark text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(i_card);
  v_approved boolean[] := (SELECT array_agg(o = 'approved' ORDER BY x) FROM unnest(i_outcome) WITH ORDINALITY AS u (o, x));
  v_stands_in boolean[] := array_fill(false, ARRAY[cardinality(i_card)]);
  v_at integer[]; v_hold uuid[]; v_amount bigint[]; v_atm boolean[];
  candidate record;
BEGIN
  -- Cards first, then the merchants' stand-in counters, then the accounts (inside the ledger): the order that every writer keeps.
  PERFORM 1 FROM card k
  WHERE (k.merchant_id, k.card_no) IN (SELECT u.m, u.o FROM unnest(i_merchant, i_card) AS u (m, o))
  ORDER BY k.merchant_id, k.card_no
  FOR NO KEY UPDATE;

  IF 'failed' = ANY (i_outcome) THEN
    FOR candidate IN
      SELECT u.i::integer AS i, m.merchant_id, p.amount, m.stand_in_card_day_max, m.stand_in_day_max
      FROM unnest(i_merchant, i_consume_no, i_outcome) WITH ORDINALITY AS u (m, o, outcome, i)
      JOIN merchant m ON m.merchant_id = u.m
      JOIN consumption p ON p.merchant_id = u.m AND p.consume_no = u.o
      WHERE u.outcome = 'failed' AND m.failure_policy = 'stand_in' AND p.stage = p_stage AND p.amount <= m.stand_in_purchase_max
      ORDER BY m.merchant_id, i
    LOOP
      UPDATE card k
      SET stand_in_day = i_day[candidate.i],
          stand_in_spent = CASE WHEN k.stand_in_day = i_day[candidate.i] THEN k.stand_in_spent ELSE 0 END + candidate.amount
      WHERE k.merchant_id = candidate.merchant_id AND k.card_no = i_card[candidate.i]
        AND CASE WHEN k.stand_in_day = i_day[candidate.i] THEN k.stand_in_spent ELSE 0 END + candidate.amount
          <= candidate.stand_in_card_day_max;
      CONTINUE WHEN NOT FOUND;
      INSERT INTO merchant_stand_in AS s (merchant_id, day, spent)
      SELECT candidate.merchant_id, i_day[candidate.i], candidate.amount WHERE candidate.amount <= candidate.stand_in_day_max
      ON CONFLICT (merchant_id, day) DO UPDATE SET spent = s.spent + EXCLUDED.spent
      WHERE s.spent + EXCLUDED.spent <= candidate.stand_in_day_max;
      IF FOUND THEN
        v_approved[candidate.i] := true;
        v_stands_in[candidate.i] := true;
      ELSE
        UPDATE card k SET stand_in_spent = k.stand_in_spent - candidate.amount
        WHERE k.merchant_id = candidate.merchant_id AND k.card_no = i_card[candidate.i];
      END IF;
    END LOOP;
  END IF;

  WITH ended AS (
    UPDATE consumption p
    SET status = CASE WHEN v_approved[i] THEN 'Pending' ELSE 'Fail' END,
        stage = CASE WHEN v_approved[i] THEN 'held' ELSE 'done' END,
        remark = CASE WHEN v_stands_in[i] THEN 'stand_in' ELSE i_remark[i] END,
        detail = CASE WHEN v_stands_in[i] THEN p_stand_in_detail ELSE i_detail[i] END, changed_at = p_at,
        amount = coalesce(i_keep_amount[i], p.amount),
        local_amount = coalesce(i_keep_local[i], p.local_amount),
        requested_local_amount = CASE WHEN i_keep_local[i] IS NOT NULL THEN p.local_amount ELSE p.requested_local_amount END,
        merchant_reason = i_word[i],
        fee = CASE WHEN v_approved[i] THEN coalesce(i_keep_fee[i], p.fee) ELSE 0 END,
        fee_rows = CASE WHEN v_approved[i] THEN coalesce(i_keep_fee_rows[i]::jsonb, p.fee_rows) ELSE '[]' END,
        credit_total = CASE WHEN v_approved[i] THEN p.credit_total ELSE 0 END,
        reserve_total = CASE WHEN v_approved[i] THEN coalesce(i_keep_reserve[i], p.reserve_total) ELSE 0 END
    FROM (SELECT m, o, x::integer AS i FROM unnest(i_merchant, i_consume_no) WITH ORDINALITY AS u (m, o, x)) u
    JOIN consumption old ON old.merchant_id = u.m AND old.consume_no = u.o
    WHERE p.merchant_id = u.m AND p.consume_no = u.o AND p.stage = p_stage
    RETURNING i, p.hold_id, old.amount - CASE WHEN v_approved[i] THEN p.amount ELSE 0 END AS back, p.type = 'Atm' AS atm
  )
  SELECT array_agg(i ORDER BY i), array_agg(hold_id ORDER BY i), array_agg(back ORDER BY i), array_agg(atm ORDER BY i)
  INTO v_at, v_hold, v_amount, v_atm
  FROM ended;

  IF v_at IS NOT NULL THEN
    PERFORM ledger.extend_holds(array_agg(i_merchant[i]), array_agg(v_hold[x]), array_agg(i_hold_until[i]))
    FROM unnest(v_at) WITH ORDINALITY AS u (i, x) WHERE v_approved[i] HAVING count(*) > 0;
    PERFORM ledger.lower_holds(array_agg(i_merchant[i]), array_agg(v_hold[x]), array_agg(1::smallint), array_agg(i_keep_reserve[i]),
      array_agg(i_transaction[i]), p_at)
    FROM unnest(v_at) WITH ORDINALITY AS u (i, x) WHERE v_approved[i] AND i_keep_reserve[i] IS NOT NULL HAVING count(*) > 0;
    PERFORM ledger.void(p_void_kind, array_agg(i_merchant[i]), array_agg(v_hold[x]), array_agg(i_transaction[i]), p_at)
    FROM unnest(v_at) WITH ORDINALITY AS u (i, x) WHERE NOT v_approved[i] HAVING count(*) > 0;

    WITH numbered AS (
      SELECT i, x, i_merchant[i] AS merchant_id, i_card[i] AS card_no, row_number() OVER (PARTITION BY i_merchant[i], i_card[i] ORDER BY i) AS o
      FROM unnest(v_at) WITH ORDINALITY AS u (i, x)
    ), pushed AS (
      INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, consume_no, created_at, due_at)
      SELECT k.merchant_id, i_callback[i], k.card_no, k.callback_sequence + o, 'Consumption',
        CASE WHEN v_stands_in[i] THEN i_stand_in_data[i] ELSE i_data[i] END, i_consume_no[i], p_at, i_due_at[i]
      FROM numbered JOIN card k USING (merchant_id, card_no)
    )
    UPDATE card k
    SET callback_sequence = k.callback_sequence + g.pushes,
        week_spent = k.week_spent - g.week_back,
        atm_day_spent = k.atm_day_spent - g.day_back,
        atm_month_spent = k.atm_month_spent - g.month_back
    FROM (
      -- Each amount goes back to the period it was counted in, if that is still the card's present one.
      SELECT merchant_id, card_no, count(*) AS pushes,
             coalesce(sum(v_amount[x]) FILTER (WHERE o.week_start = i_week[i]), 0) AS week_back,
             coalesce(sum(v_amount[x]) FILTER (WHERE v_atm[x] AND o.atm_day = i_day[i]), 0) AS day_back,
             coalesce(sum(v_amount[x]) FILTER (WHERE v_atm[x] AND o.atm_month = i_month[i]), 0) AS month_back
      FROM numbered JOIN card o USING (merchant_id, card_no) GROUP BY merchant_id, card_no
    ) g
    WHERE k.merchant_id = g.merchant_id AND k.card_no = g.card_no;
  END IF;

  RETURN QUERY
  SELECT coalesce(u.i = ANY (v_at), false), p.status, p.remark
  FROM (SELECT m, o, x::integer AS i FROM unnest(i_merchant, i_consume_no) WITH ORDINALITY AS u (m, o, x)) u
  JOIN consumption p ON p.merchant_id = u.m AND p.consume_no = u.o
  ORDER BY u.i;
END $$;
