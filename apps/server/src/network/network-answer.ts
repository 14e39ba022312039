import { responseCodeOf, responseCodeOfMerchantReason } from "@cardwright/contract";
import { formatAmount } from "@cardwright/money";
import { z } from "zod";
import type { AuthorizationAnswer } from "#authorization/index.ts";

/** ISO 8583 field 39: approved, and approved for a part of the amount. */
const approvedCode = "00";
const partiallyApprovedCode = "10";

export const networkAnswer = z.strictObject({
  approved: z.boolean(),
  /** ISO 8583 field 39. */
  response_code: z.string(),
  /** Decimal text in the card's currency when a part was approved; otherwise empty. */
  approved_amount: z.string(),
  /** Of a balance inquiry: decimal text in the card's currency; otherwise empty. */
  balance: z.string(),
  /** A decline's reason (contract section 9, Declines); empty when approved. */
  reason: z.string(),
  /** Empty when no card has the number. */
  consume_no: z.string(),
  /** The message came before: this is the answer it got then. */
  repeat: z.boolean(),
  /** Milliseconds from the message's last byte to the answer. */
  elapsed_ms: z.number(),
});

/** What the network is answered. */
export type NetworkAnswer = z.infer<typeof networkAnswer>;

export function networkAnswerOf(answer: AuthorizationAnswer, timing: { readonly elapsedMs: number }): NetworkAnswer {
  return {
    approved: answer.approved,
    response_code: responseCode(answer),
    approved_amount: answer.approved && answer.partialAmount !== null ? formatAmount(answer.partialAmount, 2) : "",
    balance: answer.approved && answer.balance !== null ? formatAmount(answer.balance, 2) : "",
    reason: answer.approved ? "" : answer.reason,
    consume_no: answer.consumeNo ?? "",
    repeat: answer.repeat,
    // Microseconds say something, more digits only look so.
    elapsed_ms: Math.round(timing.elapsedMs * 1000) / 1000,
  };
}

/** A merchant that said why it declines is heard: its reason reaches the shop as the network's own code for it. */
function responseCode(answer: AuthorizationAnswer): string {
  if (answer.approved) {
    return answer.partialAmount === null ? approvedCode : partiallyApprovedCode;
  }
  const own = answer.merchantReason === null ? null : responseCodeOfMerchantReason(answer.merchantReason);
  return own ?? responseCodeOf(answer.reason);
}
