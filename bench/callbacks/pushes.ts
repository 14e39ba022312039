import type { PoolClient } from "pg";
import { takeIndexesOff } from "../programme.ts";

/** Pushes that the loader writes: spread evenly over the cards, the cards evenly over the merchants. */
export interface PushPlan {
  /** Part of every card's number: books and databases of different loads stay apart. */
  readonly name: string;
  readonly merchants: number;
  readonly cards: number;
  /** Pushes of this plan that are there already: the count goes on from there, and so does each card's sequence. */
  readonly from: number;
  readonly pushes: number;
  /** Unix ms: the first and the last push; those between are spread evenly. */
  readonly dueAtMs: readonly [first: number, last: number];
}

/** As the decision's batches are when both lanes are full. */
const pushesOfBatch = 64;

/**
 * What the decision inserts for an approval, with text of the same size. Neighbours in time are pushes of different cards, as
 * in a programme of many customers. `due_at` inside the data is for the merchant's book: how long a push was on its way.
 */
const rowsOfPlan = `
SELECT k.n, k.card % $2::bigint + 1 AS merchant_id,
  (lpad(to_hex(k.at), 12, '0') || '7' || lpad(to_hex(k.n & 4095), 3, '0') || '8' || substr(md5($1::text || k.n::text), 1, 15))::uuid AS callback_id,
  k.card_no, k.n / $3::bigint + 1 AS sequence, 'Consumption' AS action, k.consume_no,
  '{"consume_no":"' || k.consume_no || '","consume_relate_no":"","card_no":"' || k.card_no || '","cardholder_no":"U2026052266YX'
    || lpad(k.card::text, 12, '0') || '","type":"Consumption","amount":25.81,"local_amount":25.81,"local_currency":"USD","fee":0.26,'
    || '"remark":"","detail":"","fee_detail":[{"fee_type":"Consume_fee","amount":0.26}],"merchant_info":{"merchant_name":"Corner Shop",'
    || '"merchant_mcc":"5411","city":"Singapore","country":"SG"},"status":"Pending","time":' || k.at || ',"due_at":' || k.at || '}' AS data,
  k.at AS created_at, k.at AS due_at
FROM (
  SELECT n, n % $3::bigint AS card, 'C20260522' || $1::text || lpad((n % $3::bigint)::text, 15, '0') AS card_no,
    'O20260522' || $1::text || lpad(n::text, 15, '0') AS consume_no,
    $6::bigint + (($7::bigint - $6::bigint) * (n - $4::bigint)) / greatest(1, $5::bigint - 1) AS at
  FROM generate_series($4::bigint, $4::bigint + $5::bigint - 1) AS n OFFSET 0
) k`;

const fields = "merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at";

const valuesOf = ({ name, merchants, cards, from, pushes, dueAtMs }: PushPlan): unknown[] => [
  name,
  merchants,
  cards,
  from,
  pushes,
  ...dueAtMs,
];

/** Writes the pushes to the outbox in one statement, in rows as batches of decisions write them: the texts apart, in one value. */
export async function writePushes(sql: Pick<PoolClient, "query">, plan: PushPlan): Promise<void> {
  await sql.query(
    `INSERT INTO callback_outbox (callbacks, texts, size)
     SELECT array_agg(ROW(merchant_id, callback_id, card_no, sequence, action, consume_no, '', created_at, due_at, text_at)::outgoing_callback
         ORDER BY n), string_agg(data, E'\\x1f' ORDER BY n), count(*)
     FROM (
       SELECT *, n / ${pushesOfBatch} AS batch, row_number() OVER (PARTITION BY n / ${pushesOfBatch} ORDER BY n) AS text_at
       FROM (${rowsOfPlan}) r
     ) p
     GROUP BY batch ORDER BY batch`,
    valuesOf(plan),
  );
}

/** The same for a million, which have left the outbox already: indexes are put back after the rows, and the table is left as a day of vacuums would leave it. */
export async function loadPushes(sql: PoolClient, plan: PushPlan): Promise<void> {
  await sql.query("SET maintenance_work_mem = '1GB'");
  const indexes = await takeIndexesOff(sql, "callback");
  await sql.query(`INSERT INTO callback (${fields}) SELECT ${fields} FROM (${rowsOfPlan}) p`, valuesOf(plan));
  for (const definition of indexes) {
    await sql.query(definition);
  }
  await sql.query("VACUUM ANALYZE callback");
  await sql.query("CHECKPOINT");
}
