import { parseAmount } from "@cardwright/money";
import { ok, type Result, refused } from "#kernel/index.ts";
import { openDesk } from "./desk.ts";
import { decimalsIn } from "./local-amount.ts";
import type { ReversalMessage } from "./message.ts";
import { findOriginal, withIncrements } from "./original.ts";
import type { Done, Reception, Untaken } from "./receive.ts";
import type { Wanted } from "./reversal-parts.ts";
import { isSpending } from "./transaction-state.ts";
import { undo } from "./undo.ts";

/**
 * Undoes a transaction, or a part of it. Before clearing the hold is lowered or given back, after clearing the money; what is left of it
 * bounds what is taken. One that comes before its authorization is kept for it.
 */
export async function takeReversal(reception: Reception, message: ReversalMessage): Promise<Done | Untaken<"amount">> {
  const { sql, card } = reception;
  const { transaction: original, relateNo, isKnown } = await findOriginal(sql, card, message.originalReference);
  const nothingDone: Done = { effect: isKnown ? "no_effect" : "stored", consumeNo: relateNo, settledAmount: 0n };
  if (original === null) {
    return nothingDone;
  }
  const { localCurrency } = original;
  const wanted = wantedOf(message, localCurrency);
  if (!wanted.ok) {
    return { untaken: wanted.reason };
  }
  const family = isSpending(original) ? (await withIncrements(sql, original)).toReversed() : [original];
  if (family.some(({ stage }) => stage === "asking")) {
    return { untaken: "authorization_under_way" };
  }
  const undone = await undo(await openDesk(reception), { original, family, wanted: wanted.value });
  if (undone === null) {
    return { ...nothingDone, local: { localAmount: message.amount ?? "", localCurrency } };
  }
  const { effect, reversal, settledAmount } = undone;
  const { consumeNo, localAmount } = reversal;
  return { effect, consumeNo, settledAmount, local: { localAmount, localCurrency } };
}

function wantedOf({ amount, billingAmount }: ReversalMessage, localCurrency: string): Result<Wanted, "amount"> {
  const parsed = amount === null ? null : parseAmount(amount, decimalsIn(localCurrency));
  if (parsed !== null && !parsed.ok) {
    return refused("amount");
  }
  if (billingAmount !== null) {
    return ok({ in: "card", amount: billingAmount });
  }
  return ok(parsed === null ? null : { in: "transaction", amount: parsed.value });
}

/** The same amount written in another way is the same content. */
export function plainAmount(text: string | null): string {
  if (text === null) {
    return "";
  }
  const shortest = text.includes(".") ? text.replace(/\.?0+$/u, "") : text;
  return shortest.replace(/^0+(?=\d)/u, "");
}
