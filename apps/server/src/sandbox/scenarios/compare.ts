import type { Numbers } from "./numbers.ts";
import type { ExpectedAnswer, ExpectedBalances, ExpectedCallback, ScenarioMode, StatementRow } from "./schema.ts";
import { type Balances, minor } from "./stage.ts";
import { fieldOf, recordsAt, textAt, type WireAnswer, type WireCallback } from "./wire.ts";

/** What differs from what was expected, one sentence each; empty when nothing does. */
export type Differences = readonly string[];

export interface Naming {
  readonly mode: ScenarioMode;
  readonly numbers: Numbers;
}

const differs = (what: string, expected: string, got: string): Differences =>
  expected === got ? [] : [`${what}: expected ${shown(expected)}, got ${shown(got)}`];
const shown = (text: string) => (text === "" ? "nothing" : text);

/** A text, number or boolean of JSON as a text; nothing else is compared. */
function plain(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** Two decimals, from a text or a number of JSON. */
function amountText(value: unknown): string {
  return typeof value === "number" ? value.toFixed(2) : plain(value);
}

/** An answer of the network, the Open API or an operator's call; without expectation it must be a yes. */
export function compareAnswer(
  { numbers }: Pick<Naming, "numbers">,
  { expected, answer }: { readonly expected: ExpectedAnswer; readonly answer: WireAnswer },
): Differences {
  const { json, status } = answer;
  const { consume, body, status: wantedStatus, ...fields } = expected;
  const yes =
    "approved" in json
      ? { approved: true }
      : "accepted" in json
        ? { accepted: true }
        : "code" in json
          ? { code: 0 }
          : {};
  const values = { ...yes, ...fields };
  const said = textAt(json, "reason") || textAt(json, "msg") || textAt(json, "error", "message");
  const why = said === "" ? "" : ` (${said})`;
  return [
    ...differs("HTTP status", String(wantedStatus ?? (status === 201 ? 201 : 200)), String(status)).map(
      (sentence) => `${sentence}${why}`,
    ),
    ...Object.entries(values).flatMap(([key, value]) =>
      value === undefined
        ? []
        : differs(`answer's ${key}`, String(value), plain(json[key])).map((sentence) => `${sentence}${why}`),
    ),
    ...(consume === undefined || numbers.is(consume, textAt(json, "consume_no"))
      ? []
      : [`answer's consume_no: expected ${consume}, got ${shown(numbers.nameOf(textAt(json, "consume_no")))}`]),
    ...(body === undefined ? [] : comparePart("answer's", body, json)),
  ];
}

/** What is written must be there; a list must have no other entries, in no other order. */
function comparePart(where: string, expected: unknown, got: unknown): Differences {
  if (Array.isArray(expected)) {
    const entries: readonly unknown[] = Array.isArray(got) ? got : [];
    const counted = differs(`${where}: entries`, String(expected.length), String(entries.length));
    const parts = expected.flatMap((each, place) => comparePart(`${where} ${place + 1}`, each, entries[place]));
    return counted.length > 0 ? [`${counted.join()}: ${JSON.stringify(entries)}`] : parts;
  }
  if (typeof expected === "object" && expected !== null) {
    return Object.entries(expected).flatMap(([key, value]) => comparePart(`${where} ${key}`, value, fieldOf(got, key)));
  }
  return differs(where, plain(expected), got === null ? "null" : plain(got));
}

export function compareCallback(naming: Naming, expected: ExpectedCallback, got: WireCallback): Differences {
  if (expected.card !== undefined) {
    return compareCardUpdate(naming, { ...expected, card: expected.card }, got);
  }
  const { mode, numbers } = naming;
  const { data } = got;
  const action = expected.auth === undefined ? "Consumption" : "Auth";
  const alias = expected.auth ?? expected.consumption ?? "";
  if (got.action !== action) {
    return [`expected ${action} about ${alias}, got ${describeCallback(numbers, got)}`];
  }
  const number = textAt(data, "consume_no");
  if (!numbers.is(alias, number)) {
    return [`expected ${alias}, got ${describeCallback(numbers, got)}`];
  }
  const same = [
    ...differs("type", expected.type ?? "Consumption", textAt(data, "type")),
    ...differs("amount", expected.amount?.[mode] ?? "", amountText(data["amount"])),
    ...differs("status", expected.status ?? "Pending", textAt(data, "status")),
    ...compareLocal(expected.local, data),
  ];
  if (action === "Auth") return same;
  const fees = Object.entries(expected.fees?.[mode] ?? {});
  return [
    ...same,
    ...differs("fee", sumText(fees.map(([, amount]) => amount)), amountText(data["fee"])),
    ...differs("fee_detail", feesText(fees), feesText(recordsAt(data, "fee_detail").map(feeOf))),
    ...differs("remark", expected.remark ?? "", textAt(data, "remark")),
    ...compareRelation(numbers, expected.relates, textAt(data, "consume_relate_no")),
    ...(textAt(data, "remark") !== "" && textAt(data, "detail") === ""
      ? ["a remark without a sentence in detail"]
      : []),
  ];
}

function compareCardUpdate(
  { numbers }: Naming,
  expected: ExpectedCallback & { readonly card: string },
  got: WireCallback,
): Differences {
  const { data } = got;
  if (got.action !== "Card_update" || !numbers.is(expected.card, textAt(data, "card_no"))) {
    return [`expected Card_update of ${expected.card}, got ${describeCallback(numbers, got)}`];
  }
  return [
    ...differs("before_status", expected.before ?? "", textAt(data, "before_status")),
    ...differs("after_status", expected.after ?? "", textAt(data, "after_status")),
  ];
}

const feeOf = (row: Readonly<Record<string, unknown>>): readonly [string, string] => [
  textAt(row, "fee_type"),
  amountText(row["amount"]),
];
const feesText = (fees: readonly (readonly [string, string | undefined])[]): string =>
  fees
    .map(([type, amount]) => `${type} ${amount ?? ""}`)
    .sort()
    .join(", ");

function sumText(amounts: readonly (string | undefined)[]): string {
  const sum = amounts.reduce((total, amount) => total + minor(amount ?? "0.00"), 0n);
  return `${sum / 100n}.${String(sum % 100n).padStart(2, "0")}`;
}

function compareRelation(numbers: Numbers, expected: string | undefined, got: string): Differences {
  if (expected === undefined) return differs("consume_relate_no", "", got === "" ? "" : numbers.nameOf(got));
  return numbers.is(expected, got)
    ? []
    : [`consume_relate_no: expected ${expected}, got ${shown(numbers.nameOf(got))}`];
}

/** Amounts of the shop are compared by value: a callback writes the shortest form, the list all decimals. */
function compareLocal(expected: string | undefined, row: Readonly<Record<string, unknown>>): Differences {
  if (expected === undefined) return [];
  const [amount = "", currency = ""] = expected.split(" ");
  const got = textAt(row, "local_amount");
  return [
    ...(Number(got) === Number(amount) && got !== "" ? [] : [`local_amount: expected ${amount}, got ${shown(got)}`]),
    ...differs("local_currency", currency, textAt(row, "local_currency")),
  ];
}

export function compareBalances(mode: ScenarioMode, expected: ExpectedBalances, got: Balances): Differences {
  const credit = mode === "credit" ? expected.credit : undefined;
  return [
    ...(credit === undefined ? [] : differs("credit available", credit.available, got.credit?.available ?? "")),
    ...(credit === undefined ? [] : differs("credit frozen", credit.frozen, got.credit?.frozen ?? "")),
    ...(expected.bonus === undefined || mode !== "credit" ? [] : differs("bonus", expected.bonus, got.bonus ?? "")),
    ...(expected.reserve === undefined
      ? []
      : [
          ...differs("reserve available", expected.reserve[mode].available, got.reserve.available),
          ...differs("reserve held", expected.reserve[mode].held, got.reserve.held),
        ]),
  ];
}

export function compareStatement(
  { mode, numbers }: Naming,
  expected: readonly StatementRow[],
  got: readonly Readonly<Record<string, unknown>>[],
): Differences {
  const rows = expected.filter(({ only }) => only === undefined || only === mode);
  const counted = differs("rows of the statement", String(rows.length), String(got.length));
  return [
    ...counted,
    ...(counted.length > 0 ? [`got ${got.map((row) => describeRow(numbers, row)).join("; ")}`] : []),
    ...rows.flatMap((row, place) => {
      const found = got[place] ?? {};
      const isRow = numbers.is(row.of, textAt(found, "consume_no"));
      return [
        ...(isRow ? [] : [`expected ${row.of}, got ${describeRow(numbers, found)}`]),
        ...differs("type", row.type, textAt(found, "type")),
        ...differs("status", row.status, textAt(found, "status")),
        ...differs("amount", row.amount[mode], textAt(found, "amount")),
        ...differs("fee", row.fee?.[mode] ?? "0.00", textAt(found, "fee")),
        ...differs("remark", row.remark, textAt(found, "remark")),
        ...compareRelation(numbers, row.relates, textAt(found, "consume_relate_no")),
        ...compareLocal(row.local, found),
      ].map((difference) => `row ${place + 1}: ${difference}`);
    }),
  ];
}

const describeRow = (numbers: Numbers, row: Readonly<Record<string, unknown>>): string =>
  `${numbers.nameOf(textAt(row, "consume_no"))} ${textAt(row, "type")} ${textAt(row, "status")} ${textAt(row, "amount")} ${textAt(row, "remark")}`.trim();

/** One line about a callback, with the scenario's own names. */
export function describeCallback(numbers: Numbers, { action, data }: WireCallback): string {
  if (action === "Card_update") {
    return `Card_update ${numbers.nameOf(textAt(data, "card_no"))} ${textAt(data, "before_status")} → ${textAt(data, "after_status")}`;
  }
  const fees = feesText(recordsAt(data, "fee_detail").map(feeOf));
  const remark = textAt(data, "remark");
  const parts = [
    action,
    numbers.nameOf(textAt(data, "consume_no")),
    textAt(data, "type"),
    textAt(data, "status"),
    amountText(fieldOf(data, "amount")),
    ...(fees === "" ? [] : [`with ${fees}`]),
    ...(remark === "" ? [] : [remark]),
  ];
  return parts.join(" ");
}
