import { remarkSentence } from "@cardwright/contract";
import { formatAmount } from "@cardwright/money";
import { enqueueCallback } from "#cards/index.ts";
import { type Consumption, consumptionData, insertDone } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import type { ManagementCalendar, ManagementPeriod } from "#fees/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { lockAvailable, transfer } from "#ledger/index.ts";
import type { ManagementFee } from "#products/index.ts";
import { merchantAccounts } from "./accounts.ts";
import type { LockedCard } from "./locked-card.ts";
import { type LockedDue, type ManagementDue, selectFailedConsumeNo } from "./management-store.ts";

/** A management fee that is due, with all that it is judged by. */
export interface Charge {
  readonly due: ManagementDue;
  readonly card: LockedCard;
  readonly row: LockedDue;
  readonly schedule: ManagementFee;
  readonly calendar: ManagementCalendar;
  readonly period: ManagementPeriod;
}

/** False when the account does not cover it; then nothing moves. */
export async function take(
  sql: Sql,
  { due, card, row }: Charge,
  fee: { readonly amount: bigint; readonly consumeNo: string },
): Promise<boolean> {
  const { merchantId, cardNo, side } = due;
  const accounts = await merchantAccounts(sql, merchantId);
  const source = side === "reserve" ? accounts.idOf("reserve") : card.creditAccountId;
  if (source === null) {
    throw new Error(`card ${cardNo} has a package and no account`);
  }
  const destination = accounts.idOf(side === "reserve" ? "platform_income" : "merchant_income");
  const available = await lockAvailable(sql, { merchantId, accountIds: [source, destination] });
  if ((available.get(source) ?? 0n) < fee.amount) {
    return false;
  }
  await transfer(sql, {
    merchantId,
    transactionId: uuid7(row.dueAt),
    kind: "fee",
    // What the merchant is not shown has no number of its own.
    reference: isShown(card, side) ? fee.consumeNo : cardNo,
    at: row.dueAt,
    postings: [{ source, destination, amount: fee.amount }],
  });
  return true;
}

/** The merchant sees the cardholder's side in credit mode, the reserve's in authorization mode (contract section 3.1). */
function isShown(card: LockedCard, side: ManagementDue["side"]): boolean {
  return (side === "cardholder") === (card.mode === "CREDIT_EXTENSION");
}

/** The `Manage_fee` consumption with its push; answers its number, empty for a side that is not shown. */
export async function show(
  sql: Sql,
  work: Charge,
  fee: { readonly amount: bigint; readonly consumeNo: string; readonly taken: boolean },
): Promise<string> {
  const { due, card, period, row } = work;
  const { merchantId, cardNo } = due;
  const { amount, consumeNo, taken } = fee;
  if (!isShown(card, due.side)) {
    return "";
  }
  const isRetry = row.step === "retry";
  const consumption: Consumption = {
    consumeNo,
    consumeRelateNo: isRetry ? await selectFailedConsumeNo(sql, { ...due, periodIndex: period.index }) : "",
    cardNo,
    cardholderNo: card.cardholderNo,
    type: "Manage_fee",
    status: taken ? "Success" : "Fail",
    amount,
    fee: 0n,
    feeRows: [],
    localAmount: formatAmount(amount, 2),
    localCurrency: "USD",
    remark: taken ? "" : "fee_not_covered",
    detail: taken ? "" : remarkSentence("fee_not_covered", "en_US"),
    acceptor: { name: "", mcc: "", city: "", country: "" },
    createdAt: row.dueAt,
  };
  const paid = taken ? amount : 0n;
  await insertDone(sql, {
    ...consumption,
    merchantId,
    creditTotal: due.side === "cardholder" ? paid : 0n,
    reserveTotal: due.side === "reserve" ? paid : 0n,
  });
  await enqueueCallback(sql, {
    merchantId,
    cardNo,
    callbackId: uuid7(row.dueAt),
    action: "Consumption",
    consumeNo,
    data: consumptionData(consumption, { time: row.dueAt }),
    at: row.dueAt,
  });
  return consumeNo;
}
