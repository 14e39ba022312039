import type { Sql } from "#database/index.ts";
import type { PeriodActivity } from "#fees/index.ts";
import { firstOrderNumberAt } from "#kernel/index.ts";
import type { CardKey } from "./locked-card.ts";

/** Who pays: the cardholder by the package's schedule, or the reserve by the BIN's. */
export type ManagementSide = "cardholder" | "reserve";

export interface ManagementKey extends CardKey {
  readonly side: ManagementSide;
}

export type ManagementStep = "plan" | "fee" | "retry";

/** A fee to be looked at, with the terms that it is computed by: those the card was opened with, which never change. */
export interface ManagementDue extends ManagementKey {
  readonly step: ManagementStep;
  readonly dueAt: number;
  readonly terms: { readonly productNo: string; readonly version: number };
}

interface DueRow {
  merchant_id: number;
  card_no: string;
  side: ManagementSide;
  step: ManagementStep;
  due_at: bigint;
  product_no: string;
  terms_version: number;
}

/** In the order that they are taken in: by due time, then by card. From the one after `after` on. */
export async function selectDue(
  sql: Sql,
  options: { readonly until: number; readonly after: ManagementDue | null; readonly limit: number },
): Promise<ManagementDue[]> {
  const { until, after, limit } = options;
  const { rows } = await sql.query<DueRow>({
    name: "management_due",
    text: `SELECT d.merchant_id, d.card_no, d.side, d.step, d.due_at,
             CASE d.side WHEN 'cardholder' THEN k.package_no ELSE k.card_bin_no END AS product_no,
             CASE d.side WHEN 'cardholder' THEN k.package_terms_version ELSE k.bin_terms_version END AS terms_version
           FROM management_due d JOIN card k USING (merchant_id, card_no)
           WHERE (d.due_at, d.merchant_id, d.card_no, d.side) > ($1, $2, $3, $4) AND d.due_at <= $5
           ORDER BY d.due_at, d.merchant_id, d.card_no, d.side LIMIT $6`,
    values: [after?.dueAt ?? -1, after?.merchantId ?? 0, after?.cardNo ?? "", after?.side ?? "", until, limit],
  });
  return rows.map((row) => ({
    merchantId: row.merchant_id,
    cardNo: row.card_no,
    side: row.side,
    step: row.step,
    dueAt: Number(row.due_at),
    terms: { productNo: row.product_no, version: row.terms_version },
  }));
}

export async function selectNextDueAt(sql: Sql, after: number): Promise<number | null> {
  const { rows } = await sql.query<{ due_at: bigint }>({
    name: "management_next_due_at",
    text: "SELECT due_at FROM management_due WHERE due_at > $1 ORDER BY due_at LIMIT 1",
    values: [after],
  });
  return rows[0] === undefined ? null : Number(rows[0].due_at);
}

/** What the charge must know beside the card, whose row is locked. */
export interface LockedDue {
  readonly step: ManagementStep;
  readonly dueAt: number;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly merchantClosed: boolean;
  readonly exempt: boolean;
}

/** Null when the row is gone: the card is over, or was when another worker looked. */
export async function lockDue(sql: Sql, key: ManagementKey): Promise<LockedDue | null> {
  const { rows } = await sql.query<{
    step: ManagementStep;
    due_at: bigint;
    expiry_year: number;
    expiry_month: number;
    closed: boolean;
    exempt: boolean;
  }>({
    name: "management_lock_due",
    text: `SELECT d.step, d.due_at, k.expiry_year, k.expiry_month, m.status = 'Closed' AS closed,
             EXISTS (SELECT FROM management_exemption e WHERE e.merchant_id = d.merchant_id AND e.card_no IN ('', d.card_no)) AS exempt
           FROM management_due d JOIN card k USING (merchant_id, card_no) JOIN merchant m USING (merchant_id)
           WHERE d.merchant_id = $1 AND d.card_no = $2 AND d.side = $3 FOR UPDATE OF d`,
    values: [key.merchantId, key.cardNo, key.side],
  });
  const row = rows[0];
  return row === undefined
    ? null
    : {
        step: row.step,
        dueAt: Number(row.due_at),
        expiry: { year: row.expiry_year, month: row.expiry_month },
        merchantClosed: row.closed,
        exempt: row.exempt,
      };
}

export async function moveDue(
  sql: Sql,
  key: ManagementKey,
  to: { readonly step: ManagementStep; readonly dueAt: number },
): Promise<void> {
  await sql.query(
    "UPDATE management_due SET step = $4, due_at = $5 WHERE merchant_id = $1 AND card_no = $2 AND side = $3",
    [key.merchantId, key.cardNo, key.side, to.step, to.dueAt],
  );
}

