-- The ledger: double entry, append-only, in a schema of its own. The application's role may read it and may call its
-- functions, which are the only code that writes here; it has no INSERT, UPDATE or DELETE of its own.
-- The functions force generic plans: planning them anew for each call's arrays cost three times what running them does.
CREATE SCHEMA ledger;

-- ledger.account: a pot of money in one currency with two buckets: available, and held by open holds. Opened with a merchant
-- or a cardholder, never removed. The buckets are the fold of all postings, kept here in the same transaction that writes them.
-- floor: what `available` may not fall below; NULL for the contra accounts that stand for the world outside.
-- fillfactor leaves room on the page, so that the update of a hot reserve stays on it and touches no index.
CREATE TABLE ledger.account (
  merchant_id            integer NOT NULL,
  account_id             uuid NOT NULL,
  kind                   text COLLATE "C" NOT NULL CHECK (kind IN
                           ('reserve', 'funding', 'settlement', 'platform_income', 'cardholder', 'bonus', 'credit_line', 'spending', 'merchant_income')),
  owner                  text COLLATE "C" NOT NULL DEFAULT '',
  currency               text COLLATE "C" NOT NULL,
  available              bigint NOT NULL DEFAULT 0,
  held                   bigint NOT NULL DEFAULT 0,
  floor                  bigint,
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, account_id),
  UNIQUE (merchant_id, kind, owner, currency),
  CONSTRAINT account_above_floor CHECK (floor IS NULL OR available >= floor),
  CONSTRAINT account_held_not_negative CHECK (held >= 0)
) WITH (fillfactor = 50);

-- ledger.transaction: one movement of money as a whole. postings says how many rows belong to it, so that a missing one shows.
-- One row per hold, post, void, transfer, recharge; grows with the business, removed never.
CREATE TABLE ledger.transaction (
  merchant_id            integer NOT NULL,
  transaction_id         uuid NOT NULL,
  kind                   text COLLATE "C" NOT NULL CHECK (kind IN
                           ('hold', 'post', 'void', 'expire', 'recharge', 'transfer_in', 'transfer_out', 'open_card', 'adjustment')),
  -- The public number of what caused it: a consumption, a transfer, a recharge order.
  reference              text COLLATE "C" NOT NULL,
  postings               smallint NOT NULL CHECK (postings > 0),
  created_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, transaction_id)
);

-- ledger.posting: one line of a transaction: an amount leaves a bucket of one account and arrives in a bucket of another.
-- A row names both sides, so an unbalanced posting cannot be written at all. A hold moves money from `available` to `held` of
-- the same account.
CREATE TABLE ledger.posting (
  merchant_id            integer NOT NULL,
  transaction_id         uuid NOT NULL,
  line                   smallint NOT NULL,
  source_account_id      uuid NOT NULL,
  source_held            boolean NOT NULL,
  destination_account_id uuid NOT NULL,
  destination_held       boolean NOT NULL,
  amount                 bigint NOT NULL CHECK (amount > 0),
  currency               text COLLATE "C" NOT NULL,
  PRIMARY KEY (merchant_id, transaction_id, line),
  CHECK (source_account_id <> destination_account_id OR source_held <> destination_held)
);

-- ledger.hold: an OPEN hold on one account; a hold over two accounts has two lines. Posting or voiding removes the row (the
-- history is in the postings), so the table is as small as the business that is under way, and the sum of its rows is what the
-- accounts show as held.
CREATE TABLE ledger.hold (
  merchant_id            integer NOT NULL,
  hold_id                uuid NOT NULL,
  line                   smallint NOT NULL,
  account_id             uuid NOT NULL,
  amount                 bigint NOT NULL CHECK (amount > 0),
  reference              text COLLATE "C" NOT NULL,
  expires_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, hold_id, line)
) WITH (fillfactor = 80);
CREATE INDEX hold_expiry ON ledger.hold (expires_at) WHERE line = 1;

