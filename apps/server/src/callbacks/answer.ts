/** What the JSON of a merchant's answer says (contract sections 6 and 8). */
export interface MerchantAnswer {
  readonly code: number;
  /** `approved_amount` as the merchant wrote it; absent when it sent none. */
  readonly approvedAmount: string | null;
  /** The merchant's typed reason of a decline; `null` when it sent none or something that is not a plain word. */
  readonly reason: string | null;
}

const approvedAmountLengthMax = 32;
const reasonForm = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/u;

/**
 * Reads an answer: a JSON object whose `code` is a number; other fields are ignored. `null` when it is not that, or when its
 * `approved_amount` cannot be read: a partial approval that we do not understand must not pass as a full one.
 */
export function readAnswer(body: Buffer): MerchantAnswer | null {
  const fields = jsonObject(body);
  if (fields === null || typeof fields["code"] !== "number") {
    return null;
  }
  const approvedAmount = amountText(fields["approved_amount"]);
  if (approvedAmount === undefined) {
    return null;
  }
  const reason = fields["reason"];
  return {
    code: fields["code"],
    approvedAmount,
    reason: typeof reason === "string" && reasonForm.test(reason) ? reason : null,
  };
}

function amountText(value: unknown): string | null | undefined {
  if (value === undefined || value === null) {
    return null;
  }
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.length <= approvedAmountLengthMax ? text : undefined;
}

function jsonObject(body: Buffer): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}

/** HTTP success: redirects are not followed, so 3xx is a failure like 4xx and 5xx. */
export function isSuccessStatus(httpStatus: number | null): boolean {
  return httpStatus !== null && httpStatus >= 200 && httpStatus <= 299;
}