/** Ends the management fees of a card, on both sides. */
export async function deleteDue(sql: Sql, card: CardKey): Promise<void> {
  await sql.query("DELETE FROM management_due WHERE merchant_id = $1 AND card_no = $2", [card.merchantId, card.cardNo]);
}

export interface ManagementCharge extends ManagementKey {
  readonly periodIndex: number;
  readonly outcome: "taken" | "waived" | "failed";
  readonly amount: bigint;
  readonly consumeNo: string;
  readonly tries: number;
  readonly at: number;
}

/** The first try of a period. That there is one already fails the transaction: nothing may be taken twice. */
export async function insertCharge(sql: Sql, charge: ManagementCharge): Promise<void> {
  await sql.query(
    `INSERT INTO management_charge (merchant_id, card_no, side, period_index, outcome, amount, consume_no, tries, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    chargeValues(charge),
  );
}

/** The second try. Fails the transaction when the period's first has not failed. */
export async function updateCharge(sql: Sql, charge: ManagementCharge): Promise<void> {
  const { rowCount } = await sql.query(
    `UPDATE management_charge SET outcome = $5, amount = $6, consume_no = $7, tries = $8, at = $9
     WHERE merchant_id = $1 AND card_no = $2 AND side = $3 AND period_index = $4 AND outcome = 'failed' AND tries = 1`,
    chargeValues(charge),
  );
  if (rowCount !== 1) {
    throw new Error(`period ${charge.periodIndex} of card ${charge.cardNo} has no first try that failed`);
  }
}

const chargeValues = (c: ManagementCharge): unknown[] => [
  c.merchantId,
  c.cardNo,
  c.side,
  c.periodIndex,
  c.outcome,
  c.amount,
  c.consumeNo,
  c.tries,
  c.at,
];

/** The consumption of the try that failed; empty where the merchant was not shown it. */
export async function selectFailedConsumeNo(
  sql: Sql,
  key: ManagementKey & { readonly periodIndex: number },
): Promise<string> {
  const { rows } = await sql.query<{ consume_no: string }>(
    "SELECT consume_no FROM management_charge WHERE merchant_id = $1 AND card_no = $2 AND side = $3 AND period_index = $4",
    [key.merchantId, key.cardNo, key.side, key.periodIndex],
  );
  return rows[0]?.consume_no ?? "";
}

/** A number may be made a little before or after the moment that its consumption says; the moment decides. */
const numberSlackMs = 60_000;

/**
 * What a card bought between two moments (the end excluded): purchases and withdrawals that were approved and neither reversed nor
 * expired since. Increments add to the amount, not to the number. Account verifications of amount 0 buy nothing.
 */
export async function selectActivity(
  sql: Sql,
  card: CardKey,
  period: { readonly startsAt: number; readonly endsAt: number },
): Promise<PeriodActivity> {
  const { rows } = await sql.query<{ spending: bigint; purchases: number }>({
    name: "management_activity",
    text: `SELECT coalesce(sum(amount), 0)::bigint AS spending, count(*) FILTER (WHERE consume_relate_no = '')::integer AS purchases
           FROM consumption
           WHERE merchant_id = $1 AND card_no = $2 AND consume_no >= $3 AND consume_no < $4 AND created_at >= $5 AND created_at < $6
             AND type IN ('Consumption', 'Atm') AND status <> 'Fail' AND stage <> 'asking' AND amount > 0
             AND NOT (remark = 'reversed_after_clearing' AND refunded_amount >= amount)`,
    values: [
      card.merchantId,
      card.cardNo,
      firstOrderNumberAt("O", period.startsAt - numberSlackMs),
      firstOrderNumberAt("O", period.endsAt + numberSlackMs),
      period.startsAt,
      period.endsAt,
    ],
  });
  return rows[0] ?? { spending: 0n, purchases: 0 };
}

/** Something that the merchant's operator should know, in the transaction in which it happened. */
export async function insertEvent(
  sql: Sql,
  event: {
    readonly merchantId: number;
    readonly eventId: string;
    readonly kind: string;
    readonly detail: Readonly<Record<string, string | number>>;
    readonly at: number;
  },
): Promise<void> {
  await sql.query("INSERT INTO merchant_event (merchant_id, event_id, kind, detail, at) VALUES ($1, $2, $3, $4, $5)", [
    event.merchantId,
    event.eventId,
    event.kind,
    JSON.stringify(event.detail),
    event.at,
  ]);
}
