import { decimalsOf, formatAmount, parsePositiveAmount } from "@cardwright/money";

/** What the JSON of a merchant's answer says (contract section 6): other fields are ignored. */
export interface MerchantAnswer {
  readonly code: number;
}

/** What the answer to an `Auth` says (contract sections 6 and 8). */
export type MerchantDecision =
  /** `approvedAmount`: `approved_amount` with two decimals, exact and above zero; `null` when the merchant sent none. */
  | { readonly kind: "approved"; readonly approvedAmount: string | null }
  /** `reason`: the merchant's typed reason; `null` when it sent none or something that is not a plain word. */
  | { readonly kind: "declined"; readonly code: number; readonly reason: string | null };

type Fields = Readonly<Record<string, unknown>>;

const reasonForm = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/u;

/** Reads an answer: a JSON object whose `code` is a number. `null` when it is not that. */
export function readAnswer(body: Buffer): MerchantAnswer | null {
  const text = body.toString("utf8");
  const fields = fieldsOf(() => JSON.parse(text));
  const code = fields?.["code"];
  return typeof code === "number" ? { code } : null;
}

/**
 * Reads the answer to a question. `null` when it is no answer, or a yes whose `approved_amount` is not an amount above zero: a
 * partial approval that we do not understand must not pass as a full one. Beside a no, `approved_amount` says nothing.
 */
export function readDecision(body: Buffer): MerchantDecision | null {
  const text = body.toString("utf8");
  const fields = fieldsOf(() => JSON.parse(text));
  const code = fields?.["code"];
  if (fields === null || typeof code !== "number") {
    return null;
  }
  if (code !== 0) {
    const reason = fields["reason"];
    return { kind: "declined", code, reason: typeof reason === "string" && reasonForm.test(reason) ? reason : null };
  }
  const sent = fields["approved_amount"];
  if (sent === undefined || sent === null) {
    return { kind: "approved", approvedAmount: null };
  }
  const approvedAmount = exactAmount(typeof sent === "number" ? numberText(text) : sent);
  return approvedAmount === null ? null : { kind: "approved", approvedAmount };
}

/** Cards are billed in USD or TUSDT, which have the same decimals. */
const decimals = decimalsOf("USD");

function exactAmount(text: unknown): string | null {
  const amount = typeof text === "string" ? parsePositiveAmount(text, decimals) : null;
  return amount?.ok === true ? formatAmount(amount.value, decimals) : null;
}

/** `approved_amount` as a plain decimal text, taken from the digits on the wire: as a JavaScript number it could be another one. */
function numberText(text: string): string | null {
  const fields = fieldsOf(() =>
    // The type library does not know the third argument yet: it holds a number's own text.
    JSON.parse(text, (key: string, value: unknown, context?: { readonly source?: string }) =>
      key === "approved_amount" && typeof value === "number" ? context?.source : value,
    ),
  );
  const source = fields?.["approved_amount"];
  return typeof source === "string" ? plainDecimal(source) : null;
}

/** Longer ones are no amounts, and an exponent could make a short text a long one. */
const numberLengthMax = 32;

/**
 * `1E+2` is `100`, `10.500` is `10.5`: a decimal type whose library knows no better way writes its numbers like that. `null` for
 * what has no plain form of reasonable length.
 */
function plainDecimal(source: string): string | null {
  const match = source.length > numberLengthMax ? null : /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/u.exec(source);
  if (match === null) {
    return null;
  }
  const [, integer = "", fraction = "", exponent = "0"] = match;
  const point = integer.length + Number(exponent);
  const digits = (integer + fraction).padEnd(point, "0").padStart(integer.length + fraction.length - point, "0");
  const head = point > 0 ? digits.slice(0, point) : "0";
  const tail = point > 0 ? digits.slice(point) : digits;
  return `${head}.${tail}`.replace(/\.?0*$/u, "");
}

/** `null` for what is no JSON object, or nested so deeply that the parser gives up. */
function fieldsOf(parse: () => unknown): Fields | null {
  try {
    const parsed = parse();
    return isFields(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** HTTP success: redirects are not followed, so 3xx is a failure like 4xx and 5xx. */
export function isSuccessStatus(httpStatus: number | null): boolean {
  return httpStatus !== null && httpStatus >= 200 && httpStatus <= 299;
}
