-- The decision, the end of a question and the hold, once more: the same rules, fewer steps.
--
-- A batch of a few purchases cost as much as its statement, not as its purchases. In every transaction Postgres readies each expression of
-- a function anew, 1 to 2 µs each and as much again for every array that it takes an element of; a purchase had three hundred of them. So an
-- item, and what is known of a card, is one value of a type of its own: its parts are there for nothing. And what is written is one
-- statement for the room and one for the ledger.
--
-- A plan is kept as it was made, perhaps when a table was empty, and then the planner likes to walk through a whole index with the batch
-- inside. The batch must be outside and each row found by its key: LATERAL with FOR UPDATE or OFFSET 0 says so, and where a table is written
-- `x = ANY (ARRAY[y])`, which means `x = y` and fits no other way round. `stage || ''` keeps off the small index of open questions, which is
-- full of those that were open a moment ago.
--
-- Instructions of Postgres for one purchase and for sixteen: 3.06 and 11.3 million before, 2.1 and 9.3 now.

-- A line of a hold that is to be opened. Lines of one hold count from 1 and say how many they are.
CREATE TYPE ledger.hold_line AS (
  merchant_id integer, hold_id uuid, line smallint, lines smallint, account_id uuid, currency text, amount bigint, reference text, at bigint,
  expires_at bigint
);

