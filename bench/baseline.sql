-- The baseline of the benchmark `decision`: one call for one authorization, written as anybody would write it who does not
-- batch. It does the same work on the same rows as authorization_decide does for one item (locks, checks, limits, repeat,
-- consumption, transaction, postings, holds, balances, callback, card), without arrays and without going through the
-- ledger's functions. Only for purchases in credit mode, which is what the benchmark sends. Never part of the platform.
CREATE SCHEMA bench_baseline;
GRANT USAGE ON SCHEMA bench_baseline TO cardwright_app;

CREATE FUNCTION bench_baseline.authorize(
  p_merchant integer, p_card text, p_version integer, p_credit uuid, p_reserve uuid,
  p_consume_no text, p_network_reference text, p_amount bigint, p_credit_total bigint, p_reserve_total bigint, p_fee bigint, p_fee_rows text,
  p_limit bigint, p_limit_week bigint, p_week integer, p_day integer, p_month integer,
  p_local_amount text, p_local_currency text, p_name text, p_mcc text, p_city text, p_country text,
  p_hold uuid, p_callback uuid, p_head text, p_approved text, p_tail text, p_at bigint, p_hold_until bigint
) RETURNS TABLE (verdict text, reason text, consume_no text, consumption_status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, ledger, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k record;
  known record;
  credit_available bigint;
  reserve_available bigint;
  spent bigint;
  why text;
BEGIN
  SELECT c.status, c.version, c.cardholder_no, c.week_start, c.week_spent, c.callback_sequence, m.status AS merchant_status INTO k
  FROM card c JOIN merchant m USING (merchant_id)
  WHERE c.merchant_id = p_merchant AND c.card_no = p_card
  FOR NO KEY UPDATE OF c;
  -- In id order, as every writer of the ledger.
  IF p_credit < p_reserve THEN
    SELECT a.available INTO credit_available FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = p_credit FOR NO KEY UPDATE;
    SELECT a.available INTO reserve_available FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = p_reserve FOR NO KEY UPDATE;
  ELSE
    SELECT a.available INTO reserve_available FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = p_reserve FOR NO KEY UPDATE;
    SELECT a.available INTO credit_available FROM account a WHERE a.merchant_id = p_merchant AND a.account_id = p_credit FOR NO KEY UPDATE;
  END IF;
  SELECT p.consume_no, p.status, p.remark INTO known FROM consumption p
  WHERE p.merchant_id = p_merchant AND p.network_reference = p_network_reference AND p.network_reference <> '';
  IF FOUND THEN
    RETURN QUERY SELECT 'repeat', known.remark, known.consume_no, known.status;
    RETURN;
  END IF;
  IF k.version <> p_version THEN
    RETURN QUERY SELECT 'stale', '', p_consume_no, '';
    RETURN;
  END IF;
  spent := CASE WHEN k.week_start < p_week THEN 0 ELSE k.week_spent END;
  why := CASE
    WHEN k.merchant_status <> 'Active' THEN 'merchant_disabled'
    WHEN k.status = 'Frozen' THEN 'card_frozen'
    WHEN k.status <> 'Activated' THEN 'card_not_active'
    WHEN p_amount > p_limit THEN 'limit_per_purchase'
    WHEN spent + p_amount > p_limit_week THEN 'limit_week'
    WHEN credit_available < p_credit_total THEN 'insufficient_credit'
    WHEN reserve_available < p_reserve_total THEN 'insufficient_reserve'
    ELSE ''
  END;
  IF why <> '' THEN
    RAISE EXCEPTION 'the baseline decides approvals only, this one was %', why;
  END IF;

  INSERT INTO consumption (merchant_id, consume_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows, credit_total,
    reserve_total, local_amount, local_currency, merchant_name, merchant_mcc, merchant_city, merchant_country, network_reference, hold_id,
    created_at, changed_at)
  VALUES (p_merchant, p_consume_no, p_card, k.cardholder_no, 'Consumption', 'Pending', 'held', p_amount, p_fee, p_fee_rows::jsonb,
    p_credit_total, p_reserve_total, p_local_amount, p_local_currency, p_name, p_mcc, p_city, p_country, p_network_reference, p_hold,
    p_at, p_at);
  INSERT INTO transaction VALUES (p_merchant, p_hold, 'hold', p_consume_no, 2, p_at);
  INSERT INTO posting VALUES
    (p_merchant, p_hold, 1, p_credit, false, p_credit, true, p_credit_total, 'TUSDT'),
    (p_merchant, p_hold, 2, p_reserve, false, p_reserve, true, p_reserve_total, 'USD');
  INSERT INTO hold VALUES
    (p_merchant, p_hold, 1, p_credit, p_credit_total, p_consume_no, p_hold_until),
    (p_merchant, p_hold, 2, p_reserve, p_reserve_total, p_consume_no, p_hold_until);
  UPDATE account a SET available = a.available - p_credit_total, held = a.held + p_credit_total
  WHERE a.merchant_id = p_merchant AND a.account_id = p_credit;
  UPDATE account a SET available = a.available - p_reserve_total, held = a.held + p_reserve_total
  WHERE a.merchant_id = p_merchant AND a.account_id = p_reserve;
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)
  VALUES (p_merchant, p_callback, p_card, k.callback_sequence + 1, 'Consumption',
    p_head || p_approved || p_tail || ',"status":"Pending","time":' || p_at || '}', p_at, p_at);
  UPDATE card c SET week_start = greatest(c.week_start, p_week), week_spent = spent + p_amount,
    atm_day = greatest(c.atm_day, p_day), atm_day_spent = CASE WHEN c.atm_day < p_day THEN 0 ELSE c.atm_day_spent END,
    atm_month = greatest(c.atm_month, p_month), atm_month_spent = CASE WHEN c.atm_month < p_month THEN 0 ELSE c.atm_month_spent END,
    callback_sequence = k.callback_sequence + 1
  WHERE c.merchant_id = p_merchant AND c.card_no = p_card;
  RETURN QUERY SELECT 'approved', '', p_consume_no, 'Pending';
END $$;
GRANT EXECUTE ON FUNCTION bench_baseline.authorize TO cardwright_app;
