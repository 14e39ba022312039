import { responseCodeOf } from "@cardwright/contract";
import { z } from "zod";
import type { AuthorizationAnswer } from "#authorization/index.ts";

/** ISO 8583 field 39: approved. */
const approvedCode = "00";

export const networkAnswer = z.strictObject({
  approved: z.boolean(),
  /** ISO 8583 field 39. */
  response_code: z.string(),
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
    response_code: answer.approved ? approvedCode : responseCodeOf(answer.reason),
    reason: answer.approved ? "" : answer.reason,
    consume_no: answer.consumeNo ?? "",
    repeat: answer.repeat,
    // Microseconds say something, more digits only look so.
    elapsed_ms: Math.round(timing.elapsedMs * 1000) / 1000,
  };
}
