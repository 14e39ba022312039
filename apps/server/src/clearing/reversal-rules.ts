/** What left the cardholder's account, and the reserve, for good by transactions of one kind; negative came in. */
const movedBy = (kind: "reversal" | "fee"): string => `
  SELECT t.merchant_id, t.reference,
         coalesce(sum(o.amount) FILTER (WHERE s.kind = 'cardholder'), 0) - coalesce(sum(o.amount) FILTER (WHERE d.kind = 'cardholder'), 0) AS credit,
         coalesce(sum(o.amount) FILTER (WHERE s.kind = 'reserve'), 0) - coalesce(sum(o.amount) FILTER (WHERE d.kind = 'reserve'), 0) AS reserve
  FROM ledger.transaction t
  JOIN ledger.posting o USING (merchant_id, transaction_id)
  JOIN ledger.account s ON s.merchant_id = o.merchant_id AND s.account_id = o.source_account_id
  JOIN ledger.account d ON d.merchant_id = o.merchant_id AND d.account_id = o.destination_account_id
  WHERE t.kind = '${kind}'
  GROUP BY t.merchant_id, t.reference`;

/** What `verify` checks about reversals and fees charged by themselves: what a consumption says is what the ledger has moved for it. */
export const reversalRules = [
  {
    name: "what a reversal has moved for good is what the ledger has moved",
    sql: `SELECT format('merchant %s reversal %s has moved %s/%s, the ledger says %s/%s', p.merchant_id, p.consume_no, p.credit_booked,
              p.reserve_booked, coalesce(l.credit, 0), coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("reversal")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type = 'Reversal'
            AND (p.credit_booked <> abs(coalesce(l.credit, 0)) OR p.reserve_booked <> abs(coalesce(l.reserve, 0)))`,
  },
  {
    name: "what a failed purchase bears is the fee that was charged for it",
    sql: `SELECT format('merchant %s consumption %s bears %s/%s, it was charged %s/%s', p.merchant_id, p.consume_no, p.credit_total,
              p.reserve_total, coalesce(l.credit, 0), coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("fee")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type IN ('Consumption', 'Atm') AND p.status = 'Fail'
            AND (p.credit_total <> coalesce(l.credit, 0) OR p.reserve_total <> coalesce(l.reserve, 0))`,
  },
] as const;
