-- The decision, the end of a question and the hold, once more: the same rules, fewer steps.
--
-- A batch of a few purchases cost as much as its statement, not as its purchases: Postgres readies every expression of a function anew in
-- each transaction (about 1.5 µs each) and every statement inside it (20 µs and more). So what is known of a card is one value that is
-- walked with instead of fifteen arrays, arrays begin as NULL, and what is written is one statement for the room and one for the ledger.

-- Opens holds. One hold is one transaction, with a line on one account or on two. The accounts must be locked before (lock_accounts):
-- the decision has looked at them. t_… are the holds; t_first and t_second point to the accounts m_… by 1-based indexes, with what is
-- held on each. An amount that is zero or NULL makes no line, and a hold without a line is not opened. m_currency is what the
-- caller takes the accounts' currencies for; one that is not so fails the call.
DROP FUNCTION ledger.hold(integer[], uuid[], text[], bigint[], bigint[], smallint[], integer[], uuid[], integer[], smallint[], integer[], bigint[]);
CREATE FUNCTION ledger.hold(
  t_merchant integer[], t_id uuid[], t_reference text[], t_at bigint[], t_expires_at bigint[],
  t_first integer[], t_first_amount bigint[], t_second integer[], t_second_amount bigint[],
  m_merchant integer[], m_account uuid[], m_currency text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  complete boolean;
BEGIN
  -- Not through ledger.write, which must look up the currency of both sides of each line: here both are the account that is being
  -- moved, and moving it is what checks its currency.
  WITH entry AS (
    -- By subscripts and not by unnest, which would not mind where an array begins.
    SELECT t, 1 AS line, t_first[t] AS i, t_first_amount[t] AS x FROM generate_series(1, cardinality(t_id)) AS t WHERE t_first_amount[t] > 0
    UNION ALL
    SELECT t, CASE WHEN t_first_amount[t] > 0 THEN 2 ELSE 1 END, t_second[t], t_second_amount[t]
    FROM generate_series(1, cardinality(t_id)) AS t WHERE t_second_amount[t] > 0
  ), moved AS (
    UPDATE account a SET available = a.available - m.amount, held = a.held + m.amount
    FROM (SELECT i, sum(x)::bigint AS amount, count(*) AS entries FROM entry WHERE m_merchant[i] = t_merchant[t] GROUP BY i) m
    WHERE a.merchant_id = m_merchant[m.i] AND a.account_id = m_account[m.i] AND a.currency = m_currency[m.i]
    RETURNING m.entries
  ), posted AS (
    INSERT INTO posting
    SELECT t_merchant[t], t_id[t], line, m_account[i], false, m_account[i], true, x, m_currency[i] FROM entry
  ), opened AS (
    INSERT INTO transaction
    SELECT t_merchant[t], t_id[t], 'hold', t_reference[t], CASE WHEN t_first_amount[t] > 0 AND t_second_amount[t] > 0 THEN 2 ELSE 1 END, t_at[t]
    FROM generate_series(1, cardinality(t_id)) AS t WHERE t_first_amount[t] > 0 OR t_second_amount[t] > 0
  ), kept AS (
    INSERT INTO hold (merchant_id, hold_id, line, account_id, amount, reference, expires_at)
    SELECT t_merchant[t], t_id[t], line, m_account[i], x, t_reference[t], t_expires_at[t] FROM entry
  )
  SELECT coalesce((SELECT sum(entries) FROM moved), 0) = (SELECT count(*) FROM entry) INTO complete;
  IF NOT complete THEN
    RAISE EXCEPTION 'ledger: a hold names an unknown account' USING ERRCODE = 'check_violation';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger.force_hold(
  p_merchant integer, p_hold uuid, p_reference text, p_at bigint, p_expires_at bigint, p_account uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  currencies text[];
BEGIN
  IF cardinality(p_account) > 2 THEN
    RAISE EXCEPTION 'ledger: a hold has at most two lines' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM 1 FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account)
  ORDER BY a.merchant_id, a.account_id FOR NO KEY UPDATE;
  PERFORM ledger.allow_overdraft(p_merchant, p_account, p_amount);
  SELECT array_agg((SELECT a.currency FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = u.i) ORDER BY u.n)
  INTO currencies FROM unnest(p_account) WITH ORDINALITY AS u (i, n);
  PERFORM ledger.hold(ARRAY[p_merchant], ARRAY[p_hold], ARRAY[p_reference], ARRAY[p_at], ARRAY[p_expires_at],
    ARRAY[1], ARRAY[p_amount[1]], ARRAY[2], ARRAY[p_amount[2]],
    array_fill(p_merchant, ARRAY[cardinality(p_account)]), p_account, currencies);
  -- ledger.hold moves without looking at overdrafts: what was allowed and not needed ends here.
  UPDATE account a SET overdraft = greatest(0, least(a.overdraft, a.floor - a.available))
  WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account) AND a.overdraft > 0;