-- Opens an account, or finds the one that is there: kind, owner and currency name it.
CREATE FUNCTION ledger.open_account(p_merchant_id integer, p_account_id uuid, p_kind text, p_owner text, p_currency text,
                                    p_floor bigint, p_at bigint) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  INSERT INTO account (merchant_id, account_id, kind, owner, currency, floor, created_at)
  VALUES (p_merchant_id, p_account_id, p_kind, p_owner, p_currency, p_floor, p_at)
  ON CONFLICT (merchant_id, kind, owner, currency) DO UPDATE SET kind = EXCLUDED.kind
  RETURNING account_id
$$;

-- Locks accounts in id order, the one order that everybody uses, and returns what is available in each, in that order.
-- The arrays must come sorted by (merchant_id, account_id) and without repeats: the answer lines up with them.
CREATE FUNCTION ledger.lock_accounts(p_merchant_ids integer[], p_account_ids uuid[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  result bigint[];
BEGIN
  SELECT array_agg(l.available ORDER BY l.merchant_id, l.account_id) INTO result
  FROM (
    SELECT a.merchant_id, a.account_id, a.available
    FROM account a
    WHERE (a.merchant_id, a.account_id) IN (SELECT m, i FROM unnest(p_merchant_ids, p_account_ids) AS u (m, i))
    ORDER BY a.merchant_id, a.account_id
    FOR NO KEY UPDATE
  ) l;
  IF coalesce(cardinality(result), 0) <> cardinality(p_account_ids) THEN
    RAISE EXCEPTION 'ledger: an account does not exist' USING ERRCODE = 'no_data_found';
  END IF;
  RETURN result;
END $$;

-- Writes transactions with their postings and moves the balances. The accounts must be locked by the caller before
-- (lock_accounts). Not for the application: the functions below are its doors.
CREATE FUNCTION ledger.write(
  t_merchant integer[], t_id uuid[], t_kind text[], t_reference text[], t_at bigint[],
  p_transaction integer[], p_source uuid[], p_source_held boolean[], p_destination uuid[], p_destination_held boolean[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  written bigint;
BEGIN
  IF cardinality(t_id) = 0 THEN
    RETURN;
  END IF;
  INSERT INTO posting
  SELECT t_merchant[p.t], t_id[p.t], row_number() OVER (PARTITION BY p.t ORDER BY p.n), p.s, p.sh, p.d, p.dh, p.a, s.currency
  FROM unnest(p_transaction, p_source, p_source_held, p_destination, p_destination_held, p_amount)
    WITH ORDINALITY AS p (t, s, sh, d, dh, a, n)
  JOIN account s ON s.merchant_id = t_merchant[p.t] AND s.account_id = p.s
  JOIN account d ON d.merchant_id = t_merchant[p.t] AND d.account_id = p.d AND d.currency = s.currency;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(p_transaction) THEN
    RAISE EXCEPTION 'ledger: a posting names an unknown account or two currencies' USING ERRCODE = 'check_violation';
  END IF;

  INSERT INTO transaction
  SELECT t_merchant[c.t], t_id[c.t], t_kind[c.t], t_reference[c.t], c.count, t_at[c.t]
  FROM (SELECT t, count(*) AS count FROM unnest(p_transaction) AS u (t) GROUP BY t) c;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(t_id) THEN
    RAISE EXCEPTION 'ledger: a transaction without postings' USING ERRCODE = 'check_violation';
  END IF;

  UPDATE account a
  SET available = a.available + m.available, held = a.held + m.held
  FROM (
    SELECT merchant_id, account_id,
           coalesce(sum(amount) FILTER (WHERE NOT is_held), 0)::bigint AS available,
           coalesce(sum(amount) FILTER (WHERE is_held), 0)::bigint AS held
    FROM (
      SELECT t_merchant[t] AS merchant_id, s AS account_id, sh AS is_held, -a AS amount
      FROM unnest(p_transaction, p_source, p_source_held, p_amount) AS u (t, s, sh, a)
      UNION ALL
      SELECT t_merchant[t], d, dh, a FROM unnest(p_transaction, p_destination, p_destination_held, p_amount) AS u (t, d, dh, a)
    ) sides
    GROUP BY merchant_id, account_id
  ) m
  WHERE a.merchant_id = m.merchant_id AND a.account_id = m.account_id;
END $$;

-- Moves money between accounts at once: transactions (t_…) with their postings (p_…, p_transaction is the 1-based index of the
-- transaction). Locks what it touches. A balance below its floor fails the whole call with account_above_floor.
CREATE FUNCTION ledger.transfer(
  t_merchant integer[], t_id uuid[], t_kind text[], t_reference text[], t_at bigint[],
  p_transaction integer[], p_source uuid[], p_destination uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  none boolean[] := array_fill(false, ARRAY[cardinality(p_amount)]);
BEGIN
  PERFORM 1 FROM account a
  WHERE (a.merchant_id, a.account_id) IN (
    SELECT t_merchant[t], i FROM unnest(p_transaction || p_transaction, p_source || p_destination) AS u (t, i))
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;
  PERFORM ledger.write(t_merchant, t_id, t_kind, t_reference, t_at, p_transaction, p_source, none, p_destination, none, p_amount);
END $$;

-- Opens holds. One hold is one transaction with a line per account. The accounts must be locked before (lock_accounts): the
-- decision has looked at them. h_line counts the lines of a hold from 1.
CREATE FUNCTION ledger.hold(
  t_merchant integer[], t_id uuid[], t_reference text[], t_at bigint[], t_expires_at bigint[],
  h_transaction integer[], h_line smallint[], h_account uuid[], h_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  written bigint;
BEGIN
  IF cardinality(t_id) = 0 THEN
    RETURN;
  END IF;
  -- Not through ledger.write, which must look up the currency of both sides of each line: here both are the account that is
  -- being moved, and its row tells. A tenth of the decision's time.
  WITH moved AS (
    UPDATE account a SET available = a.available - m.amount, held = a.held + m.amount
    FROM (
      SELECT t_merchant[h.t] AS merchant_id, h.i AS account_id, sum(h.a)::bigint AS amount
      FROM unnest(h_transaction, h_account, h_amount) AS h (t, i, a) GROUP BY 1, 2
    ) m
    WHERE a.merchant_id = m.merchant_id AND a.account_id = m.account_id
    RETURNING a.merchant_id, a.account_id, a.currency
  )
  INSERT INTO posting
  SELECT m.merchant_id, t_id[h.t], h.l, h.i, false, h.i, true, h.a, m.currency
  FROM unnest(h_transaction, h_line, h_account, h_amount) AS h (t, l, i, a)
  JOIN moved m ON m.merchant_id = t_merchant[h.t] AND m.account_id = h.i;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(h_account) THEN
    RAISE EXCEPTION 'ledger: a hold names an unknown account' USING ERRCODE = 'check_violation';
  END IF;

  INSERT INTO transaction
  SELECT t_merchant[c.t], t_id[c.t], 'hold', t_reference[c.t], c.count, t_at[c.t]
  FROM (SELECT t, count(*) AS count FROM unnest(h_transaction) AS u (t) GROUP BY t) c;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(t_id) THEN
    RAISE EXCEPTION 'ledger: a hold without lines' USING ERRCODE = 'check_violation';
  END IF;

  INSERT INTO hold (merchant_id, hold_id, line, account_id, amount, reference, expires_at)
  SELECT t_merchant[h.t], t_id[h.t], h.l, h.i, h.a, t_reference[h.t], t_expires_at[h.t]
  FROM unnest(h_transaction, h_line, h_account, h_amount) AS h (t, l, i, a);
END $$;

-- Gives held money back: p_kind is 'void' (declined, reversed) or 'expire'. Returns the holds that were open; a hold that is
-- open no more is passed over, so a repeat changes nothing.
CREATE FUNCTION ledger.void(p_kind text, p_merchant integer[], p_hold uuid[], p_transaction uuid[], p_at bigint)
RETURNS TABLE (merchant_id integer, hold_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  o_merchant integer[];
  o_hold uuid[];
  o_transaction uuid[];
  o_reference text[];
  l_index integer[];
  l_account uuid[];
  l_amount bigint[];
BEGIN
  PERFORM 1 FROM account a
  WHERE (a.merchant_id, a.account_id) IN (
    SELECT h.merchant_id, h.account_id FROM hold h
    WHERE (h.merchant_id, h.hold_id) IN (SELECT m, i FROM unnest(p_merchant, p_hold) AS u (m, i)))
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;

  WITH closed AS (
    DELETE FROM hold h USING unnest(p_merchant, p_hold, p_transaction) AS u (m, i, t)
    WHERE h.merchant_id = u.m AND h.hold_id = u.i
    RETURNING h.merchant_id, h.hold_id, h.line, h.account_id, h.amount, h.reference, u.t
  ), numbered AS (
    SELECT *, dense_rank() OVER (ORDER BY merchant_id, hold_id) AS n FROM closed
  )
  SELECT array_agg(merchant_id ORDER BY n) FILTER (WHERE line = 1), array_agg(hold_id ORDER BY n) FILTER (WHERE line = 1),
         array_agg(t ORDER BY n) FILTER (WHERE line = 1), array_agg(reference ORDER BY n) FILTER (WHERE line = 1),
         array_agg(n::integer ORDER BY n, line), array_agg(account_id ORDER BY n, line), array_agg(amount ORDER BY n, line)
  INTO o_merchant, o_hold, o_transaction, o_reference, l_index, l_account, l_amount
  FROM numbered;

  IF o_hold IS NULL THEN
    RETURN;
  END IF;
  PERFORM ledger.write(o_merchant, o_transaction, array_fill(p_kind, ARRAY[cardinality(o_hold)]), o_reference,
    array_fill(p_at, ARRAY[cardinality(o_hold)]), l_index, l_account, array_fill(true, ARRAY[cardinality(l_account)]),
    l_account, array_fill(false, ARRAY[cardinality(l_account)]), l_amount);
  RETURN QUERY SELECT * FROM unnest(o_merchant, o_hold);
END $$;

-- Posts one hold: what it holds is taken, by the postings given (source is always a held bucket), and the rest goes back to
-- `available`. Returns false when the hold is open no more. A posting above what is held fails the call.
CREATE FUNCTION ledger.post(
  p_merchant integer, p_hold uuid, p_transaction uuid, p_reference text, p_at bigint,
  p_source uuid[], p_destination uuid[], p_amount bigint[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  rest_account uuid[];
  rest_amount bigint[];
  held_lines integer;
  taken integer;
BEGIN
  PERFORM 1 FROM account a
  WHERE a.merchant_id = p_merchant AND a.account_id IN (
    SELECT h.account_id FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold
    UNION SELECT unnest(p_source) UNION SELECT unnest(p_destination))
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;

  WITH closed AS (
    DELETE FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold RETURNING h.account_id, h.amount
  ), used AS (
    SELECT s AS account_id, sum(a)::bigint AS amount FROM unnest(p_source, p_amount) AS u (s, a) GROUP BY s
  )
  SELECT count(*), count(u.account_id),
         coalesce(array_agg(c.account_id) FILTER (WHERE c.amount <> coalesce(u.amount, 0)), '{}'),
         coalesce(array_agg(c.amount - coalesce(u.amount, 0)) FILTER (WHERE c.amount <> coalesce(u.amount, 0)), '{}')
  INTO held_lines, taken, rest_account, rest_amount
  FROM closed c LEFT JOIN used u USING (account_id);

  IF held_lines = 0 THEN
    RETURN false;
  END IF;
  IF taken <> (SELECT count(DISTINCT s) FROM unnest(p_source) AS u (s)) THEN
    RAISE EXCEPTION 'ledger: a posting takes from an account that the hold does not cover' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM ledger.write(ARRAY[p_merchant], ARRAY[p_transaction], ARRAY['post'], ARRAY[p_reference], ARRAY[p_at],
    array_fill(1, ARRAY[cardinality(p_source) + cardinality(rest_account)]),
    p_source || rest_account, array_fill(true, ARRAY[cardinality(p_source) + cardinality(rest_account)]),
    p_destination || rest_account, array_fill(false, ARRAY[cardinality(p_source) + cardinality(rest_account)]),
    p_amount || rest_amount);
  RETURN true;
END $$;

-- Sets a new end for open holds, e.g. when the merchant has said yes and the short hold of the question becomes the
-- authorization's. Returns how many holds were open.
CREATE FUNCTION ledger.extend_holds(p_merchant integer[], p_hold uuid[], p_expires_at bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  extended bigint;
BEGIN
  -- The line as a value and not as a constant: a plan made while the table was empty walked the whole index of line 1, which took 4 ms
  -- a call at 4,600 open holds.
  UPDATE hold h SET expires_at = u.e
  FROM unnest(p_merchant, p_hold, array_fill(1::smallint, ARRAY[cardinality(p_hold)]), p_expires_at) AS u (m, i, l, e)
  WHERE h.merchant_id = u.m AND h.hold_id = u.i AND h.line = u.l;
  GET DIAGNOSTICS extended = ROW_COUNT;
  RETURN extended;
END $$;

-- Lowers open holds to p_amount (above zero) and gives the difference back, one transaction per entry. A hold that is open no more,
-- or keeps no more than that already, is passed over.
CREATE FUNCTION ledger.lower_holds(p_merchant integer[], p_hold uuid[], p_line smallint[], p_amount bigint[], p_transaction uuid[], p_at bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  o_merchant integer[];
  o_transaction uuid[];
  o_reference text[];
  o_account uuid[];
  o_back bigint[];
  lines integer;
BEGIN
  PERFORM 1 FROM account a
  WHERE (a.merchant_id, a.account_id) IN (
    SELECT h.merchant_id, h.account_id FROM hold h JOIN unnest(p_merchant, p_hold, p_line) AS u (m, i, l)
      ON h.merchant_id = u.m AND h.hold_id = u.i AND h.line = u.l)
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;

  -- Whoever changes a hold holds its account's lock, so the amounts read here are those that are lowered.
  SELECT array_agg(h.merchant_id ORDER BY u.n), array_agg(u.t ORDER BY u.n), array_agg(h.reference ORDER BY u.n),
         array_agg(h.account_id ORDER BY u.n), array_agg(h.amount - u.a ORDER BY u.n)
  INTO o_merchant, o_transaction, o_reference, o_account, o_back
  FROM hold h JOIN unnest(p_merchant, p_hold, p_line, p_amount, p_transaction) WITH ORDINALITY AS u (m, i, l, a, t, n)
    ON h.merchant_id = u.m AND h.hold_id = u.i AND h.line = u.l AND h.amount > u.a;
  lines := coalesce(cardinality(o_back), 0);
  IF lines = 0 THEN
    RETURN;
  END IF;
  UPDATE hold h SET amount = u.a
  FROM unnest(p_merchant, p_hold, p_line, p_amount) AS u (m, i, l, a)
  WHERE h.merchant_id = u.m AND h.hold_id = u.i AND h.line = u.l AND h.amount > u.a;
  PERFORM ledger.write(o_merchant, o_transaction, array_fill('void'::text, ARRAY[lines]), o_reference, array_fill(p_at, ARRAY[lines]),
    (SELECT array_agg(g) FROM generate_series(1, lines) AS g), o_account, array_fill(true, ARRAY[lines]), o_account,
    array_fill(false, ARRAY[lines]), o_back);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO cardwright_app;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO cardwright_app;
GRANT EXECUTE ON FUNCTION ledger.open_account, ledger.lock_accounts, ledger.transfer, ledger.hold, ledger.void, ledger.post,
  ledger.extend_holds, ledger.lower_holds TO cardwright_app;
