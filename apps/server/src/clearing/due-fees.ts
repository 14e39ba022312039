import { isDeclineReason } from "@cardwright/contract";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type ChargedTransaction, isDeclineCharged } from "#fees/index.ts";
import { type Clock, uuid7 } from "#kernel/index.ts";
import { type Posting, transfer } from "#ledger/index.ts";
import { moved } from "./booking.ts";
import { type Desk, lockAccounts, openDesk, tell, useCounters } from "./desk.ts";
import { bounds } from "./limits.ts";
import { lockCard } from "./locked-card.ts";
import { schedulesOf, type TermsOf } from "./schedules.ts";
import { chargedFees, type SideFees } from "./side-fees.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

export interface DueFeesDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly terms: TermsOf;
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
      await charge(await openDesk({ sql, card, schedules, at, noticedAt: at }), transaction, charged);
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

async function charge(desk: Desk, transaction: CardTransaction, charged: ChargedTransaction): Promise<void> {
  const { sql, card, at } = desk;
  // Free counts are those of the day it happened, however late it is charged.
  const fees = chargedFees({ ...desk, at: transaction.createdAt }, charged);
  await useCounters(desk, fees.counters);
  const taken = await take(desk, fees, transaction.consumeNo);
  const isShown = (card.creditAccountId === null ? taken.reserve : taken.credit) > 0n;
  const next: CardTransaction = {
    ...transaction,
    feeDue: "",
    fee: transaction.fee + (isShown ? fees.shown.fee : 0n),
    feeRows: [...transaction.feeRows, ...(isShown ? fees.shown.feeRows : [])],
    // Not `…Booked`: that is what clearings have taken.
    creditTotal: transaction.creditTotal + taken.credit,
    reserveTotal: transaction.reserveTotal + taken.reserve,
  };
  await updateTransaction(sql, next, { at });
  if (isShown) {
    // "Again once fees are complete" (contract section 6): there is nothing to tell about a free one.
    await tell(desk, next);
  }
}

/** Takes from each side what it covers; answers how much that was, minor units. */
async function take(
  desk: Desk,
  { cardholderFee, reserveFee }: SideFees,
  reference: string,
): Promise<{ readonly credit: bigint; readonly reserve: bigint }> {
  const { sql, card, accounts, at } = desk;
  if (cardholderFee === 0n && reserveFee === 0n) {
    return { credit: 0n, reserve: 0n };
  }
  const { merchantId, creditAccountId: own } = card;
  const available = await lockAccounts(desk);
  const covered = (account: string, fee: bigint): bigint => ((available.get(account) ?? 0n) >= fee ? fee : 0n);
  const credit = own === null ? 0n : covered(own, cardholderFee);
  const reserve = covered(accounts.idOf("reserve"), reserveFee);
  const postings: Posting[] = [
    ...(own === null ? [] : moved(own, accounts.idOf("merchant_income"), credit)),
    ...moved(accounts.idOf("reserve"), accounts.idOf("platform_income"), reserve),
  ];
  if (postings.length > 0) {
    await transfer(sql, { merchantId, transactionId: uuid7(at), kind: "fee", reference, at, postings });
  }
  return { credit, reserve };
}
