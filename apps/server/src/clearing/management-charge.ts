import { formatAmount } from "@cardwright/money";
import type { Pool } from "pg";
import { changeStatus } from "#cards/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import {
  type ManagementCalendar,
  type ManagementPeriod,
  managementCharge,
  managementPeriod,
  managementPeriodAt,
  nextManagementPeriod,
  noActivity,
} from "#fees/index.ts";
import { type Clock, orderNumber, uuid7 } from "#kernel/index.ts";
import type { ManagementFee } from "#products/index.ts";
import { type LockedCard, lockCard } from "./locked-card.ts";
import { type Charge, show, take } from "./management-booking.ts";
import {
  deleteDue,
  insertCharge,
  insertEvent,
  type LockedDue,
  lockDue,
  type ManagementCharge,
  type ManagementDue,
  moveDue,
  selectActivity,
  updateCharge,
} from "./management-store.ts";

export interface ChargeDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

/** What became of one row of what is due. */
export interface Charged {
  /** False when another worker was first. */
  readonly done: boolean;
  /** When the card's side is due next; null when never. */
  readonly nextDueAt: number | null;
}

const over: Charged = { done: true, nextDueAt: null };
const dayMs = 86_400_000;

/**
 * Takes one management fee that is due, or says why not, all in one transaction: the money, the consumption, the push, and when the
 * next one is due. It is judged and booked as of its own due time, however late it is looked at. Of workers that race for it the
 * card's locked row lets one; the key of the period's charge is the second barrier.
 */
export async function chargeManagement(
  deps: ChargeDeps,
  options: { readonly due: ManagementDue; readonly schedule: ManagementFee },
): Promise<Charged> {
  const { due, schedule } = options;
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, due);
    const row = card === null ? null : await lockDue(sql, due);
    if (card === null || row === null) {
      return { done: false, nextDueAt: null };
    }
    if (row.dueAt !== due.dueAt || row.step !== due.step) {
      return { done: false, nextDueAt: row.dueAt };
    }
    if (schedule.type === "None" || !pays(card, row)) {
      await deleteDue(sql, due);
      return over;
    }
    const calendar: ManagementCalendar = {
      type: schedule.type,
      openedAt: card.openedAt,
      utcOffsetMinutes: card.utcOffsetMinutes,
    };
    if (row.step === "plan") {
      return moveTo(sql, due, { step: "fee", dueAt: nextManagementPeriod(calendar, deps.clock.now()).startsAt });
    }
    return charge(sql, { due, card, row, schedule, calendar, period: managementPeriodAt(calendar, row.dueAt) });
  });
}

/** Frozen cards and cards that wait for their activation pay; what is over, or past its last month, does not. */
function pays(card: LockedCard, row: LockedDue): boolean {
  const expiresAt = Date.UTC(row.expiry.year, row.expiry.month, 1) - card.utcOffsetMinutes * 60_000;
  return card.status !== "Delete" && card.status !== "Fail" && !row.merchantClosed && row.dueAt < expiresAt;
}

async function moveTo(
  sql: Sql,
  due: ManagementDue,
  to: { readonly step: "fee" | "retry"; readonly dueAt: number },
): Promise<Charged> {
  await moveDue(sql, due, to);
  return { done: true, nextDueAt: to.dueAt };
}

async function charge(sql: Sql, work: Charge): Promise<Charged> {
  const { due, schedule, period, row } = work;
  const amount = row.step === "retry" ? schedule.fee : await amountOf(sql, work);
  if (amount === 0n) {
    await insertCharge(sql, recordOf(work, { outcome: "waived", amount: 0n, consumeNo: "", tries: 0 }));
    return moveTo(sql, due, { step: "fee", dueAt: period.endsAt });
  }
  const consumeNo = orderNumber("O", row.dueAt);
  const taken = await take(sql, work, { amount, consumeNo });
  const shown = await show(sql, work, { amount, consumeNo, taken });
  const record = recordOf(work, {
    outcome: taken ? "taken" : "failed",
    amount,
    consumeNo: shown,
    tries: row.step === "retry" ? 2 : 1,
  });
  await (row.step === "retry" ? updateCharge(sql, record) : insertCharge(sql, record));
  return taken ? moveTo(sql, due, { step: "fee", dueAt: period.endsAt }) : afterFailure(sql, work, amount);
}

/** The fee at the start of a period, 0 when the one before has waived it. */
async function amountOf(sql: Sql, { due, schedule, calendar, period }: Charge): Promise<bigint> {
  const before =
    period.index === 0 || schedule.freeType === "None"
      ? noActivity
      : await selectActivity(sql, due, managementPeriod(calendar, period.index - 1));
  return managementCharge(schedule, before)?.amount ?? 0n;
}

function recordOf(
  { due, period, row }: Charge,
  rest: Pick<ManagementCharge, "outcome" | "amount" | "consumeNo" | "tries">,
): ManagementCharge {
  const { merchantId, cardNo, side } = due;
  return { merchantId, cardNo, side, periodIndex: period.index, at: row.dueAt, ...rest };
}

/** The first time the fee is tried again at the end of the month; the second time the card is cancelled, unless it is exempt. */
async function afterFailure(sql: Sql, work: Charge, amount: bigint): Promise<Charged> {
  const { due, card, row, period } = work;
  const { merchantId, cardNo, side } = due;
  const at = row.dueAt;
  const isFirst = row.step === "fee";
  const retryAt = retryTime({ at, period });
  const kind = isFirst ? "management_fee_failed" : row.exempt ? "management_fee_missed" : "card_cancelled";
  await insertEvent(sql, {
    merchantId,
    eventId: uuid7(at),
    kind,
    detail: {
      card_no: cardNo,
      side,
      amount: formatAmount(amount, 2),
      period_index: period.index,
      ...(isFirst ? { retry_at: retryAt } : {}),
    },
    at,
  });
  if (isFirst) {
    return moveTo(sql, due, { step: "retry", dueAt: retryAt });
  }
  if (row.exempt) {
    return moveTo(sql, due, { step: "fee", dueAt: period.endsAt });
  }
  const reason = "the management fee could not be taken twice";
  await changeStatus(sql, { merchantId, cardNo, from: card.status, to: "Delete", reason, at });
  await deleteDue(sql, due);
  return over;
}

/** A card that was made late can fail its first fee after the month's end: it then gets a day, within the period. */
function retryTime({ at, period }: { readonly at: number; readonly period: ManagementPeriod }): number {
  return period.retryAt > at ? period.retryAt : Math.min(at + dayMs, period.endsAt - 1);
}