-- Opens holds. One hold is one transaction with a line per account. The accounts must be locked before (lock_accounts): the decision has
-- looked at them. `currency` is what the caller takes the account's for; one that is not so fails the call.
DROP FUNCTION ledger.hold(integer[], uuid[], text[], bigint[], bigint[], smallint[], integer[], uuid[], integer[], smallint[], integer[], bigint[]);
CREATE FUNCTION ledger.hold(p_lines ledger.hold_line[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  complete boolean;
BEGIN
  -- Not through ledger.write, which must look up the currency of both sides of each line: here both are the account that is being
  -- moved, and moving it is what checks its currency.
  WITH entry AS (
    SELECT * FROM unnest(p_lines)
  ), moved AS (
    UPDATE account a SET available = a.available - m.amount, held = a.held + m.amount
    FROM (SELECT merchant_id, account_id, currency, sum(amount)::bigint AS amount, count(*) AS lines FROM entry GROUP BY 1, 2, 3) m
    WHERE a.merchant_id = ANY (ARRAY[m.merchant_id]) AND a.account_id = m.account_id AND a.currency = m.currency
    RETURNING m.lines
  ), posted AS (
    INSERT INTO posting SELECT merchant_id, hold_id, line, account_id, false, account_id, true, amount, currency FROM entry
  ), opened AS (
    INSERT INTO transaction SELECT merchant_id, hold_id, 'hold', reference, lines, at FROM entry WHERE line = 1
  ), kept AS (
    INSERT INTO hold (merchant_id, hold_id, line, account_id, amount, reference, expires_at)
    SELECT merchant_id, hold_id, line, account_id, amount, reference, expires_at FROM entry
  )
  SELECT count(*) = coalesce((SELECT sum(lines) FROM moved), 0) AND count(*) = coalesce(sum(lines) FILTER (WHERE line = 1), 0)
  INTO complete FROM entry;
  IF NOT complete THEN
    RAISE EXCEPTION 'ledger: a hold names an unknown account, or not all of its lines' USING ERRCODE = 'check_violation';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger.force_hold(
  p_merchant integer, p_hold uuid, p_reference text, p_at bigint, p_expires_at bigint, p_account uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  PERFORM 1 FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account)
  ORDER BY a.merchant_id, a.account_id FOR NO KEY UPDATE;
  PERFORM ledger.allow_overdraft(p_merchant, p_account, p_amount);
  PERFORM ledger.hold((
    SELECT array_agg(ROW(p_merchant, p_hold, u.line, cardinality(p_account), u.account_id, a.currency, u.amount, p_reference, p_at,
      p_expires_at)::hold_line)
    FROM unnest(p_account, p_amount) WITH ORDINALITY AS u (account_id, amount, line)
    LEFT JOIN account a ON a.merchant_id = p_merchant AND a.account_id = u.account_id));
  -- ledger.hold moves without looking at overdrafts: what was allowed and not needed ends here.
  UPDATE account a SET overdraft = greatest(0, least(a.overdraft, a.floor - a.available))
  WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account) AND a.overdraft > 0;
END $$;

-- As before: gives held money back, p_kind is 'void' (declined, reversed) or 'expire'; answers the holds that were open. A hold that is open no
-- more is passed over, so a repeat changes nothing. Not through ledger.write, for the same reason as ledger.hold.
CREATE OR REPLACE FUNCTION ledger.void(p_kind text, p_merchant integer[], p_hold uuid[], p_transaction uuid[], p_at bigint)
RETURNS TABLE (merchant_id integer, hold_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM 1
  FROM (
    SELECT DISTINCT h.merchant_id, h.account_id
    FROM unnest(p_merchant, p_hold) AS u (m, i)
    CROSS JOIN LATERAL (SELECT x.merchant_id, x.account_id FROM hold x WHERE x.merchant_id = u.m AND x.hold_id = u.i OFFSET 0) h
    ORDER BY 1, 2
  ) k
  CROSS JOIN LATERAL (SELECT FROM account a WHERE a.merchant_id = k.merchant_id AND a.account_id = k.account_id FOR NO KEY UPDATE) a;

  -- Whoever changes a hold holds its account's lock, so what is closed here is what was locked.
  RETURN QUERY
  WITH closed AS (
    DELETE FROM hold h USING unnest(p_merchant, p_hold, p_transaction) AS u (m, i, t)
    WHERE h.merchant_id = ANY (ARRAY[u.m]) AND h.hold_id = u.i
    RETURNING h.merchant_id, h.hold_id, h.line, h.account_id, h.amount, h.reference, u.t
  ), moved AS (
    -- An overdraft ends where the money that comes in covers it.
    UPDATE account a
    SET available = a.available + m.amount, held = a.held - m.amount,
        overdraft = CASE WHEN a.overdraft = 0 THEN 0 ELSE greatest(0, least(a.overdraft, a.floor - (a.available + m.amount))) END
    FROM (SELECT merchant_id, account_id, sum(amount)::bigint AS amount FROM closed GROUP BY 1, 2) m
    WHERE a.merchant_id = ANY (ARRAY[m.merchant_id]) AND a.account_id = m.account_id
  ), posted AS (
    INSERT INTO posting
    SELECT c.merchant_id, c.t, c.line, c.account_id, true, c.account_id, false, c.amount,
      (SELECT a.currency FROM account a WHERE a.merchant_id = c.merchant_id AND a.account_id = c.account_id)
    FROM closed c
  ), ended AS (
    INSERT INTO transaction SELECT merchant_id, t, p_kind, min(reference), count(*), p_at FROM closed GROUP BY merchant_id, t
  )
  SELECT merchant_id, hold_id FROM closed WHERE line = 1;
END $$;

REVOKE ALL ON FUNCTION ledger.hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.hold TO cardwright_app;

-- As before, but the arrays are sorted and distinct already: they are walked as they come.
CREATE OR REPLACE FUNCTION ledger.lock_accounts(p_merchant_ids integer[], p_account_ids uuid[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  result bigint[];
BEGIN
  SELECT array_agg(l.available - coalesce(l.floor, 0)) INTO result
  FROM (
    SELECT k.available, k.floor
    FROM unnest(p_merchant_ids, p_account_ids) AS u (m, i)
    CROSS JOIN LATERAL (
      SELECT a.available, a.floor FROM account a WHERE a.merchant_id = u.m AND a.account_id = u.i FOR NO KEY UPDATE
    ) k
  ) l;
  IF coalesce(cardinality(result), 0) <> cardinality(p_account_ids) THEN
    RAISE EXCEPTION 'ledger: an account does not exist' USING ERRCODE = 'no_data_found';
  END IF;
  RETURN result;
END $$;

-- A CHECK is read from its text by every statement that writes the table, whatever it writes. This one says the same as before, and is looked
-- at by those that write one of its columns only; the decision is not one of them.
ALTER TABLE card
  DROP CONSTRAINT card_of_package_has_account,
  DROP CONSTRAINT card_check,
  ADD COLUMN of_package_has_account boolean CONSTRAINT card_of_package_has_account NOT NULL GENERATED ALWAYS AS (
    nullif((package_no IS NULL) = (credit_account_id IS NULL) AND (package_no IS NULL) = (package_terms_version IS NULL), false)) STORED;

-- A card as the decision and the end of a question walk with it: read and locked once, written once. touched: it is to be written.
CREATE TYPE walked_card AS (
  merchant_id integer, card_no text, status text, version integer, cardholder_no text, merchant_status text, callback_sequence bigint,
  week_start integer, week_spent bigint, atm_day integer, atm_day_spent bigint, atm_month integer, atm_month_spent bigint,
  small_used integer, small_period integer, small_cost_used integer, small_cost_period integer, touched boolean
);

-- Locks cards in key order, the order that every writer keeps, and answers them in that order. The arrays must come sorted and without
-- repeats. Called by the two functions below, whose settings its plan needs.
CREATE FUNCTION lock_cards(c_merchant integer[], c_card text[]) RETURNS walked_card[]
LANGUAGE plpgsql AS $$
DECLARE
  cards walked_card[];
BEGIN
  SELECT array_agg(l::walked_card) INTO cards
  FROM (
    SELECT k.*
    FROM unnest(c_merchant, c_card) AS u (m, o)
    CROSS JOIN LATERAL (
      SELECT c.merchant_id, c.card_no, c.status::text, c.version, c.cardholder_no,
             (SELECT m.status FROM merchant m WHERE m.merchant_id = c.merchant_id), c.callback_sequence, c.week_start,
             c.week_spent, c.atm_day, c.atm_day_spent, c.atm_month, c.atm_month_spent, c.small_used, c.small_period, c.small_cost_used,
             c.small_cost_period, false
      FROM card c WHERE c.merchant_id = u.m AND c.card_no = u.o
      FOR NO KEY UPDATE
    ) k
  ) l;
  IF coalesce(cardinality(cards), 0) <> cardinality(c_card) THEN
    RAISE EXCEPTION 'authorization: a card does not exist' USING ERRCODE = 'no_data_found';
  END IF;
  RETURN cards;
END $$;

-- An authorization that is to be decided. card, credit and reserve point to the card and the accounts of the batch by 1-based indexes
-- (credit 0: the reserve alone). preset is a refusal that the caller has found already ('' for none); it yields to the card's status, which
-- only the locked row can tell.
-- Totals and fees are those with the small-transaction fee. small_fee_… and small_cost_… tell what is free of it, on the cardholder's side
-- and the reserve's: the amount (NULL where there is none), how many are free in a period and the period's number.
-- exchange_…: the rate, where the card is billed in another currency; otherwise NULL.
CREATE TYPE decision_item AS (
  merchant_id integer, card integer, card_no text, cardholder_no text, version integer, credit integer, reserve integer,
  credit_account_id uuid, reserve_account_id uuid,
  consume_no text, relate_no text, network_reference text, type text, asks boolean, preset text,
  amount bigint, credit_total bigint, reserve_total bigint, fee bigint,
  limit_purchase bigint, limit_week bigint, limit_atm_day bigint, limit_atm_month bigint, week integer, day integer, month integer,
  local_amount text, local_currency text, merchant_name text, merchant_mcc text, merchant_city text, merchant_country text,
  hold_id uuid, callback_id uuid, at bigint, hold_until bigint, wallet boolean, recurring boolean, decline_fee boolean,
  small_fee bigint, small_fee_max integer, small_fee_period integer, small_cost bigint, small_cost_max integer, small_cost_period integer,
  exchange_rate text, exchange_source text, exchange_at bigint
);

-- What came of one. 'verified' is an approval that holds nothing. shown_free: the small-transaction fee that the merchant sees was free.
-- answered_no is the number of the consumption; of a repeat the first message's, with the other answered_… of that one. sequence: of its
-- push, NULL without one.
CREATE TYPE decision_result AS (
  verdict text, reason text, status text, held_credit bigint, held_reserve bigint, shown_free boolean, small_fee_decision text,
  small_cost_decision text, sequence bigint, answered_no text, answered_partial bigint, answered_word text
);

-- The decision. One call decides a batch of authorizations: it locks their cards and accounts in key order, walks through the
-- items in their order of arrival with exact running balances (a prefix-sum query would decline wrongly behind a large
-- declined item), and writes consumptions, holds and callbacks, each kind at once.
--
-- c_… are the distinct cards, a_… the distinct accounts, both sorted by key. p_merchant and p_reference are the items' merchants and
-- network references once more: what has few columns is found with quickly. p_fee_rows, and p_head, p_approved, p_tail (the parts of the
-- callback's data) are by item; f_rows and f_approved are what is shown where the small-transaction fee is free, empty when none of the
-- batch can be. d_… are constants of the build: for each reason its sentence, the middle of the callback's data, and whether a decline for
-- it may cost a fee ('t'); each is one text, separated by U+001F, and read only when there is a decline.
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
  c_merchant integer[], c_card text[], a_merchant integer[], a_account uuid[],
  p_merchant integer[], p_reference text[], p_items decision_item[],
  p_fee_rows text[], p_head text[], p_approved text[], p_tail text[], f_rows text[], f_approved text[],
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
        u.verdict, u.reason, u.status, u.held_credit, u.held_reserve, u.shown_free, u.small_fee_decision, u.small_cost_decision, u.sequence,
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
      INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
      SELECT merchant_id, callback_id, card_no, sequence, 'Consumption', consume_no,
        p_head[i] || CASE WHEN verdict = 'declined' THEN r_middle[place] WHEN shown_free THEN f_approved[i] ELSE p_approved[i] END
          || p_tail[i] || ',"status":"' || status || '","time":' || at || '}', at, at
      FROM decided
      WHERE sequence IS NOT NULL
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

-- The end of a question. card points to the card of the batch by a 1-based index. outcome: 'approved' keeps the hold; keep_…, when given,
-- lower amount and hold to what the merchant approved of it, keep_back is what it did not approve. 'refused' gives the hold back, with what
-- it took from the limits, and the consumption fails with `remark`; word is the merchant's own reason, fee_due whether a decline fee
-- may be charged for it. 'failed' means that the merchant gave no answer: its own policy decides. 'stand_in' approves within its limits (per
-- purchase, per card and day, per day), which are counted here under lock; otherwise it is refused. week, day and month are the periods
-- that the amount was counted in. stand_in_data is the callback's data for a stand-in approval; due_at is when the push may go.
CREATE TYPE conclusion_item AS (
  merchant_id integer, card integer, card_no text, consume_no text, outcome text, remark text, detail text, word text, fee_due boolean,
  keep_amount bigint, keep_back bigint, keep_fee bigint, keep_fee_rows text, keep_reserve bigint, keep_local text,
  week integer, day integer, month integer, transaction_id uuid, callback_id uuid, stand_in_data text, due_at bigint
);

-- Ends the question of authorizations that were put to their merchant. c_… are the distinct cards, sorted by key; p_data is the finished data
-- of each callback, by item; p_void_kind says in the ledger why a hold was given back.
-- A consumption that is not being asked about any more is left as it is: its row says concluded = false and the present state.
DROP FUNCTION authorization_conclude;
CREATE FUNCTION authorization_conclude(
  c_merchant integer[], c_card text[], p_items conclusion_item[], p_data text[], p_stand_in_detail text, p_void_kind text, p_at bigint
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
      INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
      SELECT u.merchant_id, u.callback_id, u.card_no, v_sequence[u.ordinality], 'Consumption', u.consume_no,
        CASE WHEN v_stands_in[u.ordinality] THEN u.stand_in_data ELSE p_data[u.ordinality] END, p_at, u.due_at
      FROM unnest(p_items) WITH ORDINALITY AS u
      WHERE v_sequence[u.ordinality] IS NOT NULL
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