END $$;

REVOKE ALL ON FUNCTION ledger.hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.hold TO cardwright_app;

-- A card as the decision and the end of a question walk with it: read and locked once, written once. touched: it is to be written.
CREATE TYPE walked_card AS (
  merchant_id integer, card_no text, status text, version integer, cardholder_no text, merchant_status text, callback_sequence bigint,
  week_start integer, week_spent bigint, atm_day integer, atm_day_spent bigint, atm_month integer, atm_month_spent bigint,
  small_used integer, small_period integer, small_cost_used integer, small_cost_period integer, touched boolean
);

-- The decision. One call decides a batch of authorizations: it locks their cards and accounts in key order, walks through the
-- items in their order of arrival with exact running balances (a prefix-sum query would decline wrongly behind a large
-- declined item), and writes consumptions, holds and callbacks, each kind at once.
--
-- c_… are the distinct cards, a_… the distinct accounts, both sorted by key; i_… are the items, which point into them with
-- 1-based indexes (0: none). i_preset is a refusal that the caller has found already ('' for none); it yields to the card's
-- status, which only the locked row can tell. d_… are constants of the build: for each reason its sentence, the middle of the
-- callback's data, and whether a decline for it may cost a fee ('t'); each is one text, separated by U+001F, and read only when there
-- is a decline.
--
-- Totals and fees are those with the small-transaction fee. s_… tell what is free of it, on the cardholder's side (s_fee…) and the
-- reserve's (s_cost…): the amount, how many are free in a period and the period's number; and s_rows, s_middle, what is shown where
-- it is free. x_… are the rate of exchange. Arrays of things that no item of the batch has are empty: an index beyond the end is NULL.
--
-- Answers one row per item: verdict 'approved', 'asking' (the hold stands, the merchant is to be asked), 'declined' with its
-- reason, 'stale' (the card changed since the caller read it: nothing was written) or 'repeat' (the network's reference is
-- known: the consumption's present state, 'Asking' while its merchant is being asked; nothing was written). A known reference with
-- another card, type or amount is no repeat: it is declined as 'duplicate'. One whose reversal came first is declined as 'reversed'.
-- small_cost tells how the reserve's small-transaction fee was decided, for the caller that words what comes of the question.
--
-- force_generic_plan: the planner thinks that it saves by planning each call anew for its arrays, and is wrong. Plans are made once per
-- connection and must not depend on what the tables held at that moment, so they walk indexes, always.
DROP FUNCTION authorization_decide;
CREATE FUNCTION authorization_decide(
  c_merchant integer[], c_card text[],
  a_merchant integer[], a_account uuid[], a_currency text[],
  i_merchant integer[], i_card integer[], i_version integer[], i_credit integer[], i_reserve integer[],
  i_consume_no text[], i_network_reference text[], i_type text[], i_asks boolean[], i_preset text[],
  i_amount bigint[], i_credit_total bigint[], i_reserve_total bigint[], i_fee bigint[], i_fee_rows text[],
  i_limit bigint[], i_limit_week bigint[], i_limit_atm_day bigint[], i_limit_atm_month bigint[],
  i_week integer[], i_day integer[], i_month integer[],
  i_local_amount text[], i_local_currency text[], i_name text[], i_mcc text[], i_city text[], i_country text[],
  i_hold uuid[], i_callback uuid[], i_head text[], i_approved text[], i_tail text[],
  i_at bigint[], i_hold_until bigint[],
  i_relate text[], i_wallet boolean[], i_recurring boolean[], i_decline_fee boolean[],
  s_fee bigint[], s_fee_max integer[], s_fee_period integer[], s_cost bigint[], s_cost_max integer[], s_cost_period integer[],
  s_rows text[], s_middle text[],
  x_rate text[], x_source text[], x_at bigint[],
  d_reason text, d_detail text, d_middle text, d_charged text
) RETURNS TABLE (verdict text, reason text, consume_no text, consumption_status text, partial_amount bigint, merchant_reason text, small_cost text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(i_card);
  cards walked_card[];
  k walked_card;
  available bigint[];
  found record;
  -- By item, NULL where its reference is new: items of different merchants may carry the same reference.
  known_no text[]; known_status text[]; known_remark text[]; known_same boolean[]; known_partial bigint[]; known_word text[];
  known_reversed boolean[]; known_cost text[];
  -- By item. 'verified' is an approval that holds nothing. v_credit, v_reserve: what is held, NULL where nothing is.
  v_verdict text[]; v_reason text[]; v_sequence bigint[]; v_credit bigint[]; v_reserve bigint[]; v_small text[]; v_cost text[];
  why text; credit bigint; reserve bigint; holds boolean;
  r_reason text[]; r_detail text[]; r_middle text[]; r_charged text[];
BEGIN
  -- The subquery is sorted, so the aggregate need not sort; a join with merchant could undo the order.
  SELECT array_agg(l::walked_card) INTO cards
  FROM (
    SELECT c.merchant_id, c.card_no, c.status::text, c.version, c.cardholder_no,
           (SELECT m.status FROM merchant m WHERE m.merchant_id = c.merchant_id), c.callback_sequence, c.week_start, c.week_spent,
           c.atm_day, c.atm_day_spent, c.atm_month, c.atm_month_spent, c.small_used, c.small_period, c.small_cost_used,
           c.small_cost_period, false
    FROM card c
    WHERE (c.merchant_id, c.card_no) IN (SELECT u.m, u.o FROM unnest(c_merchant, c_card) AS u (m, o))
    ORDER BY c.merchant_id, c.card_no
    FOR NO KEY UPDATE
  ) l;
  IF coalesce(cardinality(cards), 0) <> cardinality(c_card) THEN
    RAISE EXCEPTION 'authorization: a card does not exist' USING ERRCODE = 'no_data_found';
  END IF;
  available := ledger.lock_accounts(a_merchant, a_account);

  -- After the cards' locks, so that a repeat that raced with the first message sees what it wrote, and a reversal that raced with its
  -- authorization is seen by it. Mostly nothing is found.
  FOR found IN
    SELECT u.i::integer AS i, false AS is_early_reversal, p.consume_no, CASE p.stage WHEN 'asking' THEN 'Asking' ELSE p.status END AS status,
           -- Not EXISTS, which may be planned as a walk through all reversals: a repeat of what was declined because its reversal came first.
           CASE WHEN p.remark = 'reversed' AND (
               SELECT true FROM network_message e
               WHERE e.merchant_id = p.merchant_id AND e.original_reference = u.r AND e.original_reference <> '' AND e.kind = 'reversal'
                 AND e.consume_no = p.consume_no AND e.effect = 'stored' LIMIT 1)
             THEN 'duplicate' ELSE p.remark END AS remark,
           p.card_no = c_card[i_card[u.i]] AND p.type = i_type[u.i] AND p.local_currency = i_local_currency[u.i]
             AND coalesce(p.requested_local_amount, p.authorized_local_amount, p.local_amount) = i_local_amount[u.i] AS same,
           CASE WHEN p.requested_local_amount IS NOT NULL THEN coalesce(p.authorized_amount, p.amount::bigint) END AS partial,
           p.merchant_reason, p.small_cost
    FROM unnest(i_merchant, i_network_reference) WITH ORDINALITY AS u (m, r, i)
    JOIN consumption p ON p.merchant_id = u.m AND p.network_reference = u.r AND p.network_reference <> ''
    UNION ALL
    -- Any number of reversals may have come first.
    SELECT u.i::integer, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(i_merchant, i_network_reference) WITH ORDINALITY AS u (m, r, i)
    JOIN network_message e ON e.merchant_id = u.m AND e.original_reference = u.r AND e.kind = 'reversal' AND e.consume_no = ''
  LOOP
    IF found.is_early_reversal THEN
      known_reversed[found.i] := true;
      CONTINUE;
    END IF;
    known_no[found.i] := found.consume_no; known_status[found.i] := found.status; known_remark[found.i] := found.remark;
    known_same[found.i] := found.same; known_partial[found.i] := found.partial; known_word[found.i] := found.merchant_reason;
    known_cost[found.i] := found.small_cost;
  END LOOP;

  FOR i IN 1 .. n LOOP
    IF known_same[i] THEN
      v_verdict[i] := 'repeat';
      CONTINUE;
    END IF;
    k := cards[i_card[i]];
    IF k.version <> i_version[i] THEN
      v_verdict[i] := 'stale';
      CONTINUE;
    END IF;

    -- A counter of an earlier period counts as zero.
    IF k.week_start < i_week[i] OR k.atm_day < i_day[i] OR k.atm_month < i_month[i] THEN
      IF k.week_start < i_week[i] THEN k.week_start := i_week[i]; k.week_spent := 0; END IF;
      IF k.atm_day < i_day[i] THEN k.atm_day := i_day[i]; k.atm_day_spent := 0; END IF;
      IF k.atm_month < i_month[i] THEN k.atm_month := i_month[i]; k.atm_month_spent := 0; END IF;
    END IF;
    credit := i_credit_total[i];
    reserve := i_reserve_total[i];
    IF s_fee[i] > 0 OR s_cost[i] > 0 THEN
      IF s_fee[i] > 0 THEN
        IF k.small_period < s_fee_period[i] THEN k.small_period := s_fee_period[i]; k.small_used := 0; END IF;
        v_small[i] := CASE WHEN k.small_used < s_fee_max[i] THEN 'free' ELSE 'charged' END;
        IF v_small[i] = 'free' THEN credit := credit - s_fee[i]; END IF;
      END IF;
      IF s_cost[i] > 0 THEN
        IF k.small_cost_period < s_cost_period[i] THEN k.small_cost_period := s_cost_period[i]; k.small_cost_used := 0; END IF;
        v_cost[i] := CASE WHEN k.small_cost_used < s_cost_max[i] THEN 'free' ELSE 'charged' END;
        IF v_cost[i] = 'free' THEN reserve := reserve - s_cost[i]; END IF;
      END IF;
    END IF;

    why := CASE
      WHEN known_no[i] IS NOT NULL THEN 'duplicate'
      WHEN known_reversed[i] THEN 'reversed'
      WHEN k.merchant_status <> 'Active' THEN 'merchant_disabled'
      WHEN k.status = 'Frozen' AND i_type[i] <> 'Refund' THEN 'card_frozen'
      WHEN k.status <> 'Activated' AND NOT (i_type[i] = 'Refund' AND k.status = 'Frozen') THEN 'card_not_active'
      WHEN i_preset[i] <> '' THEN i_preset[i]
      WHEN i_type[i] = 'Refund' THEN ''
      WHEN i_amount[i] > i_limit[i] THEN 'limit_per_purchase'
      WHEN k.week_spent + i_amount[i] > i_limit_week[i] THEN 'limit_week'
      WHEN i_type[i] = 'Atm' AND k.atm_day_spent + i_amount[i] > i_limit_atm_day[i] THEN 'limit_atm_day'
      WHEN i_type[i] = 'Atm' AND k.atm_month_spent + i_amount[i] > i_limit_atm_month[i] THEN 'limit_atm_month'
      WHEN i_credit[i] > 0 AND available[i_credit[i]] < credit THEN 'insufficient_credit'
      WHEN available[i_reserve[i]] < reserve THEN 'insufficient_reserve'
      ELSE ''
    END;

    IF why <> '' THEN
      v_verdict[i] := 'declined';
      v_reason[i] := why;
    ELSIF i_type[i] = 'Refund' THEN
      -- Nothing is held for money that is to come.
      v_verdict[i] := 'approved';
    ELSE
      k.week_spent := k.week_spent + i_amount[i];
      IF i_type[i] = 'Atm' THEN
        k.atm_day_spent := k.atm_day_spent + i_amount[i];
        k.atm_month_spent := k.atm_month_spent + i_amount[i];
      END IF;
      IF v_small[i] = 'free' OR v_cost[i] = 'free' THEN
        IF v_small[i] = 'free' THEN k.small_used := k.small_used + 1; END IF;
        IF v_cost[i] = 'free' THEN k.small_cost_used := k.small_cost_used + 1; END IF;
      END IF;
      IF credit > 0 THEN
        available[i_credit[i]] := available[i_credit[i]] - credit;
        v_credit[i] := credit;
      END IF;
      IF reserve > 0 THEN
        available[i_reserve[i]] := available[i_reserve[i]] - reserve;
        v_reserve[i] := reserve;
      END IF;
      -- Nothing will clear an account verification (amount zero): it is over when it is answered, and nobody is asked.
      v_verdict[i] := CASE WHEN credit <= 0 AND reserve <= 0 THEN 'verified' WHEN i_asks[i] THEN 'asking' ELSE 'approved' END;
    END IF;
    IF v_verdict[i] <> 'asking' THEN
      k.callback_sequence := k.callback_sequence + 1;
      v_sequence[i] := k.callback_sequence;
    END IF;
    k.touched := true;
    cards[i_card[i]] := k;
  END LOOP;

  IF v_reason IS NOT NULL THEN
    r_reason := string_to_array(d_reason, E'\x1f'); r_detail := string_to_array(d_detail, E'\x1f');
    r_middle := string_to_array(d_middle, E'\x1f'); r_charged := string_to_array(d_charged, E'\x1f');
  END IF;
  -- Without items at all it is a warm-up: the statements run on nothing and are planned by it.
  holds := v_credit IS NOT NULL OR v_reserve IS NOT NULL;
  IF holds OR n = 0 THEN
    PERFORM ledger.hold(i_merchant, i_hold, i_consume_no, i_at, i_hold_until, i_credit, v_credit, i_reserve, v_reserve, a_merchant, a_account, a_currency);
  END IF;
  IF holds OR v_sequence IS NOT NULL OR n = 0 THEN
    WITH item AS (
      SELECT i, i_card[i] AS c, v_verdict[i] AS verdict, array_position(r_reason, v_reason[i]) AS place,
        CASE v_verdict[i] WHEN 'declined' THEN 'Fail' WHEN 'verified' THEN 'Success' ELSE 'Pending' END AS status,
        -- What is shown to the merchant is the cardholder's side where there is one.
        CASE WHEN v_verdict[i] = 'declined' THEN false WHEN i_credit[i] > 0 THEN v_small[i] = 'free' ELSE v_cost[i] = 'free' END AS shown_free
      FROM generate_series(1, n) AS i
      WHERE v_verdict[i] <> 'repeat' AND v_verdict[i] <> 'stale'
    ), consumed AS (
      INSERT INTO consumption (merchant_id, consume_no, consume_relate_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows,
        credit_total, reserve_total, local_amount, local_currency, remark, detail, merchant_name, merchant_mcc, merchant_city,
        merchant_country, network_reference, hold_id, exchange_rate, exchange_source, exchange_at, small_fee, small_cost, wallet, recurring,
        fee_due, created_at, changed_at)
      SELECT i_merchant[i], i_consume_no[i], coalesce(i_relate[i], ''), c_card[c], (cards[c]).cardholder_no, i_type[i], status,
        CASE WHEN verdict = 'asking' THEN 'asking' WHEN status = 'Pending' THEN 'held' ELSE 'done' END, i_amount[i],
        CASE WHEN verdict = 'declined' THEN 0 WHEN shown_free THEN i_fee[i] - CASE WHEN i_credit[i] > 0 THEN s_fee[i] ELSE s_cost[i] END
          ELSE i_fee[i] END,
        CASE WHEN verdict = 'declined' THEN '[]' WHEN shown_free THEN s_rows[i] ELSE i_fee_rows[i] END::jsonb,
        CASE WHEN verdict = 'declined' THEN 0 WHEN i_type[i] = 'Refund' THEN i_credit_total[i] ELSE coalesce(v_credit[i], 0) END,
        CASE WHEN verdict = 'declined' THEN 0 WHEN i_type[i] = 'Refund' THEN i_reserve_total[i] ELSE coalesce(v_reserve[i], 0) END,
        i_local_amount[i], i_local_currency[i], coalesce(v_reason[i], ''), coalesce(r_detail[place], ''),
        i_name[i], i_mcc[i], i_city[i], i_country[i],
        -- The reference stays with the consumption that had it first.
        CASE WHEN known_no[i] IS NULL THEN i_network_reference[i] ELSE '' END,
        CASE WHEN v_credit[i] > 0 OR v_reserve[i] > 0 THEN i_hold[i] END,
        coalesce(x_rate[i], ''), coalesce(x_source[i], ''), x_at[i],
        CASE WHEN verdict = 'declined' THEN 'open' ELSE coalesce(v_small[i], 'open') END,
        CASE WHEN verdict = 'declined' THEN 'open' ELSE coalesce(v_cost[i], 'open') END,
        coalesce(i_wallet[i], false), coalesce(i_recurring[i], false),
        CASE WHEN i_decline_fee[i] AND r_charged[place] = 't' THEN 'decline' ELSE '' END, i_at[i], i_at[i]
      FROM item
    ), pushed AS (
      INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
      SELECT i_merchant[i], i_callback[i], c_card[c], v_sequence[i], 'Consumption', i_consume_no[i],
        i_head[i] || CASE WHEN verdict = 'declined' THEN r_middle[place] WHEN shown_free THEN s_middle[i] ELSE i_approved[i] END
          || i_tail[i] || ',"status":"' || status || '","time":' || i_at[i] || '}', i_at[i], i_at[i]
      FROM item
      WHERE verdict <> 'asking'
    )
    UPDATE card o
    SET week_start = c.week_start, week_spent = c.week_spent, atm_day = c.atm_day, atm_day_spent = c.atm_day_spent, atm_month = c.atm_month,
        atm_month_spent = c.atm_month_spent, small_used = c.small_used, small_period = c.small_period, small_cost_used = c.small_cost_used,
        small_cost_period = c.small_cost_period, callback_sequence = c.callback_sequence
    FROM unnest(cards) AS c
    WHERE c.touched AND o.merchant_id = c.merchant_id AND o.card_no = c.card_no;

    IF known_reversed IS NOT NULL THEN
      UPDATE network_message e SET consume_no = i_consume_no[w.i]
      FROM generate_series(1, n) AS w (i)
      WHERE v_reason[w.i] = 'reversed' AND e.merchant_id = i_merchant[w.i]
        AND e.original_reference = i_network_reference[w.i] AND e.kind = 'reversal' AND e.consume_no = '';
    END IF;
  END IF;

  RETURN QUERY
  SELECT CASE v_verdict[i] WHEN 'verified' THEN 'approved' ELSE v_verdict[i] END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_remark[i] ELSE coalesce(v_reason[i], '') END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_no[i] ELSE i_consume_no[i] END,
    CASE v_verdict[i] WHEN 'declined' THEN 'Fail' WHEN 'verified' THEN 'Success' WHEN 'repeat' THEN known_status[i] WHEN 'stale' THEN ''
      ELSE 'Pending' END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_partial[i] END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_word[i] ELSE '' END,
    CASE WHEN v_verdict[i] = 'repeat' THEN known_cost[i] ELSE coalesce(v_cost[i], 'open') END
  FROM generate_series(1, n) AS i;
END $$;

-- Ends the question of authorizations that were put to their merchant.
--
-- c_… are the distinct cards, sorted by key; i_… the items, which point to them. i_outcome: 'approved' keeps the hold; i_keep, when
-- given, lowers amount and hold to what the merchant approved of it. 'refused' gives the hold back (p_void_kind), with what it took from
-- the limits, and the consumption fails with i_remark; i_word is the merchant's own reason, i_fee_due whether a decline fee may be
-- charged for it. 'failed' means that the merchant gave no answer: its own policy decides. 'stand_in' approves within its limits (per
-- purchase, per card and day, per day), which are counted here under lock; otherwise it is refused.
--
-- i_data is the finished data of the callback, i_stand_in_data the one for a stand-in approval; i_due_at is when the push may go.
-- A consumption that is not being asked about any more is left as it is: its row says concluded = false and the present state.
DROP FUNCTION authorization_conclude;
CREATE FUNCTION authorization_conclude(
  c_merchant integer[], c_card text[],
  i_merchant integer[], i_card integer[], i_consume_no text[], i_outcome text[], i_remark text[], i_detail text[],
  i_keep_amount bigint[], i_keep_fee bigint[], i_keep_fee_rows text[], i_keep_reserve bigint[], i_keep_local text[], i_word text[],
  i_fee_due boolean[], i_week integer[], i_day integer[], i_month integer[],
  i_transaction uuid[], i_callback uuid[], i_data text[], i_stand_in_data text[],
  i_due_at bigint[], p_stand_in_detail text, p_void_kind text, p_at bigint
) RETURNS TABLE (concluded boolean, consumption_status text, remark text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  n constant integer := cardinality(i_card);
  cards walked_card[];
  k walked_card;
  candidate record;
  -- By item: NULL where there is nothing of the kind.
  v_stands_in boolean[]; v_status text[]; v_remark text[]; v_sequence bigint[];
  -- Holds to give back, and to lower.
  b_merchant integer[]; b_hold uuid[]; b_transaction uuid[];
  l_merchant integer[]; l_hold uuid[]; l_amount bigint[]; l_transaction uuid[];
  done integer := 0;
BEGIN
  -- Cards first, then the merchants' stand-in counters, then the accounts (inside the ledger): the order that every writer keeps.
  SELECT array_agg(l::walked_card) INTO cards
  FROM (
    SELECT c.merchant_id, c.card_no, c.status::text, c.version, c.cardholder_no, '', c.callback_sequence, c.week_start, c.week_spent,
           c.atm_day, c.atm_day_spent, c.atm_month, c.atm_month_spent, c.small_used, c.small_period, c.small_cost_used,
           c.small_cost_period, false
    FROM card c
    WHERE (c.merchant_id, c.card_no) IN (SELECT u.m, u.o FROM unnest(c_merchant, c_card) AS u (m, o))
    ORDER BY c.merchant_id, c.card_no
    FOR NO KEY UPDATE
  ) l;
  IF coalesce(cardinality(cards), 0) <> cardinality(c_card) THEN
    RAISE EXCEPTION 'authorization: a card does not exist' USING ERRCODE = 'no_data_found';
  END IF;

  IF 'failed' = ANY (i_outcome) THEN
    FOR candidate IN
      SELECT u.i::integer AS i, m.merchant_id, p.amount, m.stand_in_card_day_max, m.stand_in_day_max
      FROM unnest(i_merchant, i_consume_no, i_outcome) WITH ORDINALITY AS u (m, o, outcome, i)
      JOIN merchant m ON m.merchant_id = u.m
      JOIN consumption p ON p.merchant_id = u.m AND p.consume_no = u.o
      WHERE u.outcome = 'failed' AND m.failure_policy = 'stand_in' AND p.stage = 'asking' AND p.amount <= m.stand_in_purchase_max
      ORDER BY m.merchant_id, i
    LOOP
      UPDATE card o
      SET stand_in_day = i_day[candidate.i],
          stand_in_spent = CASE WHEN o.stand_in_day = i_day[candidate.i] THEN o.stand_in_spent ELSE 0 END + candidate.amount
      WHERE o.merchant_id = candidate.merchant_id AND o.card_no = c_card[i_card[candidate.i]]
        AND CASE WHEN o.stand_in_day = i_day[candidate.i] THEN o.stand_in_spent ELSE 0 END + candidate.amount
          <= candidate.stand_in_card_day_max;
      CONTINUE WHEN NOT FOUND;
      INSERT INTO merchant_stand_in AS s (merchant_id, day, spent)
      SELECT candidate.merchant_id, i_day[candidate.i], candidate.amount WHERE candidate.amount <= candidate.stand_in_day_max
      ON CONFLICT (merchant_id, day) DO UPDATE SET spent = s.spent + EXCLUDED.spent
      WHERE s.spent + EXCLUDED.spent <= candidate.stand_in_day_max;
      IF FOUND THEN
        v_stands_in[candidate.i] := true;
      ELSE
        UPDATE card o SET stand_in_spent = o.stand_in_spent - candidate.amount
        WHERE o.merchant_id = candidate.merchant_id AND o.card_no = c_card[i_card[candidate.i]];
      END IF;
    END LOOP;
  END IF;

  FOR candidate IN
    WITH item AS (
      SELECT i, i_merchant[i] AS merchant_id, i_consume_no[i] AS consume_no, coalesce(v_stands_in[i], false) AS stands_in,
        i_outcome[i] = 'approved' OR coalesce(v_stands_in[i], false) AS approved
      FROM generate_series(1, n) AS i
    ), ended AS (
      UPDATE consumption p
      SET status = CASE WHEN u.approved THEN 'Pending' ELSE 'Fail' END,
          stage = CASE WHEN u.approved THEN 'held' ELSE 'done' END,
          remark = CASE WHEN u.stands_in THEN 'stand_in' ELSE i_remark[u.i] END,
          detail = CASE WHEN u.stands_in THEN p_stand_in_detail ELSE i_detail[u.i] END, changed_at = p_at,
          amount = coalesce(i_keep_amount[u.i], p.amount),
          local_amount = coalesce(i_keep_local[u.i], p.local_amount),
          requested_local_amount = CASE WHEN i_keep_local[u.i] IS NOT NULL THEN p.local_amount ELSE p.requested_local_amount END,
          merchant_reason = i_word[u.i],
          fee = CASE WHEN u.approved THEN coalesce(i_keep_fee[u.i], p.fee) ELSE 0 END,
          fee_rows = CASE WHEN u.approved THEN coalesce(i_keep_fee_rows[u.i]::jsonb, p.fee_rows) ELSE '[]' END,
          credit_total = CASE WHEN u.approved THEN p.credit_total ELSE 0 END,
          reserve_total = CASE WHEN u.approved THEN coalesce(i_keep_reserve[u.i], p.reserve_total) ELSE 0 END,
          fee_due = CASE WHEN i_fee_due[u.i] AND NOT u.approved THEN 'decline' ELSE '' END
      FROM item u
      JOIN consumption old ON old.merchant_id = u.merchant_id AND old.consume_no = u.consume_no
      WHERE p.merchant_id = u.merchant_id AND p.consume_no = u.consume_no AND p.stage = 'asking'
      RETURNING u.i, u.approved, u.stands_in, u.merchant_id, p.hold_id, p.type = 'Atm' AS atm, p.status, p.remark,
        (old.amount - CASE WHEN u.approved THEN p.amount ELSE 0 END)::bigint AS back
    )
    SELECT * FROM ended ORDER BY i
  LOOP
    done := done + 1;
    v_status[candidate.i] := candidate.status;
    v_remark[candidate.i] := candidate.remark;
    k := cards[i_card[candidate.i]];
    k.callback_sequence := k.callback_sequence + 1;
    v_sequence[candidate.i] := k.callback_sequence;
    k.touched := true;
    IF candidate.back > 0 THEN
      -- It goes back to the period that it was counted in, if that is still the card's present one.
      IF k.week_start = i_week[candidate.i] THEN k.week_spent := k.week_spent - candidate.back; END IF;
      IF candidate.atm AND k.atm_day = i_day[candidate.i] THEN k.atm_day_spent := k.atm_day_spent - candidate.back; END IF;
      IF candidate.atm AND k.atm_month = i_month[candidate.i] THEN k.atm_month_spent := k.atm_month_spent - candidate.back; END IF;
    END IF;
    cards[i_card[candidate.i]] := k;
    IF NOT candidate.approved THEN
      b_merchant := b_merchant || candidate.merchant_id; b_hold := b_hold || candidate.hold_id;
      b_transaction := b_transaction || i_transaction[candidate.i];
    ELSIF i_keep_reserve[candidate.i] IS NOT NULL THEN
      l_merchant := l_merchant || candidate.merchant_id; l_hold := l_hold || candidate.hold_id;
      l_amount := l_amount || i_keep_reserve[candidate.i]; l_transaction := l_transaction || i_transaction[candidate.i];
    END IF;
  END LOOP;

  IF l_hold IS NOT NULL THEN
    PERFORM ledger.lower_holds(l_merchant, l_hold, array_fill(1::smallint, ARRAY[cardinality(l_hold)]), l_amount, l_transaction, p_at);
  END IF;
  IF b_hold IS NOT NULL THEN
    PERFORM ledger.void(p_void_kind, b_merchant, b_hold, b_transaction, p_at);
  END IF;
  -- Without items at all it is a warm-up: the statements run on nothing and are planned by it.
  IF done > 0 OR n = 0 THEN
    WITH pushed AS (
      INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
      SELECT i_merchant[i], i_callback[i], c_card[i_card[i]], v_sequence[i], 'Consumption', i_consume_no[i],
        CASE WHEN v_stands_in[i] THEN i_stand_in_data[i] ELSE i_data[i] END, p_at, i_due_at[i]
      FROM generate_series(1, n) AS i
      WHERE v_sequence[i] IS NOT NULL
    )
    UPDATE card o
    SET callback_sequence = c.callback_sequence, week_spent = c.week_spent, atm_day_spent = c.atm_day_spent,
        atm_month_spent = c.atm_month_spent
    FROM unnest(cards) AS c
    WHERE c.touched AND o.merchant_id = c.merchant_id AND o.card_no = c.card_no;
  END IF;

  IF done < n THEN
    FOR candidate IN
      SELECT i, p.status, p.remark
      FROM generate_series(1, n) AS i
      JOIN consumption p ON p.merchant_id = i_merchant[i] AND p.consume_no = i_consume_no[i]
      WHERE v_sequence[i] IS NULL
    LOOP
      v_status[candidate.i] := candidate.status;
      v_remark[candidate.i] := candidate.remark;
    END LOOP;
  END IF;
  RETURN QUERY SELECT v_sequence[i] IS NOT NULL, v_status[i], v_remark[i] FROM generate_series(1, n) AS i;
END $$;
