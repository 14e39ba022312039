import { isDeclineReason } from "@cardwright/contract";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type ChargedTransaction, isDeclineCharged, type TransactionFees } from "#fees/index.ts";
import { type Clock, uuid7 } from "#kernel/index.ts";
import { lockAvailable, type Posting, transfer } from "#ledger/index.ts";
import { merchantAccounts } from "./accounts.ts";
import { feesOfBothSides, type ScheduleDeps, type SideFees, type SideSchedules, schedulesOf } from "./both-sides.ts";
import { type LockedCard, lockCard, saveCounters } from "./locked-card.ts";
import { pushTransaction } from "./push.ts";
import { reversalBounds as bounds } from "./reversal-limits.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

export interface DueFeesDeps extends ScheduleDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

interface Due {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly consumeNo: string;
}

/**
 * Charges the fees of declines and of cancelled purchases, which are taken by themselves after the answer. Each side pays by its own
 * schedule what it can cover: one that does not cover its fee pays nothing, and the fee is dropped, since a debt for something that did not
 * happen could take money that the cardholder brings for something else. Free ones are used up either way, because they cost
 * nothing. Once for each, with any number of workers: the card is locked and the mark is cleared in the same transaction. Answers how
 * many were settled.
 */
export async function chargeDueFees(deps: DueFeesDeps): Promise<number> {
  const due = await selectDue(deps.pool);
  let settled = 0;
  let failure: unknown = null;
  for (const one of due) {
    try {
      settled += (await chargeOne(deps, one)) ? 1 : 0;
    } catch (error) {
      // One that cannot be charged must not keep the others from it; it is reported when they are done.
      failure ??= error;
    }
  }
  if (failure !== null) {
    throw failure;
  }
  return settled;
}

export async function nextDueFee(sql: Sql, after: number): Promise<number | null> {
  const { rows } = await sql.query<{ at: bigint }>({
    name: "clearing_next_due_fee",
    text: "SELECT created_at AS at FROM consumption WHERE fee_due <> '' AND created_at > $1 ORDER BY created_at LIMIT 1",
    values: [after],
  });
  return rows[0] === undefined ? null : Number(rows[0].at);
}

async function selectDue(sql: Sql): Promise<Due[]> {
  const { rows } = await sql.query<Due & Record<string, unknown>>({
    name: "clearing_due_fees",
    text: `SELECT merchant_id AS "merchantId", card_no AS "cardNo", consume_no AS "consumeNo"
           FROM consumption WHERE fee_due <> '' ORDER BY created_at LIMIT $1`,
    values: [bounds.dueFeesBatchMax],
  });
  return rows;
}

async function chargeOne(deps: DueFeesDeps, due: Due): Promise<boolean> {
  const schedules = await schedulesOf(deps, due);
  if (schedules === null) {
    throw new Error(`consumption ${due.consumeNo} is of an unknown card`);
  }
  const at = deps.clock.now();
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, due);
    const transaction = card === null ? null : await selectTransaction(sql, due);
    if (card === null || transaction === null || transaction.feeDue === "") {
      return false;
    }
    const charged = chargedOf(transaction);
    if (charged === null) {
      await updateTransaction(sql, { ...transaction, feeDue: "" }, { at });
    } else {
      await charge(sql, { card, transaction, charged, schedules, at });
    }
    return true;
  });
}

/** Null where nothing is to be charged: nobody pays for our own failures, nor for cancelling what was cleared all the same since. */
function chargedOf({ status, feeDue, remark, amount, type }: CardTransaction): ChargedTransaction | null {
  if (status !== "Fail") {
    return null;
  }
  if (feeDue === "cancel") {
    return { kind: "cancel", of: type === "Atm" ? "withdrawal" : "purchase", amount };
  }
  return isDeclineReason(remark) && isDeclineCharged(remark) ? { kind: "decline", amount } : null;
}

async function charge(
  sql: Sql,
  of: {
    readonly card: LockedCard;
    readonly transaction: CardTransaction;
    readonly charged: ChargedTransaction;
    readonly schedules: SideSchedules;
    readonly at: number;
  },
): Promise<void> {
  const { card, transaction, charged, schedules, at } = of;
  // Free counts are those of the day it happened, however late it is charged.
  const fees = feesOfBothSides({ schedules, card, at: transaction.createdAt, transaction: () => charged });
  if (fees.counters !== card.counters) {
    await saveCounters(sql, card, fees.counters);
  }
  const taken = await take(sql, { card, consumeNo: transaction.consumeNo, fees, at });
  const shown = fees.cardholder === null ? taken.reserve : taken.cardholder;
  const next: CardTransaction = {
    ...transaction,
    feeDue: "",
    fee: transaction.fee + (shown?.total ?? 0n),
    feeRows: [...transaction.feeRows, ...(shown?.rows ?? [])],
    // Not `…Booked`: that is what clearings have taken.
    creditTotal: transaction.creditTotal + (taken.cardholder?.total ?? 0n),
    reserveTotal: transaction.reserveTotal + (taken.reserve?.total ?? 0n),
  };
  await updateTransaction(sql, next, { at });
  if (next.fee !== transaction.fee) {
    // "Again once fees are complete" (contract section 6): there is nothing to tell about a free one.
    await pushTransaction(sql, next, { at });
  }
}

interface Taken {
  readonly cardholder: TransactionFees | null;
  readonly reserve: TransactionFees | null;
}

async function take(
  sql: Sql,
  of: { readonly card: LockedCard; readonly consumeNo: string; readonly fees: SideFees; readonly at: number },
): Promise<Taken> {
  const { card, consumeNo, fees, at } = of;
  const { merchantId } = card;
  if (fees.reserve.total === 0n && (fees.cardholder?.total ?? 0n) === 0n) {
    return { cardholder: null, reserve: null };
  }
  const accounts = await merchantAccounts(sql, merchantId);
  const own = card.creditAccountId;
  const accountIds = [accounts.idOf("reserve"), accounts.idOf("platform_income")];
  const ofCredit = own === null ? [] : [own, accounts.idOf("merchant_income")];
  const available = await lockAvailable(sql, { merchantId, accountIds: [...accountIds, ...ofCredit] });
  const covered = (account: string | null, side: TransactionFees | null): TransactionFees | null =>
    account !== null && side !== null && side.total > 0n && (available.get(account) ?? 0n) >= side.total ? side : null;
  const taken: Taken = {
    cardholder: covered(own, fees.cardholder),
    reserve: covered(accounts.idOf("reserve"), fees.reserve),
  };
  const postings: Posting[] = [];
  if (own !== null && taken.cardholder !== null) {
    postings.push({ source: own, destination: accounts.idOf("merchant_income"), amount: taken.cardholder.total });
  }
  if (taken.reserve !== null) {
    const destination = accounts.idOf("platform_income");
    postings.push({ source: accounts.idOf("reserve"), destination, amount: taken.reserve.total });
  }
  if (postings.length > 0) {
    await transfer(sql, { merchantId, transactionId: uuid7(at), kind: "fee", reference: consumeNo, at, postings });
  }
  return taken;
}
