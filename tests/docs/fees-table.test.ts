import { ZERO_FEE_DETAIL } from "@cardwright/contract";
import { convert, currencyOf, formatAmount, parseAmount, parseRate } from "@cardwright/money";
import { expect, test } from "vitest";
import {
  type ChargedTransaction,
  type FeeCounters,
  isCrossBorder,
  managementCharge,
  managementPeriod,
  noActivity,
  openingCharge,
  type SmallDecision,
  transactionFees,
  unusedCounters,
} from "../../apps/server/src/fees/index.ts";
import { completeFees } from "../../apps/server/src/products/fee-detail.ts";
import { ratesInput } from "../../apps/server/src/products/input.ts";
import { parseRates } from "../../apps/server/src/products/terms.ts";
import { document } from "./documents.ts";

/**
 * Runs every row of the table of worked examples. A row that cannot be read in full fails: each cell has a grammar, and what
 * does not fit it is an error, never skipped.
 */

type Schedule = ReturnType<typeof parseRates>;

interface Example {
  readonly number: number;
  readonly schedule: string;
  readonly transaction: string;
  readonly before: string;
  readonly rows: string;
  readonly total: string;
  readonly after: string;
}

const columns = ["#", "schedule", "transaction", "counters before", "rows", "total", "counters after"];
const section = document("docs/reference/fees.md").split("\n## Worked examples\n")[1] ?? "";
const tableLines = section.split("\n").filter((line) => line.startsWith("|"));
const cellsOf = (line: string): readonly string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

const examples: readonly Example[] = tableLines.slice(2).map((line) => {
  const [number = "", schedule = "", transaction = "", before = "", rows = "", total = "", after = ""] = cellsOf(line);
  return { number: Number(number), schedule, transaction, before, rows, total, after };
});

function groupsOf(pattern: RegExp, text: string): Readonly<Record<string, string | undefined>> {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`cannot be read: ${text}`);
  return found.groups ?? {};
}

function amountOf(text: string, decimals = 2): bigint {
  const amount = parseAmount(text, decimals);
  if (!amount.ok || text !== formatAmount(amount.value, decimals)) throw new Error(`not an amount: ${text}`);
  return amount.value;
}

