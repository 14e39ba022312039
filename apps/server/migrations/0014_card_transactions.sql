-- What happens to a card transaction after its approval: clearing, reversal, refund, and what each costs.

-- ---- the ledger ----

-- overdraft: how far below its floor a movement that cannot be refused (a forced clearing) has taken the account. It shrinks as
-- money comes in and never grows by an ordinary movement, so nobody can spend it.
ALTER TABLE ledger.account
  ADD COLUMN overdraft bigint NOT NULL DEFAULT 0 CHECK (overdraft >= 0),
  DROP CONSTRAINT account_above_floor,
  ADD CONSTRAINT account_above_floor CHECK (floor IS NULL OR available >= floor - overdraft);

-- post: a clearing takes what was held, or is forced. refund: money comes back. reversal: a cleared transaction is undone.
ALTER TABLE ledger.transaction
  DROP CONSTRAINT transaction_kind_check,
  ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('hold', 'post', 'void', 'expire', 'recharge', 'transfer_in', 'transfer_out',
    'open_card', 'adjustment', 'refund', 'reversal', 'fee', 'withdrawal', 'bonus'));

CREATE OR REPLACE FUNCTION ledger.write(
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

  -- An overdraft ends where the money that comes in covers it.
  UPDATE account a
  SET available = a.available + m.available, held = a.held + m.held,
      overdraft = CASE WHEN a.overdraft = 0 THEN 0 ELSE greatest(0, least(a.overdraft, a.floor - (a.available + m.available))) END
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

-- Lets accounts that the caller has locked fall below their floors by the movement that follows: p_amount is what is about to leave
-- each. The movement itself takes back what it did not need. Not for the application.
CREATE FUNCTION ledger.allow_overdraft(p_merchant integer, p_account uuid[], p_amount bigint[]) RETURNS void
LANGUAGE sql SET search_path = ledger, pg_temp AS $$
  UPDATE account a SET overdraft = greatest(a.overdraft, a.floor - (a.available - u.amount))
  FROM (SELECT i AS account_id, sum(x)::bigint AS amount FROM unnest(p_account, p_amount) AS p (i, x) GROUP BY i) u
  WHERE a.merchant_id = p_merchant AND a.account_id = u.account_id AND a.floor IS NOT NULL
$$;

DROP FUNCTION ledger.post(integer, uuid, uuid, text, bigint, uuid[], uuid[], bigint[]);

-- Takes money for good, whatever is there: each posting first takes what the hold keeps on its source account, then what is
-- available, below the floor if it must. p_hold may be null: everything is then taken from what is available. p_keep leaves what
-- the hold still has in place for later parts; otherwise that goes back to `available`. Answers what had to be taken beyond the hold.
CREATE FUNCTION ledger.capture(
  p_merchant integer, p_hold uuid, p_transaction uuid, p_reference text, p_at bigint,
  p_source uuid[], p_destination uuid[], p_amount bigint[], p_keep boolean
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  w_source uuid[] := '{}'; w_source_held boolean[] := '{}'; w_destination uuid[] := '{}'; w_amount bigint[] := '{}';
  o_account uuid[] := '{}'; o_amount bigint[] := '{}';
  beyond bigint := 0;
  line record; part bigint; wanted bigint; left_on_line bigint;
  p_rest bigint[] := p_amount;
BEGIN
  PERFORM 1 FROM account a
  WHERE a.merchant_id = p_merchant AND a.account_id IN (
    SELECT h.account_id FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold
    UNION SELECT unnest(p_source) UNION SELECT unnest(p_destination))
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;

  FOR line IN
    SELECT h.line, h.account_id, h.amount FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold ORDER BY h.line
  LOOP
    left_on_line := line.amount;
    FOR i IN 1 .. cardinality(p_source) LOOP
      IF p_source[i] = line.account_id AND p_rest[i] > 0 AND left_on_line > 0 THEN
        part := least(p_rest[i], left_on_line);
        p_rest[i] := p_rest[i] - part;
        left_on_line := left_on_line - part;
        w_source := w_source || p_source[i]; w_source_held := w_source_held || true;
        w_destination := w_destination || p_destination[i]; w_amount := w_amount || part;
      END IF;
    END LOOP;
    IF left_on_line > 0 AND p_keep THEN
      UPDATE hold h SET amount = left_on_line WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.line = line.line;
    ELSE
      DELETE FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.line = line.line;
      IF left_on_line > 0 THEN
        w_source := w_source || line.account_id; w_source_held := w_source_held || true;
        w_destination := w_destination || line.account_id; w_amount := w_amount || left_on_line;
      END IF;
    END IF;
  END LOOP;
  -- The sweep finds a hold by its first line.
  UPDATE hold h SET line = 1
  WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.line = 2
    AND NOT EXISTS (SELECT 1 FROM hold o WHERE o.merchant_id = p_merchant AND o.hold_id = p_hold AND o.line = 1);

  FOR i IN 1 .. cardinality(p_source) LOOP
    wanted := p_rest[i];
    IF wanted > 0 THEN
      beyond := beyond + wanted;
      o_account := o_account || p_source[i]; o_amount := o_amount || wanted;
      w_source := w_source || p_source[i]; w_source_held := w_source_held || false;
      w_destination := w_destination || p_destination[i]; w_amount := w_amount || wanted;
    END IF;
  END LOOP;
  IF beyond > 0 THEN
    PERFORM ledger.allow_overdraft(p_merchant, o_account, o_amount);
  END IF;
  PERFORM ledger.write(ARRAY[p_merchant], ARRAY[p_transaction], ARRAY['post'], ARRAY[p_reference], ARRAY[p_at],
    array_fill(1, ARRAY[cardinality(w_source)]), w_source, w_source_held, w_destination,
    array_fill(false, ARRAY[cardinality(w_source)]), w_amount);
  RETURN beyond;
END $$;

-- Opens a hold that cannot be refused: the network has approved in our stead. Same arguments as ledger.hold for one hold; locks the
-- accounts itself.
CREATE FUNCTION ledger.force_hold(
  p_merchant integer, p_hold uuid, p_reference text, p_at bigint, p_expires_at bigint, p_account uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  lines constant integer := cardinality(p_account);
BEGIN
  PERFORM 1 FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account)
  ORDER BY a.merchant_id, a.account_id FOR NO KEY UPDATE;
  PERFORM ledger.allow_overdraft(p_merchant, p_account, p_amount);
  PERFORM ledger.hold(ARRAY[p_merchant], ARRAY[p_hold], ARRAY[p_reference], ARRAY[p_at], ARRAY[p_expires_at],
    array_fill(1, ARRAY[lines]), (SELECT array_agg(g::smallint) FROM generate_series(1, lines) AS g), p_account, p_amount);
  -- ledger.hold moves without looking at overdrafts: what was allowed and not needed ends here.
  UPDATE account a SET overdraft = greatest(0, least(a.overdraft, a.floor - a.available))
  WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_account) AND a.overdraft > 0;
END $$;

-- Moves money at once like ledger.transfer for one transaction, below the floor if it must: a chargeback of what was refunded, a cost
-- that is owed whatever the reserve says.
CREATE FUNCTION ledger.force_transfer(
  p_merchant integer, p_transaction uuid, p_kind text, p_reference text, p_at bigint, p_source uuid[], p_destination uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  none constant boolean[] := array_fill(false, ARRAY[cardinality(p_amount)]);
BEGIN
  PERFORM 1 FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = ANY (p_source || p_destination)
  ORDER BY a.merchant_id, a.account_id FOR NO KEY UPDATE;
  PERFORM ledger.allow_overdraft(p_merchant, p_source, p_amount);
  PERFORM ledger.write(ARRAY[p_merchant], ARRAY[p_transaction], ARRAY[p_kind], ARRAY[p_reference], ARRAY[p_at],
    array_fill(1, ARRAY[cardinality(p_amount)]), p_source, none, p_destination, none, p_amount);
END $$;

REVOKE ALL ON FUNCTION ledger.allow_overdraft, ledger.capture, ledger.force_hold, ledger.force_transfer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.capture, ledger.force_hold, ledger.force_transfer TO cardwright_app;

-- ---- card transactions ----

-- cleared_amount: what clearings have taken so far (card's currency, without fees). credit_booked, reserve_booked: what they have
-- taken for good from each account, fees included; a consumption in stage `held` holds its totals less these.
-- refunded_amount: what refunds and reversals after clearing have given back of it.
-- exchange_*: the rate that made `amount` of the local amount (decimal text; empty where both currencies are at par), where it came
-- from (`network`, or a rate table's source) and its time.
-- small_fee, small_cost: how the small-transaction fee was decided on the cardholder's and on the reserve's side; decided once.
-- fee_due: a fee that is charged by itself after the answer ('decline', 'cancel'); empty when none is.
ALTER TABLE consumption
  ADD COLUMN cleared_amount  bigint NOT NULL DEFAULT 0 CHECK (cleared_amount >= 0),
  ADD COLUMN credit_booked   bigint NOT NULL DEFAULT 0 CHECK (credit_booked >= 0),
  ADD COLUMN reserve_booked  bigint NOT NULL DEFAULT 0 CHECK (reserve_booked >= 0),
  ADD COLUMN refunded_amount bigint NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0),
  ADD COLUMN exchange_rate   text NOT NULL DEFAULT '',
  ADD COLUMN exchange_source text NOT NULL DEFAULT '',
  ADD COLUMN exchange_at     bigint,
  ADD COLUMN small_fee       text NOT NULL DEFAULT 'open',
  ADD COLUMN small_cost      text NOT NULL DEFAULT 'open',
  ADD COLUMN wallet          boolean NOT NULL DEFAULT false,
  ADD COLUMN recurring       boolean NOT NULL DEFAULT false,
  ADD COLUMN fee_due         text NOT NULL DEFAULT '';
-- Fees that wait to be charged: empty but for the moment between an answer and its fee.
CREATE INDEX consumption_fee_due ON consumption (created_at) WHERE fee_due <> '';
-- Increments, reversals and refunds of one consumption.
CREATE INDEX consumption_relations ON consumption (merchant_id, consume_relate_no) WHERE consume_relate_no <> '';

-- Free counts, per card and side (small_*: the cardholder's, small_cost_*: the reserve's): the decision counts small transactions
-- itself; fee_counters has the others as {"own":{"decline":[used,period],"cancel":[used,period]},"cost":{…}}.
ALTER TABLE card
  ADD COLUMN small_used        integer NOT NULL DEFAULT 0,
  ADD COLUMN small_period      integer NOT NULL DEFAULT 0,
  ADD COLUMN small_cost_used   integer NOT NULL DEFAULT 0,
  ADD COLUMN small_cost_period integer NOT NULL DEFAULT 0,
  ADD COLUMN fee_counters      jsonb NOT NULL DEFAULT '{}';

-- network_message: a message of the card network about a transaction that exists, or should (clearing, reversal, advice), with the
-- answer that it got: the network's own reference makes each arrive once, and a repeat gets the same answer. Authorizations are not
-- here: their reference is in the consumption. Grows with the business, never removed.
CREATE TABLE network_message (
  merchant_id            integer NOT NULL,
  network_reference      text COLLATE "C" NOT NULL,
  kind                   text NOT NULL CHECK (kind IN ('clearing', 'refund', 'reversal', 'advice')),
  -- SHA-256 of what the message says: the same reference with other content is refused.
  content_hash           bytea NOT NULL,
  -- The reference of the authorization that it is about; empty for one without.
  original_reference     text COLLATE "C" NOT NULL DEFAULT '',
  card_no                text COLLATE "C" NOT NULL,
  -- The consumption that it changed or made; empty while there is none (a reversal before its authorization, a parked refund).
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  -- Card's currency, minor units: what the network will settle for it. Negative when it is paid to us.
  settled_amount         bigint NOT NULL DEFAULT 0,
  -- As the network said it.
  local_amount           text NOT NULL DEFAULT '',
  local_currency         text NOT NULL DEFAULT '',
  -- What became of it, in one word, and the answer's other parts.
  effect                 text NOT NULL,
  answer                 jsonb NOT NULL DEFAULT '{}',
  at                     bigint NOT NULL,
  PRIMARY KEY (merchant_id, network_reference)
);
CREATE INDEX network_message_of_original ON network_message (merchant_id, original_reference) WHERE original_reference <> '';
-- Reversals that came before their authorization: a handful, ever.
CREATE INDEX network_message_early ON network_message (merchant_id, original_reference) WHERE kind = 'reversal' AND consume_no = '';
GRANT SELECT, INSERT, UPDATE ON network_message TO cardwright_app;
