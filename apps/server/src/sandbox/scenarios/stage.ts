import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { formatAmount, parseAmount } from "@cardwright/money";
import { systemClock } from "#kernel/index.ts";
import type { Scenario, ScenarioMode, ScenarioOperator } from "./schema.ts";
import { recordsAt, textAt, type Wire, type WireAnswer, type WireRequest } from "./wire.ts";

/** The merchant a scenario is played on. */
export interface StageMerchant {
  readonly merchantNo: string;
  readonly mode: ScenarioMode;
  readonly apiKey: string;
}

/** The operator's people by name, and what opens the network's files to them. */
export interface Office {
  readonly tokens: Readonly<Record<ScenarioOperator, string>>;
  readonly networkToken: string;
}

export interface StageOptions {
  readonly wire: Wire;
  readonly adminToken: string;
  /** Absent where a scenario is played on a merchant with a life of its own. */
  readonly office?: Office;
  readonly merchant: StageMerchant;
  readonly scenario: Scenario;
  /** Told of every call and its answer, for those who want to read along. */
  readonly onCall?: (request: WireRequest, answer: WireAnswer) => void;
}

/** Balances as two decimal texts each; a merchant's earlier reserve is taken off. */
export interface Balances {
  readonly credit: { readonly available: string; readonly frozen: string } | null;
  readonly bonus: string | null;
  readonly reserve: { readonly available: string; readonly held: string };
}

/** A call that had to succeed and did not. */
export class SceneFailed extends Error {
  override readonly name = "SceneFailed";
}

