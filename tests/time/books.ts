import type { Pool } from "pg";

/** Everything that time has done to a database, without the numbers that differ from one run to the next. */
export interface Books {
  readonly accounts: readonly string[];
  readonly sums: readonly string[];
  /** In the order of their business times. */
  readonly movements: readonly string[];
  readonly consumptions: readonly string[];
  readonly cards: readonly string[];
  readonly charges: readonly string[];
  readonly pushes: readonly string[];
  readonly events: readonly string[];
  readonly openHolds: readonly string[];
}

/** Merchants, cardholders and cards are named by the order in which they were made: two runs of one story make the same ones. */
const named = `
WITH named_merchant AS (SELECT merchant_id, row_number() OVER (ORDER BY merchant_id) AS m FROM merchant),
named_holder AS (SELECT merchant_id, cardholder_no, row_number() OVER (ORDER BY merchant_id, cardholder_no) AS h FROM cardholder),
named_card AS (SELECT merchant_id, card_no, row_number() OVER (ORDER BY merchant_id, card_no) AS c FROM card),
named_account AS (
  SELECT a.*, format('m%s/%s/%s', m, kind, coalesce(h::text, '')) AS name FROM ledger.account a JOIN named_merchant USING (merchant_id)
  LEFT JOIN named_holder h ON h.merchant_id = a.merchant_id AND h.cardholder_no = a.owner
), named_posting AS (
  SELECT t.created_at AS at, t.kind, s.name AS source, p.source_held, d.name AS destination, p.destination_held, p.amount
  FROM ledger.transaction t
  JOIN ledger.posting p ON p.merchant_id = t.merchant_id AND p.transaction_id = t.transaction_id
  JOIN named_account s ON s.merchant_id = p.merchant_id AND s.account_id = p.source_account_id
  JOIN named_account d ON d.merchant_id = p.merchant_id AND d.account_id = p.destination_account_id
)`;

const parts: Record<keyof Books, string> = {
  accounts: "SELECT format('%s %s %s', name, available, held) AS line FROM named_account ORDER BY 1",
  sums: `SELECT format('%s %s → %s %s', kind, source, destination, sum(amount)) AS line FROM named_posting
         GROUP BY kind, source, source_held, destination, destination_held ORDER BY 1`,
  movements: `SELECT format('%s %s %s %s → %s %s', at, kind, amount, source, destination, source_held) AS line FROM named_posting
              ORDER BY at, kind, 1`,
  consumptions: `SELECT format('c%s %s %s %s fee %s %s %s at %s changed %s', c, type, status, amount, fee, remark, stage, p.created_at,
                   changed_at) AS line
                 FROM consumption p JOIN named_card USING (merchant_id, card_no) ORDER BY p.created_at, c, 1`,
  cards: "SELECT format('c%s %s', c, status) AS line FROM card JOIN named_card USING (merchant_id, card_no) ORDER BY c",
  charges: `SELECT format('c%s %s %s %s %s tries %s at %s', c, side, period_index, outcome, amount, tries, at) AS line
            FROM management_charge JOIN named_card USING (merchant_id, card_no) ORDER BY c, side, period_index`,
  pushes: `SELECT format('c%s %s %s %s', c, sequence, action, created_at) AS line
           FROM any_callback JOIN named_card USING (merchant_id, card_no) ORDER BY c, sequence`,
  events: `SELECT format('m%s %s %s %s', m, kind, at, detail - 'card_no') AS line
           FROM merchant_event JOIN named_merchant USING (merchant_id) ORDER BY at, m, 1`,
  openHolds:
    "SELECT format('%s %s', name, h.amount) AS line FROM ledger.hold h JOIN named_account USING (merchant_id, account_id) ORDER BY 1",
};

export async function booksOf(pool: Pool): Promise<Books> {
  const lines = async (part: keyof Books): Promise<string[]> => {
    const { rows } = await pool.query<{ line: string }>(`${named} ${parts[part]}`);
    return rows.map(({ line }) => line);
  };
  return {
    accounts: await lines("accounts"),
    sums: await lines("sums"),
    movements: await lines("movements"),
    consumptions: await lines("consumptions"),
    cards: await lines("cards"),
    charges: await lines("charges"),
    pushes: await lines("pushes"),
    events: await lines("events"),
    openHolds: await lines("openHolds"),
  };
}
