import type { DeclineReason } from "@cardwright/contract";
import { unreachable } from "#kernel/index.ts";

/** The question to a merchant, authorization mode (contract section 6, Auth). `data` is the exact text that is signed and sent. */
export interface MerchantQuestion {
  readonly merchantId: number;
  readonly consumeNo: string;
  readonly data: string;
}

/** What came of a question. The room that asks is above this one: compose puts it in. */
export type MerchantAnswer = "approved" | "declined" | "timeout" | "unreachable" | "bad_answer" | "busy";

export type AskMerchant = (question: MerchantQuestion) => Promise<MerchantAnswer>;

export function declineOf(answer: Exclude<MerchantAnswer, "approved">): DeclineReason {
  switch (answer) {
    case "declined":
      return "merchant_declined";
    case "timeout":
      return "merchant_timeout";
    case "unreachable":
      return "merchant_unreachable";
    case "bad_answer":
      return "merchant_bad_answer";
    case "busy":
      return "merchant_busy";
    default:
      return unreachable(answer);
  }
}