/** Everything a scenario does and reads, over the platform's own doors. */
export interface Stage {
  readonly merchant: StageMerchant;
  readonly cardholderNo: string;
  /** Applies for a card; answers its number before it is made. */
  applyForCard(): Promise<string>;
  sandbox(path: string, body: object): Promise<WireAnswer>;
  openApi(path: string, body: object): Promise<WireAnswer>;
  /** What is known of the merchant by the names that stand in braces. */
  readonly names: Readonly<Record<string, string>>;
  /** An operator's call; `by` the operator `admin` when absent. */
  operate(request: Omit<WireRequest, "headers">, by?: ScenarioOperator): Promise<WireAnswer>;
  /** The network's settlement file of a day (`yyyy-mm-dd`). */
  settlementFile(day: string): Promise<string>;
  importFile(text: string, by?: ScenarioOperator): Promise<WireAnswer>;
  recharge(amount: string): Promise<void>;
  /** How far the sandbox's clock is ahead of real time. */
  aheadMs(): Promise<number>;
  /** Its time, as Unix ms. */
  now(): Promise<number>;
  balances(): Promise<Balances>;
  /** The cardholder's consumptions since the scenario began, oldest first. */
  consumptions(): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const approvalLooksMax = 200;
const lookMs = 50;
/** Fewer than the 90 days that a list may span. */
const listWindowMs = 80 * 86_400_000;
/** 45 windows are ten years, which is as far as the clock goes. */
const listWindowsMax = 46;
const listPagesMax = 10;
const listSize = 100;
const dayMs = 86_400_000;

const defaultLimits = {
  limit_balance: "5000.00",
  limit_week_balance: "20000.00",
  limit_atm_day_balance: "1000.00",
  limit_atm_month_balance: "5000.00",
};

/** Sets up product, money and cardholder as the scenario wants them. Throws `SceneFailed` when a call is refused. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { merchant, scenario } = options;
  const call = async (request: WireRequest): Promise<WireAnswer> => {
    const answer = await options.wire(request);
    options.onCall?.(request, answer);
    return answer;
  };
  const operate = (request: Omit<WireRequest, "headers">) => call({ ...request, headers: bearer(options.adminToken) });
  const sandbox = (path: string, body: object) =>
    call({ method: "POST", path: `/sandbox/v1${path}`, headers: { "Api-Key": merchant.apiKey }, body });
  const accessToken = textAt(
    must(await call(openApiCall(merchant, { path: "/merchant/token" })), "merchant/token"),
    "data",
    "access_token",
  );
  const openApi = (path: string, body?: object) =>
    call(openApiCall(merchant, { path, accessToken, ...(body !== undefined && { body }) }));

  const base = await reserveOf(operate, merchant);
  const startedAt = Number(textAt(await clockOf(call, merchant), "now"));
  if (scenario.merchant !== undefined) {
    const body = typed(scenario.merchant);
    must(await operate({ method: "PATCH", path: `/operator/v1/merchants/${merchant.merchantNo}`, body }), "settings");
  }
  const product = await openProduct(operate, { merchant, scenario });
  if (scenario.start.reserve !== "0.00") {
    await rechargeBy(operate, { merchant, amount: scenario.start.reserve });
  }
  const cardholderNo = await approvedCardholder(openApi);
  if (merchant.mode === "credit" && scenario.start.credit !== "0.00") {
    const transfer = { cardholder_no: cardholderNo, transfer_unique_no: `start-${cardholderNo}`, type: "In" };
    must(await openApi("/account/transfer", { ...transfer, balance: scenario.start.credit }), "account/transfer");
  }
  return {
    merchant,
    cardholderNo,
    applyForCard: async () => {
      const card = { cardholder_no: cardholderNo, card_unique_no: randomUUID(), card_type: "Virtual" };
      const answer = await openApi("/card/apply", { ...card, ...product.choice });
      return textAt(must(answer, "card/apply"), "data", "card_no");
    },
    sandbox,
    openApi,
    names: {
      merchant_no: merchant.merchantNo,
      cardholder_no: cardholderNo,
      package_no: product.packageNo,
      card_bin_no: product.cardBinNo,
    },
    operate: (request, by) => call({ ...request, headers: bearer(tokenOf(options, by)) }),
    settlementFile: async (day) => {
      const headers = bearer(officeOf(options).networkToken);
      const answer = await call({ method: "GET", path: `/sandbox/v1/settlement/${day}`, headers });
      must(answer, "the network's settlement file");
      return answer.text ?? "";
    },
    importFile: (body, by) =>
      call({
        method: "POST",
        path: "/operator/v1/settlement/files",
        headers: { ...bearer(tokenOf(options, by)), "Content-Type": "text/csv" },
        body,
      }),
    aheadMs: async () => Number(textAt(await clockOf(call, merchant), "ahead_ms")),
    now: async () => Number(textAt(await clockOf(call, merchant), "now")),
    recharge: (amount) => rechargeBy(operate, { merchant, amount }),
    balances: async () => {
      const reserve = await reserveOf(operate, merchant);
      return {
        ...(await creditOf(openApi, { merchant, cardholderNo })),
        reserve: {
          available: less(reserve.available, base.available),
          held: less(reserve.held, base.held),
        },
      };
    },
    consumptions: async () => {
      const now = Number(textAt(await clockOf(call, merchant), "now"));
      return listAll(openApi, { cardholderNo, from: startedAt - dayMs, to: now + dayMs });
    },
  };
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

function officeOf({ office }: StageOptions): Office {
  if (office === undefined) throw new SceneFailed("the operator's people are not here");
  return office;
}

const tokenOf = (options: StageOptions, by: ScenarioOperator | undefined): string =>
  by === undefined ? options.adminToken : officeOf(options).tokens[by];

type OpenApi = (path: string, body?: object) => Promise<WireAnswer>;
type Operate = (request: Omit<WireRequest, "headers">) => Promise<WireAnswer>;

function openApiCall(
  merchant: StageMerchant,
  call: { readonly path: string; readonly accessToken?: string; readonly body?: object },
): WireRequest {
  return {
    method: call.body === undefined ? "GET" : "POST",
    path: `/open-api/v1${call.path}`,
    headers: {
      "Api-Key": merchant.apiKey,
      Timestamp: String(systemClock.now()),
      Timezone: "UTC+0",
      ...(call.accessToken !== undefined && { "Access-Token": call.accessToken }),
    },
    ...(call.body !== undefined && { body: call.body }),
  };
}

/** The body of an answer that had to be good: 2xx, and `code` 0 where there is one. */
function must(answer: WireAnswer, what: string): WireAnswer["json"] {
  const code = answer.json["code"];
  if (answer.status >= 300 || (code !== undefined && code !== 0)) {
    throw new SceneFailed(`${what} answered ${answer.status} ${JSON.stringify(answer.json).slice(0, 300)}`);
  }
  return answer.json;
}

const clockOf = async (call: Wire, merchant: StageMerchant) =>
  must(
    await call({ method: "GET", path: "/sandbox/v1/clock", headers: { "Api-Key": merchant.apiKey } }),
    "the sandbox's clock",
  );

interface Product {
  readonly cardBinNo: string;
  readonly packageNo: string;
  /** What `card/apply` wants to hear. */
  readonly choice: object;
}

/** A BIN, and in credit mode a package, with the scenario's terms and for this merchant alone. */
async function openProduct(
  operate: Operate,
  of: { readonly merchant: StageMerchant; readonly scenario: Scenario },
): Promise<Product> {
  const { merchant, scenario } = of;
  const { valid_months, limits, costs, fees } = scenario.product;
  const offer = {
    support_virtual: true,
    support_physical: true,
    cards_per_cardholder_max: 100,
    offered_to: [merchant.merchantNo],
    limits: { ...defaultLimits, ...limits },
  };
  const bin = await operate({
    method: "POST",
    path: "/operator/v1/bins",
    body: {
      ...offer,
      bin: "49387520",
      organization: "VISA",
      ...(valid_months !== undefined && { valid_months }),
      rates: typed(costs ?? { consume_rate: "0.01" }),
    },
  });
  const cardBinNo = textAt(must(bin, "a BIN"), "card_bin_no");
  if (merchant.mode === "authorization") {
    return { cardBinNo, packageNo: "", choice: { card_bin_no: cardBinNo } };
  }
  const made = await operate({
    method: "POST",
    path: "/operator/v1/packages",
    body: {
      ...offer,
      card_bin_no: cardBinNo,
      en_name: "Scenario",
      cn_name: "场景",
      rates: typed(fees ?? { consume_rate: "0.05" }),
    },
  });
  const packageNo = textAt(must(made, "a package"), "package_no");
  return { cardBinNo, packageNo, choice: { package_no: packageNo } };
}

/** A scenario's file knows texts alone: whole numbers and yes or no become what JSON calls them. Amounts have decimals and stay. */
export function typed(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, typedValue(key, value)]));
}

