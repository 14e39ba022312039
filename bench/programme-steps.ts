import type { FeeDetail } from "@cardwright/contract";
import type { ProgrammePlan } from "./programme.ts";

/** One statement that fills one table. */
export interface Step {
  readonly name: string;
  readonly sql: string;
  readonly values: unknown[];
  /** The table whose indexes are built after its rows; null where it is small. */
  readonly rebuild: string | null;
}

/** A day less than the 90 that a list may ask for, so that all of it is in range whenever the list is read. */
const periodMs = 89 * 86_400_000;
/** Minor units. Far more than any run spends, far less than a bigint. */
const creditEach = 1_000_000_000_00;
const reserveEach = 1_000_000_000_000_00;
const limitMinor = 9_000_000_000_000;
const clearingDelayMs = 3_600_000;

export const binNo = "B20260101000000000";
export const packageNo = "P20260101000000000";

/** A multiplier that is prime to every usual number of cards: neighbours in time are not neighbours among the cards. */
const scatter = 2_654_435_761;

/** Rows that name two sides of a movement; `source` and `destination` are accounts, a dot separates account and bucket. */
interface PostingColumns {
  readonly transaction: string;
  readonly line: number;
  readonly source: string;
  readonly sourceHeld: boolean;
  readonly destination: string;
  readonly destinationHeld: boolean;
  readonly amount: string;
  readonly currency: "USD" | "TUSDT";
}

function postings(from: string, lines: readonly PostingColumns[]): string {
  const values = lines.map(
    (l) =>
      `(${l.transaction}, ${l.line}::smallint, ${l.source}, ${l.sourceHeld}, ${l.destination}, ${l.destinationHeld}, ${l.amount}, '${l.currency}')`,
  );
  return `INSERT INTO ledger.posting
    SELECT k.merchant_id, l.* FROM ${from} JOIN bench.own w ON w.merchant_id = k.merchant_id
    CROSS JOIN LATERAL (VALUES ${values.join(", ")}) AS l (t, n, s, sh, d, dh, a, c)`;
}

/** In the order of the columns of bench.own. */
const ownKinds = ["reserve", "funding", "settlement", "platform_income", "credit_line", "spending", "merchant_income"];
const byPlan = "bench.consumption k JOIN bench.card o USING (card_index)";
const transferId = "bench.uuid7(k.opened_at, k.card_index, 'transfer')";
/** Delivered pushes are kept for 30 days (callbacks/limits.ts). */
const pushedAfter = (endsAt: string): string => `${endsAt}::bigint - ${30 * 86_400_000}`;
const rechargeId = "bench.uuid7(1767225600000, k.merchant_id, 'recharge')";

/** Every statement of a programme, in order. */
export function programmeSteps(
  plan: ProgrammePlan,
  terms: { readonly packageRates: FeeDetail; readonly binRates: FeeDetail },
): readonly Step[] {
  const steps = [
    ...products(terms),
    ...merchants(plan),
    ...plans(plan),
    ...cards(plan),
    ...history(plan),
    ...accounts(plan),
  ];
  return plan.mode === "CREDIT_EXTENSION" ? steps : steps.filter((step) => !step.name.startsWith("credit"));
}

function products(terms: { readonly packageRates: FeeDetail; readonly binRates: FeeDetail }): Step[] {
  return [
    {
      name: "BIN",
      sql: `INSERT INTO bin (card_bin_no, bin, organization, support_virtual, support_physical, created_at)
            VALUES ($1, '400000', 'VISA', true, true, 1767225600000)`,
      values: [binNo],
      rebuild: null,
    },
    {
      name: "package",
      sql: `INSERT INTO package (package_no, card_bin_no, en_name, cn_name, support_virtual, support_physical, created_at)
            VALUES ($1, $2, 'Everyday', 'Everyday', true, true, 1767225600000)`,
      values: [packageNo, binNo],
      rebuild: null,
    },
    {
      name: "terms",
      sql: `INSERT INTO product_terms SELECT u.p, 1, $3, $3, $3, $3, u.r, 1767225600000 FROM unnest($1::text[], $2::jsonb[]) AS u (p, r)`,
      values: [[packageNo, binNo], [JSON.stringify(terms.packageRates), JSON.stringify(terms.binRates)], limitMinor],
      rebuild: null,
    },
  ];
}

