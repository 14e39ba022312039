import { timeText } from "../input/times.ts";
import type { Output } from "../output/output.ts";
import { fit, onOneLine, padTo } from "../output/width.ts";
import type { Forwarded } from "./forward.ts";
import type { Finding, ReceivedCallback } from "./signatures.ts";
import { trustOf } from "./signatures.ts";

/** What a line of `listen` tells of a callback and its answer. */
export interface Heard {
  readonly atMs: number;
  readonly callback: ReceivedCallback;
  readonly answer: Forwarded;
  readonly findings: readonly Finding[];
}

const deadlineMsDefault = 800;
const shopColumnsMax = 24;

/** `07:36:28  Auth  C2026…  12.50 USD  Corner Bookshop  → 200 code 0  12 ms  verified` */
export function heardLine(out: Output, heard: Heard): string {
  const { callback, answer, findings } = heard;
  const { action, cardNo, amount, shop } = partsOf(callback.body);
  const late = action === "Auth" && answer.tookMs > deadlineOf(callback);
  const code = codeOf(answer);
  const good = answer.problem === "" && answer.status >= 200 && answer.status < 300 && code === "0" && !late;
  const said = answer.problem === "" ? `${answer.status}${code === "" ? " no code" : ` code ${code}`}` : answer.problem;
  const trust = trustOf(findings);
  return [
    timeText(heard.atMs, out.offsetMinutes).slice(11),
    padTo(action, 11),
    cardNo,
    amount,
    fit(shop, shopColumnsMax),
    `→ ${out.paint(good ? "green" : "red", said)}`,
    `${answer.tookMs.toFixed(0)} ms${late ? " too late" : ""}`,
    trust === "WRONG" ? out.paint("red", "signature WRONG") : trust,
    callback.headers["attempt"] === undefined || callback.headers["attempt"] === "1"
      ? ""
      : `try ${onOneLine(callback.headers["attempt"])}`,
  ]
    .filter((part) => part !== "")
    .join("  ");
}

/** The same for a program. */
export function heardObject({ atMs, callback, answer, findings }: Heard): object {
  const { id, action, cardNo, amount } = partsOf(callback.body);
  return {
    time: atMs,
    id,
    action,
    card_no: cardNo,
    amount,
    sequence: callback.headers["sequence"] ?? "",
    attempt: callback.headers["attempt"] ?? "",
    status: answer.problem === "" ? answer.status : 0,
    code: codeOf(answer),
    problem: answer.problem,
    duration_ms: Math.round(answer.tookMs),
    signature: trustOf(findings),
  };
}

function deadlineOf({ headers }: ReceivedCallback): number {
  const told = Number(headers["deadline-ms"]);
  return told > 0 ? told : deadlineMsDefault;
}

/** The `code` of a callback's answer; "" when it has none. */
function codeOf({ body }: Forwarded): string {
  const code = fieldsOf(body)["code"];
  return typeof code === "number" ? String(code) : typeof code === "string" ? `"${onOneLine(code)}"` : "";
}

interface Parts {
  readonly id: string;
  readonly action: string;
  readonly cardNo: string;
  readonly amount: string;
  readonly shop: string;
}

function partsOf(body: string): Parts {
  const { id, action, data } = fieldsOf(body);
  const fields = objectOf(data);
  const { card_no: cardNo, amount, local_currency: currency, local_amount: local } = fields;
  const changed = text(fields["after_status"]);
  const billed = typeof amount === "number" ? amount.toFixed(2) : "";
  const inOther = currency !== undefined && currency !== "USD" ? ` (${text(local)} ${text(currency)})` : "";
  return {
    id: text(id),
    action: text(action) || "?",
    cardNo: text(cardNo),
    amount: changed === "" ? `${billed}${inOther}` : `${text(fields["before_status"])} → ${changed}`,
    shop: text(objectOf(fields["merchant_info"])["merchant_name"]),
  };
}

const text = (value: unknown): string =>
  typeof value === "string" ? onOneLine(value) : typeof value === "number" ? String(value) : "";
const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(json));
  } catch {
    return {};
  }
}
