/** What left the cardholder's account, and the reserve, for good by transactions of some kinds; negative came in. */
const movedBy = (...kinds: readonly ("post" | "refund" | "reversal" | "fee")[]): string => `
  SELECT t.merchant_id, t.reference,
         coalesce(sum(o.amount) FILTER (WHERE s.kind = 'cardholder' AND d.kind <> 'cardholder'), 0)
           - coalesce(sum(o.amount) FILTER (WHERE d.kind = 'cardholder' AND s.kind <> 'cardholder'), 0) AS credit,
         coalesce(sum(o.amount) FILTER (WHERE s.kind = 'reserve' AND d.kind <> 'reserve'), 0)
           - coalesce(sum(o.amount) FILTER (WHERE d.kind = 'reserve' AND s.kind <> 'reserve'), 0) AS reserve
  FROM ledger.transaction t
  JOIN ledger.posting o USING (merchant_id, transaction_id)
  JOIN ledger.account s ON s.merchant_id = o.merchant_id AND s.account_id = o.source_account_id
  JOIN ledger.account d ON d.merchant_id = o.merchant_id AND d.account_id = o.destination_account_id
  WHERE t.kind IN (${kinds.map((kind) => `'${kind}'`).join(", ")})
  GROUP BY t.merchant_id, t.reference`;

/**
 * What `verify` checks about what becomes of a card transaction: what a consumption says was taken, given back or charged is what the
 * ledger has moved for it.
 */
export const clearingRules = [
  {
    name: "a cleared purchase has cleared its amount",
    sql: `SELECT format('merchant %s consumption %s is of %s and has cleared %s', merchant_id, consume_no, amount, cleared_amount) AS row
          FROM consumption
          WHERE type IN ('Consumption', 'Atm') AND status = 'Success' AND cleared_amount <> amount`,
  },
  {
    name: "what clearings have booked is what the ledger has moved",
    sql: `SELECT format('merchant %s consumption %s has booked %s/%s, the ledger has moved %s/%s', p.merchant_id, p.consume_no, p.credit_booked,
              p.reserve_booked, coalesce(l.credit, 0), coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("post")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type IN ('Consumption', 'Atm')
            AND (p.credit_booked <> coalesce(l.credit, 0) OR p.reserve_booked <> coalesce(l.reserve, 0))`,
  },
  {
    name: "what a finished purchase bears is what was taken for it, fees charged by themselves included",
    sql: `SELECT format('merchant %s consumption %s bears %s/%s, the ledger has taken %s/%s', p.merchant_id, p.consume_no, p.credit_total,
              p.reserve_total, coalesce(l.credit, 0), coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("post", "fee")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type IN ('Consumption', 'Atm') AND p.stage = 'done'
            AND (p.credit_total <> coalesce(l.credit, 0) OR p.reserve_total <> coalesce(l.reserve, 0))`,
  },
  {
    name: "what a refund has given is what the ledger has moved",
    sql: `SELECT format('merchant %s refund %s has given %s/%s, the ledger has moved %s/%s', p.merchant_id, p.consume_no, p.credit_booked,
              p.reserve_booked, -coalesce(l.credit, 0), -coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("refund")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type = 'Refund'
            AND (p.credit_booked <> -coalesce(l.credit, 0) OR p.reserve_booked <> -coalesce(l.reserve, 0))`,
  },
  {
    name: "what a reversal has moved for good is what the ledger has moved",
    sql: `SELECT format('merchant %s reversal %s has moved %s/%s, the ledger says %s/%s', p.merchant_id, p.consume_no, p.credit_booked,
              p.reserve_booked, coalesce(l.credit, 0), coalesce(l.reserve, 0)) AS row
          FROM consumption p LEFT JOIN (${movedBy("reversal")}) l ON l.merchant_id = p.merchant_id AND l.reference = p.consume_no
          WHERE p.type = 'Reversal'
            AND (p.credit_booked <> abs(coalesce(l.credit, 0)) OR p.reserve_booked <> abs(coalesce(l.reserve, 0)))`,
  },
  {
    name: "a message of the network has changed a consumption that exists",
    sql: `SELECT format('merchant %s message %s names %s', n.merchant_id, n.network_reference, n.consume_no) AS row
          FROM network_message n
          LEFT JOIN consumption p ON p.merchant_id = n.merchant_id AND p.consume_no = n.consume_no
          WHERE n.consume_no <> '' AND p.consume_no IS NULL`,
  },
] as const;