function scheduleOf(cell: string): Schedule {
  const { list = "" } = groupsOf(/^`(?<list>[^`]+)`$/u, cell);
  const given = list.split(" ").map((entry) => {
    const { name = "", value = "" } = groupsOf(/^(?<name>[a-z_]+)=(?<value>[\w.]+)$/u, entry);
    return [name, /_(?:count|days)$/u.test(name) ? Number(value) : value] as const;
  });
  const detail = completeFees(ratesInput.parse(Object.fromEntries(given)));
  if (!detail.ok || given.length !== Object.keys(Object.fromEntries(given)).length)
    throw new Error(`no schedule: ${cell}`);
  return parseRates(detail.value);
}

function localTime(text: string, utcOffsetMinutes: number): number {
  const time = Date.parse(`${text.replace(" ", "T")}:00Z`);
  if (new Date(time).toISOString().slice(0, 16).replace("T", " ") !== text) throw new Error(`no such time: ${text}`);
  return time - utcOffsetMinutes * 60_000;
}

interface Card {
  readonly currency: string;
  readonly openedAt: number;
  readonly utcOffsetMinutes: number;
  readonly at: number;
}

/** What follows the first comma of a transaction, each part at most once. */
function partsOf(texts: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const parts = new Map(
    texts.map((text) => {
      const [name = "", ...rest] = text.split(" ");
      return [name, rest.join(" ")] as const;
    }),
  );
  const strange = [...parts.keys()].filter((name) => !known.includes(name));
  if (parts.size !== texts.length || strange.length > 0) throw new Error(`cannot be read: ${texts.join(", ")}`);
  return parts;
}

function cardOf(parts: ReadonlyMap<string, string>): Card {
  const { opened = "", hours = "8" } = groupsOf(
    /^(?<opened>\d{4}-\d\d-\d\d \d\d:\d\d)(?: UTC(?<hours>[+-]\d{1,2}))?$/u,
    parts.get("opened") ?? "2026-01-31 10:00",
  );
  const utcOffsetMinutes = Number(hours) * 60;
  const openedAt = localTime(opened, utcOffsetMinutes);
  const on = parts.get("on");
  return {
    currency: "USD",
    openedAt,
    utcOffsetMinutes,
    at: on === undefined ? openedAt : localTime(on, utcOffsetMinutes),
  };
}

function smallOf(text: string | undefined): SmallDecision {
  if (text === undefined) return "open";
  if (text === "free" || text === "charged") return text;
  throw new Error(`cannot be read: small ${text}`);
}

function isWallet(text: string | undefined): boolean {
  if (text !== undefined && text !== "") throw new Error(`cannot be read: wallet ${text}`);
  return text === "";
}

/** The amount in the card's currency, minor units. */
function billed(amount: string, code: string, rateText: string | undefined): bigint {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(`no currency: ${code}`);
  const minor = amountOf(amount, currency.decimals);
  if (isCrossBorder({ transaction: code, card: "USD" }) !== (rateText !== undefined)) {
    throw new Error(`a rate is given for a foreign currency, and only then: ${amount} ${code}`);
  }
  if (rateText === undefined) return minor;
  const rate = parseRate(rateText);
  if (!rate.ok) throw new Error(`not a rate: ${rateText}`);
  return convert({ minor, from: currency.code, to: "USD", rate: rate.value });
}

function transactionOf(main: string, parts: ReadonlyMap<string, string>): ChargedTransaction {
  const {
    kind,
    amount: text = "",
    currency = "",
    rate,
  } = groupsOf(
    /^(?<kind>purchase|withdrawal|decline|cancel|cancel of withdrawal|refund) (?<amount>[\d.]+) (?<currency>[A-Z]+)(?: at (?<rate>[\d.]+))?$/u,
    main,
  );
  const amount = billed(text, currency, rate);
  if (kind === "purchase" || kind === "withdrawal") {
    return { kind, amount, currency, wallet: isWallet(parts.get("wallet")), small: smallOf(parts.get("small")) };
  }
  if (parts.has("wallet") || parts.has("small")) throw new Error(`only purchases and withdrawals have that: ${main}`);
  if (kind === "decline" || kind === "refund") return { kind, amount };
  return { kind: "cancel", of: kind === "cancel" ? "purchase" : "withdrawal", amount };
}

const noneText = "–";
const counterNames = ["small", "decline", "cancel"] as const;

function countersOf(cell: string): FeeCounters {
  if (cell === noneText) return unusedCounters;
  return cell.split("; ").reduce((counters: FeeCounters, text) => {
    const {
      name = "",
      used = "",
      period = "0",
    } = groupsOf(/^(?<name>small|decline|cancel) (?<used>\d+)(?: in period (?<period>\d+))?$/u, text);
    return { ...counters, [name]: { used: Number(used), period: Number(period) } };
  }, unusedCounters);
}

function countersText(counters: FeeCounters): string {
  const texts = counterNames.flatMap((name) => {
    const { used, period } = counters[name];
    const where = period === 0 ? "" : ` in period ${period}`;
    return used === 0 && period === 0 ? [] : [`${name} ${used}${where}`];
  });
  return texts.length === 0 ? noneText : texts.join("; ");
}

type Outcome = Pick<Example, "rows" | "total" | "after">;

const rowsText = (rows: readonly string[]): string => (rows.length === 0 ? noneText : rows.join(", "));

function transactionOutcome(example: Example, schedule: Schedule): Outcome {
  const [main = "", ...rest] = example.transaction.split(", ");
  const parts = partsOf(rest, ["wallet", "small", "opened", "on"]);
  const { rows, total, counters } = transactionFees({
    schedule,
    transaction: transactionOf(main, parts),
    counters: countersOf(example.before),
    card: cardOf(parts),
  });
  return {
    rows: rowsText(rows.map((row) => `${row.feeType} ${formatAmount(row.amount, 2)}`)),
    total: formatAmount(total, 2),
    after: countersText(counters),
  };
}

function openingOutcome(example: Example, schedule: Schedule): Outcome {
  const charge = openingCharge(schedule);
  const rows = charge === null ? [] : [`${charge.type} ${formatAmount(charge.amount, 2)}`];
  return { rows: rowsText(rows), total: formatAmount(charge?.amount ?? 0n, 2), after: example.before };
}

function localDate(ms: number, card: Card): string {
  return new Date(ms + card.utcOffsetMinutes * 60_000).toISOString().slice(0, 10);
}

function managementOutcome(example: Example, schedule: Schedule): Outcome {
  const [main = "", ...rest] = example.transaction.split(", ");
  const { index = "" } = groupsOf(/^management period (?<index>\d+)$/u, main);
  const parts = partsOf(rest, ["opened", "spent"]);
  const card = cardOf(parts);
  const spent = parts.get("spent");
  const { amount = "", count = "" } =
    spent === undefined ? {} : groupsOf(/^(?<amount>[\d.]+) in (?<count>\d+)$/u, spent);
  const before = spent === undefined ? noActivity : { spending: amountOf(amount), purchases: Number(count) };
  const { management } = schedule;
  const charge = managementCharge(management, before);
  if (charge === null || management.type === "None") {
    return { rows: noneText, total: "0.00", after: example.before };
  }
  const period = managementPeriod({ ...card, type: management.type }, Number(index));
  const dates = [`due ${localDate(period.startsAt, card)}`, `retry ${localDate(period.retryAt, card)}`];
  const fee = formatAmount(charge.amount, 2);
  return { rows: [`${charge.type} ${fee}`, ...dates].join(", "), total: fee, after: example.before };
}

function outcomeOf(example: Example): Outcome {
  const schedule = scheduleOf(example.schedule);
  if (example.transaction === "opening") return openingOutcome(example, schedule);
  return example.transaction.startsWith("management ")
    ? managementOutcome(example, schedule)
    : transactionOutcome(example, schedule);
}

test("the page has one table of at least 80 worked examples, numbered without gaps, with every cell filled", () => {
  expect(cellsOf(tableLines[0] ?? "")).toEqual(columns);
  expect(examples.length).toBeGreaterThanOrEqual(80);
  expect(examples.map(({ number }) => number)).toEqual(examples.map((_, index) => index + 1));
  const ragged = tableLines.filter((line) => cellsOf(line).length !== columns.length || cellsOf(line).includes(""));
  expect(ragged).toEqual([]);
  expect(section.split("\n").filter((line) => /^\s+\|/u.test(line))).toEqual([]);
});

test.each(examples)("worked example $number costs what the page says: $transaction", (example) => {
  const { rows, total, after } = example;
  expect(outcomeOf(example)).toEqual({ rows, total, after });
});

test("the total of each worked example is the sum of its rows as they are written", () => {
  for (const { number, rows, total } of examples) {
    const amounts = [...rows.matchAll(/_(?:fee|card) (?<amount>\d+\.\d\d)/gu)].map(({ groups }) =>
      amountOf(groups?.["amount"] ?? ""),
    );
    expect(
      formatAmount(
        amounts.reduce((sum, amount) => sum + amount, 0n),
        2,
      ),
      `example ${number}`,
    ).toBe(total);
  }
});

test("every fee that can be charged is in a worked example, and every key of a schedule is used in one", () => {
  const charged = new Set(examples.flatMap(({ rows }) => rows.match(/[A-Z][a-z_]+_(?:fee|card)/gu) ?? []));
  expect([...charged].toSorted()).toEqual([
    "Apple_auth_fee",
    "Atm_fee",
    "Cancel_fee",
    "Consume_fee",
    "Decline_fee",
    "Exchange_fee",
    "Manage_fee",
    "Open_card",
    "Refund_fee",
    "Small_fee",
  ]);
  const schedules = examples.map(({ schedule }) => schedule).join(" ");
  const unused = Object.keys(ZERO_FEE_DETAIL).filter((name) => !new RegExp(`\\b${name}=`, "u").test(schedules));
  expect(unused).toEqual([]);
});
