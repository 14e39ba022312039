import { parsePositiveAmount } from "@cardwright/money";
import { limits } from "../limits.ts";

/**
 * `unreachable`: no connection, or it broke before an answer began. `untrusted`: the server's certificate is not accepted, so nothing was
 * sent. `broken`: an answer began and is not HTTP, or ends early.
 */
export type AnswerEnd = "answered" | "timeout" | "unreachable" | "untrusted" | "broken";

/** What came back for one request. */
export interface Answer {
  readonly end: AnswerEnd;
  readonly status: number | null;
  readonly contentType: string;
  /** `Connection: close` came with it. */
  readonly closes: boolean;
  /** The first 16 KB as text. */
  readonly text: string;
  readonly bytes: number;
  /** From handing over the request to the last byte, connecting included. */
  readonly tookMs: number;
  /** Why there is no answer; empty when there is one. */
  readonly error: string;
}

/** What the merchant seems to mean, whether or not it says it in the right form: the form has checks of its own. */
export type Meaning = "yes" | "no" | "none";

const textsOfYes = /^["'\s]*(?:ok|success|true|approved|0)["'\s]*$/iu;

/** `none`: no answer came, so nobody knows. */
export function meaningOf(answer: Answer): Meaning {
  if (answer.end !== "answered" || answer.status === null) {
    return "none";
  }
  if (!isSuccess(answer.status)) {
    return "no";
  }
  const fields = fieldsOf(answer);
  if (fields === null) {
    return textsOfYes.test(answer.text) ? "yes" : "no";
  }
  const code = fields["code"];
  return code === 0 || (typeof code === "string" && Number(code) === 0 && code.trim() !== "") ? "yes" : "no";
}

export function isYes(answer: Answer): boolean {
  return meaningOf(answer) === "yes";
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

export type Fields = Readonly<Record<string, unknown>>;

/** The answer as a JSON object, or null. */
export function fieldsOf(answer: Answer): Fields | null {
  try {
    const value: unknown = JSON.parse(answer.text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a yes holds: `approved_amount` when it is there and good, the whole amount otherwise. Minor units, two decimals. */
export function approvedAmount(answer: Answer, asked: bigint): bigint {
  const sent = fieldsOf(answer)?.["approved_amount"];
  if (typeof sent !== "string" && typeof sent !== "number") {
    return asked;
  }
  const parsed = parsePositiveAmount(String(sent), 2);
  return parsed.ok && parsed.value < asked ? parsed.value : asked;
}

/** The answer in a few words, for a report. */
export function shown(answer: Answer): string {
  switch (answer.end) {
    case "timeout":
      return `no answer within ${Math.round(answer.tookMs)} ms`;
    case "unreachable":
      return `no answer (${answer.error})`;
    case "untrusted":
      return `nothing was sent: its certificate is not accepted (${answer.error})`;
    case "broken":
      return `an answer that breaks off (${answer.error})`;
    case "answered": {
      const text = answer.text.replaceAll(/\s+/gu, " ").trim();
      const cut = text.length > limits.answerShownMax ? `${text.slice(0, limits.answerShownMax)}…` : text;
      return `HTTP ${answer.status} ${cut === "" ? "without a body" : cut}`;
    }
  }
}