function merchants(plan: ProgrammePlan): Step[] {
  return [
    {
      name: "merchants",
      sql: `INSERT INTO merchant (merchant_id, merchant_no, name, mode, app_id, created_at) OVERRIDING SYSTEM VALUE
            SELECT m, bench.order_number('M', 1767225600000, m), 'Merchant ' || m, $2, 'app-' || m, 1767225600000 FROM generate_series(1, $1::int) AS m`,
      values: [plan.merchants, plan.mode],
      rebuild: null,
    },
    {
      name: "ids of the merchants' accounts",
      sql: `INSERT INTO bench.own SELECT merchant_id, ${ownKinds.map((kind) => `bench.uuid7(1767225600000, merchant_id, '${kind}')`).join(", ")} FROM merchant`,
      values: [],
      rebuild: null,
    },
    {
      name: "recharge orders",
      sql: `INSERT INTO recharge_order
            SELECT merchant_id, bench.order_number('R', 1767225600000, merchant_id), $1, 'USD', 'opening', 'Confirmed', 1767225600000, 1767225600000 FROM merchant`,
      values: [reserveEach],
      rebuild: null,
    },
    {
      name: "recharge transactions",
      sql: `INSERT INTO ledger.transaction
            SELECT k.merchant_id, ${rechargeId}, 'recharge', recharge_no, 1, 1767225600000 FROM recharge_order k`,
      values: [],
      rebuild: null,
    },
    {
      name: "recharge postings",
      sql: postings("merchant k", [
        {
          transaction: rechargeId,
          line: 1,
          source: "w.funding",
          sourceHeld: false,
          destination: "w.reserve",
          destinationHeld: false,
          amount: `${reserveEach}::bigint`,
          currency: "USD",
        },
      ]),
      values: [],
      rebuild: null,
    },
  ];
}

function plans(plan: ProgrammePlan): Step[] {
  const openedAt = `($2::bigint - ${periodMs} + i * ${periodMs} / $1::bigint)`;
  return [
    {
      name: "plan of the cards",
      sql: `INSERT INTO bench.card
            SELECT k.i, k.merchant_id, k.at, bench.order_number('C', k.at, k.i), bench.order_number('U', k.at, k.i),
                   bench.uuid7(k.at, k.i, 'cardholder'), w.reserve
            FROM (SELECT i, (i % $3::bigint + 1)::integer AS merchant_id, ${openedAt} AS at FROM generate_series(0, $1::bigint - 1) AS i OFFSET 0) k
            JOIN bench.own w USING (merchant_id)`,
      values: [plan.cards, plan.endsAt, plan.merchants],
      rebuild: "bench.card",
    },
    {
      name: "plan of the consumptions",
      sql: `INSERT INTO bench.consumption
            SELECT p.n, p.card_index, (p.card_index % $4::bigint + 1)::integer, p.at, bench.order_number('O', p.at, p.n),
                   bench.uuid7(p.at, p.n * 2, 'ledger'), bench.uuid7(p.at + ${clearingDelayMs}, p.n * 2 + 1, 'ledger'), 100 + p.n * 7919 % 4900
            FROM (SELECT n, (n * ${scatter}) % $2::bigint AS card_index, $3::bigint - ${periodMs} + n * ${periodMs} / $1::bigint AS at
                  FROM generate_series(0, $1::bigint - 1) AS n OFFSET 0) p`,
      values: [plan.consumptions, plan.cards, plan.endsAt, plan.merchants],
      rebuild: null,
    },
  ];
}

