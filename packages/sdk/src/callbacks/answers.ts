/** A merchant's reasons that the platform passes on to the shop as codes of their own; any other word is kept in `detail`. */
export type DeclineReason =
  | "do_not_honor"
  | "insufficient_funds"
  | "exceeds_limit"
  | "exceeds_frequency"
  | "suspected_fraud"
  | "restricted_card"
  | "user_frozen"
  | "merchant_category_blocked"
  | "transaction_not_permitted"
  | "card_lost"
  | "card_stolen"
  | (string & {});

/** The answer to an `Auth`, made by `approve`, `decline` or `leaveToPlatform`. */
export type AuthAnswer =
  | { readonly kind: "approved"; readonly approvedAmount?: string | undefined }
  | {
      readonly kind: "declined";
      readonly reason: DeclineReason;
      readonly code: number;
      readonly message: string;
    }
  | { readonly kind: "left_to_platform" };

const reasonForm = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/u;
const amountForm = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,2})?$/u;
/** What the contract's own example of a decline has. */
const declineCode = 5_100;

/**
 * Yes, to the whole amount or to a part of it: `approvedAmount` is a decimal text above zero, in the card's currency. The
 * platform declines a part where the shop cannot take one.
 */
export function approve({ approvedAmount }: { readonly approvedAmount?: string | undefined } = {}): AuthAnswer {
  if (approvedAmount !== undefined && (!amountForm.test(approvedAmount) || /^[0.]+$/u.test(approvedAmount))) {
    throw new TypeError("approvedAmount must be a decimal text above zero with at most 2 decimals");
  }
  return { kind: "approved", approvedAmount };
}

/** No. `code` is your own number for it, any but 0; 5100 unless told. `message` is for people. */
export function decline(
  reason: DeclineReason = "do_not_honor",
  {
    code = declineCode,
    message = "",
  }: { readonly code?: number | undefined; readonly message?: string | undefined } = {},
): AuthAnswer {
  if (!reasonForm.test(reason))
    throw new TypeError("a reason is a word of at most 64 letters, digits, `_`, `.` or `-`");
  if (!Number.isSafeInteger(code) || code === 0)
    throw new TypeError("the code of a decline is a whole number other than 0");
  return { kind: "declined", reason, code, message };
}

/** No answer: the platform goes by the time-out policy that the merchant has agreed with it (decline, or stand in). */
export function leaveToPlatform(): AuthAnswer {
  return { kind: "left_to_platform" };
}