/** Rates are texts, also those that look like whole numbers. */
const textKeys = /_(?:rate|fee|cost|threshold|deduct|ratio)$/u;

function typedValue(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => typedValue(key, each));
  if (typeof value === "object" && value !== null) return typed(Object.fromEntries(Object.entries(value)));
  if (value === "true" || value === "false") return value === "true";
  if (value === "null") return null;
  return typeof value === "string" && /^[0-9]{1,9}$/u.test(value) && !textKeys.test(key) ? Number(value) : value;
}

async function rechargeBy(
  operate: Operate,
  of: { readonly merchant: StageMerchant; readonly amount: string },
): Promise<void> {
  const { merchant, amount } = of;
  const order = { merchant_no: merchant.merchantNo, amount, currency: "USD", reference: `scenario ${randomUUID()}` };
  const made = must(await operate({ method: "POST", path: "/operator/v1/recharges", body: order }), "a recharge");
  const path = `/operator/v1/recharges/${textAt(made, "recharge_no")}/confirm`;
  must(await operate({ method: "POST", path }), "its confirmation");
}

async function approvedCardholder(openApi: OpenApi): Promise<string> {
  const uniqueNo = randomUUID();
  const application = { cardholder_unique_no: uniqueNo, sumsub_share_token: `approve-${uniqueNo}` };
  const applied = must(await openApi("/cardholder/apply", application), "cardholder/apply");
  const cardholderNo = textAt(applied, "data", "cardholder_no");
  for (let looks = 0; looks < approvalLooksMax; looks += 1) {
    const info = must(await openApi(`/cardholder/${cardholderNo}/info`), "cardholder/info");
    if (textAt(info, "data", "status") === "Approved") return cardholderNo;
    await sleep(lookMs);
  }
  throw new SceneFailed("the cardholder was not approved in time");
}

async function reserveOf(operate: Operate, merchant: StageMerchant): Promise<Balances["reserve"]> {
  const path = `/operator/v1/merchants/${merchant.merchantNo}/reserve`;
  const reserve = must(await operate({ method: "GET", path }), "the reserve");
  return { available: textAt(reserve, "available"), held: textAt(reserve, "held") };
}

async function creditOf(
  openApi: OpenApi,
  of: { readonly merchant: StageMerchant; readonly cardholderNo: string },
): Promise<Pick<Balances, "credit" | "bonus">> {
  if (of.merchant.mode === "authorization") return { credit: null, bonus: null };
  const info = must(await openApi(`/account/${of.cardholderNo}/info`), "account/info");
  const [account] = recordsAt(info, "data", "list");
  const frozen = textAt(account, "frozen_balance");
  return {
    credit: { available: less(textAt(account, "balance"), frozen), frozen },
    bonus: textAt(account, "bonus_balance"),
  };
}

async function listAll(
  openApi: OpenApi,
  of: { readonly cardholderNo: string; readonly from: number; readonly to: number },
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (let window = 0, start = of.from; start < of.to && window < listWindowsMax; window += 1, start += listWindowMs) {
    const period = { start_time: dateTime(start), end_time: dateTime(Math.min(of.to, start + listWindowMs)) };
    for (let page = 0; page < listPagesMax; page += 1) {
      const body = { cardholder_no: of.cardholderNo, ...period, page, size: listSize };
      const list = recordsAt(must(await openApi("/card/consume/list", body), "consume/list"), "data", "list");
      for (const row of list) found.set(textAt(row, "consume_no"), row);
      if (list.length < listSize) break;
    }
  }
  return [...found.values()].sort(
    (a, b) =>
      Number(a["time"]) - Number(b["time"]) || textAt(a, "consume_no").localeCompare(textAt(b, "consume_no"), "en"),
  );
}

const dateTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

/** `a` less `b`, two decimals, also below zero. */
function less(a: string, b: string): string {
  return formatAmount(minor(a) - minor(b), 2);
}

/** Minor units of an amount, which may be negative. */
export function minor(text: string): bigint {
  const parsed = parseAmount(text, 2);
  if (!parsed.ok) throw new SceneFailed(`${JSON.stringify(text)} is not an amount`);
  return parsed.value;
}
