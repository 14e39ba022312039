-- Reversals and expiry: holds that change while they are open, and refunds that were announced and never came.

-- Sets what an open hold keeps on each account given: less gives the difference back, more takes it from what is available, below
-- the floor if it must (a reversal cannot be refused, and it can make a fee due that the whole amount did not have). Zero ends a
-- line. Accounts that are not given keep theirs. By account and not by line, because a clearing in parts renumbers the lines.
CREATE FUNCTION ledger.change_hold(
  p_merchant integer, p_hold uuid, p_transaction uuid, p_at bigint, p_account uuid[], p_amount bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  w_account uuid[] := '{}'; w_raises boolean[] := '{}'; w_amount bigint[] := '{}';
  o_account uuid[] := '{}'; o_amount bigint[] := '{}';
  about record; kept bigint; lines integer;
BEGIN
  PERFORM 1 FROM account a
  WHERE a.merchant_id = p_merchant AND a.account_id IN (
    SELECT h.account_id FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold UNION SELECT unnest(p_account))
  ORDER BY a.merchant_id, a.account_id
  FOR NO KEY UPDATE;

  SELECT h.reference, h.expires_at INTO about
  FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold ORDER BY h.line LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'ledger: a hold that is to be changed is not open' USING ERRCODE = 'no_data_found';
  END IF;

  FOR i IN 1 .. cardinality(p_account) LOOP
    SELECT coalesce(sum(h.amount), 0) INTO kept
    FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.account_id = p_account[i];
    CONTINUE WHEN kept = p_amount[i];
    w_account := w_account || p_account[i];
    w_raises := w_raises || (p_amount[i] > kept);
    w_amount := w_amount || abs(p_amount[i] - kept);
    IF p_amount[i] > kept THEN
      o_account := o_account || p_account[i]; o_amount := o_amount || (p_amount[i] - kept);
    END IF;
    IF p_amount[i] = 0 THEN
      DELETE FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.account_id = p_account[i];
    ELSIF kept > 0 THEN
      UPDATE hold h SET amount = p_amount[i] WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.account_id = p_account[i];
    ELSE
      INSERT INTO hold (merchant_id, hold_id, line, account_id, amount, reference, expires_at)
      SELECT p_merchant, p_hold, coalesce(max(h.line), 0) + 1, p_account[i], p_amount[i], about.reference, about.expires_at
      FROM hold h WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold;
    END IF;
  END LOOP;
  -- The sweep finds a hold by its first line.
  UPDATE hold h SET line = 1
  WHERE h.merchant_id = p_merchant AND h.hold_id = p_hold AND h.line = 2
    AND NOT EXISTS (SELECT 1 FROM hold o WHERE o.merchant_id = p_merchant AND o.hold_id = p_hold AND o.line = 1);

  lines := cardinality(w_account);
  IF lines = 0 THEN
    RETURN;
  END IF;
  IF cardinality(o_account) > 0 THEN
    PERFORM ledger.allow_overdraft(p_merchant, o_account, o_amount);
  END IF;
  PERFORM ledger.write(ARRAY[p_merchant], ARRAY[p_transaction], ARRAY[CASE WHEN cardinality(o_account) > 0 THEN 'hold' ELSE 'void' END],
    ARRAY[about.reference], ARRAY[p_at], array_fill(1, ARRAY[lines]), w_account,
    (SELECT array_agg(NOT r ORDER BY o) FROM unnest(w_raises) WITH ORDINALITY AS u (r, o)), w_account, w_raises, w_amount);
END $$;
REVOKE ALL ON FUNCTION ledger.change_hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.change_hold TO cardwright_app;

-- Refunds that were authorized and not cleared yet: they hold no money, so no hold tells when they run out. A handful at any time.
CREATE INDEX consumption_refund_pending ON consumption (created_at) WHERE type = 'Refund' AND status = 'Pending';
