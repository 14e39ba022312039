/**
 * What `verify` checks about consumptions beside the ledger's own rules: whatever is shown as pending holds exactly its money,
 * whatever is over holds none.
 */
export const consumptionRules = [
  {
    name: "an open consumption holds what it says, a finished one nothing",
    sql: `SELECT format('merchant %s consumption %s is %s and should hold %s, the ledger holds %s', p.merchant_id, p.consume_no, p.stage,
              CASE WHEN p.stage = 'done' THEN 0 ELSE p.credit_total + p.reserve_total - p.credit_booked - p.reserve_booked END, coalesce(h.amount, 0)) AS row
          FROM consumption p
          LEFT JOIN (SELECT merchant_id, hold_id, sum(amount) AS amount FROM ledger.hold GROUP BY merchant_id, hold_id) h
            ON h.merchant_id = p.merchant_id AND h.hold_id = p.hold_id
          WHERE CASE WHEN p.stage = 'done' THEN 0 ELSE p.credit_total + p.reserve_total - p.credit_booked - p.reserve_booked END <> coalesce(h.amount, 0)`,
  },
  {
    name: "every open hold belongs to a consumption",
    sql: `SELECT format('merchant %s hold %s for %s', h.merchant_id, h.hold_id, h.reference) AS row
          FROM ledger.hold h
          LEFT JOIN consumption p ON p.merchant_id = h.merchant_id AND p.consume_no = h.reference AND p.hold_id = h.hold_id
          WHERE p.consume_no IS NULL`,
  },
  {
    // Of older pushes some may be gone: those that were finished more than 30 days ago.
    name: "the pushes about a card are numbered without gaps",
    sql: `SELECT format('merchant %s card %s has given %s numbers, its pushes go from %s to %s and are %s', k.merchant_id, k.card_no,
              k.callback_sequence, c.first, c.last, c.count) AS row
          FROM card k
          JOIN (SELECT merchant_id, card_no, min(sequence) AS first, max(sequence) AS last, count(*) AS count
                FROM any_callback WHERE created_at >= (SELECT callback_history_begins()) GROUP BY merchant_id, card_no) c USING (merchant_id, card_no)
          WHERE c.last <> k.callback_sequence OR c.count <> c.last - c.first + 1`,
  },
  {
    name: "a push is either open or finished, and is there once",
    sql: `SELECT format('merchant %s push %s is there %s times', merchant_id, callback_id, count(*)) AS row
          FROM any_callback GROUP BY merchant_id, callback_id HAVING count(*) > 1`,
  },
] as const;