function cards(plan: ProgrammePlan): Step[] {
  return [
    {
      name: "cardholders",
      sql: `INSERT INTO cardholder (merchant_id, cardholder_no, cardholder_unique_no, status, email, first_name, last_name, attempt,
              kyc_applicant_id, first_approved_at, created_at, updated_at)
            SELECT merchant_id, cardholder_no, 'user-' || card_index, 'Approved', 'user' || card_index || '@example.com', 'Ada', 'Holder',
              1, md5(card_index::text), opened_at, opened_at, opened_at FROM bench.card ORDER BY card_index`,
      values: [],
      rebuild: "cardholder",
    },
    {
      // Each row is written once, with the number of its last push: a running platform writes it anew on its page, and an UPDATE of all would
      // leave the table twice as large and in no order.
      name: "cards",
      sql: `INSERT INTO card (merchant_id, card_no, card_unique_no, content_hash, cardholder_no, card_bin_no, bin_terms_version, package_no,
              package_terms_version, card_type, organization, card_name, card_last_no, expiry_year, expiry_month, credit_account_id, status,
              utc_offset_minutes, callback_sequence, created_at)
            SELECT merchant_id, card_no, 'card-' || card_index, sha256(card_no::bytea), cardholder_no, $1, 1, $2, $3, 'Virtual', 'VISA',
              'ADA HOLDER', lpad((card_index % 10000)::text, 4, '0'), 2035, 12, ${plan.mode === "CREDIT_EXTENSION" ? "credit_account_id" : "NULL"},
              'Activated', 480, coalesce(pushes, 0), opened_at
            FROM bench.card
            LEFT JOIN (SELECT card_index, count(*) AS pushes FROM bench.consumption WHERE at > ${pushedAfter("$4")} GROUP BY card_index) s USING (card_index)
            ORDER BY card_index`,
      values: [...(plan.mode === "CREDIT_EXTENSION" ? [binNo, packageNo, 1] : [binNo, null, null]), plan.endsAt],
      rebuild: "card",
    },
    {
      name: "credit transfers",
      sql: `INSERT INTO credit_transfer
            SELECT merchant_id, bench.order_number('T', opened_at, card_index), 'transfer-' || card_index, cardholder_no, 'In', $1, 0, $1,
              'Success', opened_at FROM bench.card ORDER BY card_index`,
      values: [creditEach],
      rebuild: "credit_transfer",
    },
  ];
}

/** Credit mode has both sides in every transaction, authorization mode only the reserve's. */
function history(plan: ProgrammePlan): Step[] {
  const isCredit = plan.mode === "CREDIT_EXTENSION";
  const transactionsOfCredit = `SELECT k.merchant_id, ${transferId}, 'transfer_in', bench.order_number('T', k.opened_at, k.card_index), 1, k.opened_at
    FROM bench.card k`;
  const lines = isCredit ? 2 : 1;
  return [
    {
      name: "consumptions",
      sql: `INSERT INTO consumption (merchant_id, consume_no, card_no, cardholder_no, type, status, stage, amount, credit_total, reserve_total,
              local_amount, local_currency, merchant_name, merchant_mcc, merchant_city, merchant_country, network_reference, hold_id,
              created_at, changed_at)
            SELECT k.merchant_id, k.consume_no, o.card_no, o.cardholder_no, 'Consumption', 'Success', 'done', k.amount, ${isCredit ? "k.amount" : "0"},
              k.amount, to_char(k.amount / 100.0, 'FM999990.00'), 'USD', 'Corner Shop ' || k.n % 1000, '5411', 'Singapore', 'SG',
              'history-' || k.n, k.hold_id, k.at, k.at + ${clearingDelayMs}
            FROM ${byPlan}`,
      values: [],
      rebuild: "consumption",
    },
    {
      name: "days of callbacks",
      sql: `SELECT make_callback_partitions(array_agg(d::integer))
            FROM generate_series($1::bigint / 86400000 - 31, $1::bigint / 86400000 + 1) AS d`,
      values: [plan.endsAt],
      rebuild: null,
    },
    {
      name: "callbacks",
      sql: `INSERT INTO callback_history (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, state, due_at,
              attempts, failures, finished_at)
            SELECT k.merchant_id, bench.uuid7(k.at, k.n, 'callback'), o.card_no, row_number() OVER (PARTITION BY k.card_index ORDER BY k.n),
              'Consumption', k.consume_no, '{"consume_no":"' || k.consume_no || '","card_no":"' || o.card_no || '"' || repeat(' ', 420) || '}',
              k.at, 'Delivered', k.at, 1, 0, k.at + 500
            FROM ${byPlan} WHERE k.at > ${pushedAfter("$1")} ORDER BY k.n`,
      values: [plan.endsAt],
      rebuild: null,
    },
    {
      name: "ledger transactions",
      sql: `INSERT INTO ledger.transaction
            ${isCredit ? `${transactionsOfCredit} UNION ALL` : ""}
            SELECT k.merchant_id, k.hold_id, 'hold', consume_no, ${lines}, k.at FROM bench.consumption k
            UNION ALL
            SELECT k.merchant_id, k.post_id, 'post', consume_no, ${lines}, k.at + ${clearingDelayMs} FROM bench.consumption k`,
      values: [],
      rebuild: "ledger.transaction",
    },
    {
      name: "credit transfer postings",
      sql: postings("bench.card k", [
        {
          transaction: transferId,
          line: 1,
          source: "w.credit_line",
          sourceHeld: false,
          destination: "k.credit_account_id",
          destinationHeld: false,
          amount: `${creditEach}::bigint`,
          currency: "TUSDT",
        },
      ]),
      values: [],
      rebuild: null,
    },
    {
      name: "ledger postings",
      sql: postings(byPlan, isCredit ? [...creditSide(), ...reserveSide(2)] : reserveSide(1)),
      values: [],
      rebuild: "ledger.posting",
    },
  ];
}

