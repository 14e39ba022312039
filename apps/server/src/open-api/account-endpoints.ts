import { isPublicNumber, TRANSFER_TYPES, type TransferType } from "@cardwright/contract";
import { parsePositiveAmount } from "@cardwright/money";
import { ok } from "#kernel/index.ts";
import { accountRow } from "./account-row.ts";
import { amountDecimals, amountText } from "./amounts.ts";
import { fail } from "./answer.ts";
import type { EndpointDeps, EndpointHandler } from "./endpoint-handler.ts";
import { numbersOf, periodOf, rowsOf } from "./list-filter.ts";

/** `account/transfer`, contract sections 3 and 9 (Money, Idempotency). */
export const transferCredit: EndpointHandler<"account.transfer"> = async (deps, call, input) => {
  const type = transferTypeOf(input.type);
  if (type === null) {
    return fail("transfer_type_unknown", "type");
  }
  const amount = parsePositiveAmount(input.balance, amountDecimals);
  if (!amount.ok) {
    return fail("amount_invalid", "balance");
  }
  const moved = await deps.credit.transfer({
    merchantId: call.merchant.merchantId,
    cardholderNo: input.cardholder_no,
    transferUniqueNo: input.transfer_unique_no,
    type,
    amount: amount.value,
  });
  if (!moved.ok) {
    return fail(moved.reason);
  }
  const { transferNo, transferUniqueNo, beforeBalance, afterBalance } = moved.value;
  return ok({
    transfer_no: transferNo,
    transfer_unique_no: transferUniqueNo,
    before_balance: amountText(beforeBalance),
    after_balance: amountText(afterBalance),
  });
};

/** Upper or lower case alike. */
function transferTypeOf(text: string): TransferType | null {
  return TRANSFER_TYPES.find((type) => type.toLowerCase() === text.toLowerCase()) ?? null;
}

/** `account/{cardholder_no}/info`, contract section 3: 2002 for an unknown cardholder, 3001 before its approval. */
export const accountInfo: EndpointHandler<"account.info"> = async (deps, call, input) => {
  const key = { merchantId: call.merchant.merchantId, cardholderNo: input.cardholder_no };
  if (!isPublicNumber(key.cardholderNo) || (await deps.cardholders.find(key)) === null) {
    return fail("cardholder_unknown");
  }
  const accounts = await deps.credit.accountsOf(key);
  return accounts === null ? fail("account_unknown") : ok({ list: [accountRow(key.cardholderNo, accounts)] });
};

/**
 * `account/transfer/list`, contract section 3. A `transfer_no` that the merchant does not have is 3007; one that it has and that is
 * outside the period or the other filters is an empty list.
 */
export const listTransfers: EndpointHandler<"account.transfer_list"> = async (deps, call, input) => {
  const period = periodOf(call, input);
  if (!period.ok) {
    return period;
  }
  const { merchantId } = call.merchant;
  const { transfer_no: transferNo = null } = input;
  if (transferNo !== null && !(await transferExists(deps, { merchantId, transferNo }))) {
    return fail("transfer_unknown");
  }
  const transfers = await deps.credit.listTransfers({
    merchantId,
    cardholderNo: input.cardholder_no ?? null,
    transferNo,
    transferUniqueNo: input.transfer_unique_no ?? null,
    ...numbersOf("T", period.value),
    ...rowsOf(input),
  });
  const list = transfers.map((transfer) => ({
    transfer_no: transfer.transferNo,
    transfer_unique_no: transfer.transferUniqueNo,
    cardholder_no: transfer.cardholderNo,
    type: transfer.type,
    balance: amountText(transfer.amount),
    before_balance: amountText(transfer.beforeBalance),
    after_balance: amountText(transfer.afterBalance),
    status: transfer.status,
    time: transfer.createdAt,
  }));
  return ok({ list });
};

/** The number alone is one look into the table's key, in whatever period the transfer was made. */
async function transferExists(
  deps: EndpointDeps,
  key: { readonly merchantId: number; readonly transferNo: string },
): Promise<boolean> {
  const anyTime = { fromNumber: key.transferNo, beforeNumber: `${key.transferNo}~` };
  const anyOther = { cardholderNo: null, transferUniqueNo: null };
  return (await deps.credit.listTransfers({ ...key, ...anyTime, ...anyOther, offset: 0, limit: 1 })).length > 0;
}
