import type { DeclineReason } from "@cardwright/contract";
import { unreachable } from "#kernel/index.ts";

/** The question to a merchant, authorization mode (contract section 6, Auth). `data` is the exact text that is signed and sent. */
export interface MerchantQuestion {
  readonly merchantId: number;
  readonly consumeNo: string;
  readonly data: string;
}

/** What came of a question. The room that asks is above this one: compose puts it in. */
export type MerchantAnswer =
  /** `approvedAmount`: decimal text, when the merchant approves that much (contract section 8). */
  | { readonly kind: "approved"; readonly approvedAmount: string | null }
  /** `reason`: the merchant's own word for it, when it gave one. */
  | { readonly kind: "declined"; readonly code: number; readonly reason: string | null }
  | { readonly kind: "timeout" | "unreachable" | "bad_answer" | "busy" | "circuit_open" };

export type AskMerchant = (question: MerchantQuestion) => Promise<MerchantAnswer>;

/** How a question ended, for the statement that concludes it. `failed` leaves the verdict to the merchant's own policy. */
export type QuestionEnd =
  | { readonly outcome: "approved" }
  | { readonly outcome: "refused"; readonly reason: DeclineReason; readonly detail: string | null }
  | { readonly outcome: "failed"; readonly reason: DeclineReason; readonly detail: null };

const failed = (reason: DeclineReason): QuestionEnd => ({ outcome: "failed", reason, detail: null });

export function endOf(answer: MerchantAnswer): QuestionEnd {
  switch (answer.kind) {
    case "approved":
      return { outcome: "approved" };
    case "declined":
      return { outcome: "refused", reason: "merchant_declined", detail: answer.reason };
    case "timeout":
      return failed("merchant_timeout");
    case "unreachable":
      return failed("merchant_unreachable");
    case "bad_answer":
      return failed("merchant_bad_answer");
    case "circuit_open":
      return failed("merchant_circuit_open");
    case "busy":
      // More questions than the merchant may have open: that is no failure of its server to stand in for.
      return { outcome: "refused", reason: "merchant_busy", detail: null };
    default:
      return unreachable(answer);
  }
}