function creditSide(): PostingColumns[] {
  const base = { line: 1, amount: "k.amount", currency: "TUSDT" } as const;
  const credit = "o.credit_account_id";
  return [
    {
      ...base,
      transaction: "k.hold_id",
      source: credit,
      sourceHeld: false,
      destination: credit,
      destinationHeld: true,
    },
    {
      ...base,
      transaction: "k.post_id",
      source: credit,
      sourceHeld: true,
      destination: "w.spending",
      destinationHeld: false,
    },
  ];
}

function reserveSide(line: number): PostingColumns[] {
  const base = { line, amount: "k.amount", currency: "USD" } as const;
  const reserve = "o.reserve_account_id";
  return [
    {
      ...base,
      transaction: "k.hold_id",
      source: reserve,
      sourceHeld: false,
      destination: reserve,
      destinationHeld: true,
    },
    {
      ...base,
      transaction: "k.post_id",
      source: reserve,
      sourceHeld: true,
      destination: "w.settlement",
      destinationHeld: false,
    },
  ];
}

/** Balances are what the history says: opening amount less what was spent, and the other side of each. */
function accounts(plan: ProgrammePlan): Step[] {
  const isCredit = plan.mode === "CREDIT_EXTENSION";
  const spent = "coalesce(s.amount, 0)";
  const ofMerchant = (kind: string, balance: string, currency: string, floor: string) =>
    `SELECT k.merchant_id, w.${kind}, '${kind}', '', '${currency}', (${balance})::bigint, 0, ${floor}, 1767225600000
     FROM merchant k JOIN bench.own w USING (merchant_id) LEFT JOIN per_merchant s USING (merchant_id)`;
  const creditLine = `-${creditEach}::bigint * (SELECT count(*) FROM bench.card c WHERE c.merchant_id = k.merchant_id)`;
  return [
    {
      name: "accounts",
      sql: `INSERT INTO ledger.account (merchant_id, account_id, kind, owner, currency, available, held, floor, created_at)
            WITH per_card AS (SELECT card_index, sum(amount) AS amount FROM bench.consumption GROUP BY card_index),
                 per_merchant AS (SELECT merchant_id, sum(amount) AS amount FROM bench.consumption GROUP BY merchant_id)
            ${ofMerchant("reserve", `${reserveEach} - ${spent}`, "USD", "0::bigint")}
            UNION ALL ${ofMerchant("funding", `-${reserveEach}::bigint`, "USD", "NULL")}
            UNION ALL ${ofMerchant("settlement", spent, "USD", "NULL")}
            UNION ALL ${ofMerchant("platform_income", "0", "USD", "NULL")}
            ${
              isCredit
                ? `UNION ALL ${ofMerchant("credit_line", creditLine, "TUSDT", "NULL")}
                   UNION ALL ${ofMerchant("spending", spent, "TUSDT", "NULL")}
                   UNION ALL ${ofMerchant("merchant_income", "0", "TUSDT", "NULL")}
                   UNION ALL SELECT k.merchant_id, k.credit_account_id, 'cardholder', k.cardholder_no, 'TUSDT', (${creditEach} - ${spent})::bigint, 0,
                     0, k.opened_at FROM bench.card k LEFT JOIN per_card s USING (card_index)
                   UNION ALL SELECT k.merchant_id, bench.uuid7(k.opened_at, k.card_index, 'bonus'), 'bonus', k.cardholder_no, 'TUSDT', 0, 0,
                     0, k.opened_at FROM bench.card k`
                : ""
            }`,
      values: [],
      rebuild: "ledger.account",
    },
    { name: "the loader's plan is removed", sql: "DROP TABLE bench.consumption", values: [], rebuild: null },
  ];
}
