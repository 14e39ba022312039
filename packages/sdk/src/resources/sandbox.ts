import type { CallOptions } from "../options.ts";
import type { Transport } from "../transport.ts";
import { segment } from "./call.ts";
import { type ListenOptions, listen } from "./listen.ts";

export interface SandboxClock {
  /** Business time, Unix milliseconds. */
  readonly now: number;
  /** The same as ISO 8601. */
  readonly time: string;
  readonly ahead_ms: number;
}

export interface SandboxClockMove extends SandboxClock {
  readonly steps: number;
  /** What became due on the way, and how often it ran. */
  readonly ran: Readonly<Record<string, number>>;
  /** False when something is left to do. */
  readonly finished: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly shows: string;
  readonly modes: readonly string[];
  readonly steps: number;
  /** Whether it can be played on the own merchant. */
  readonly startable: boolean;
  /** Why not, such as `changes_settings`; empty where it can. */
  readonly not_startable_because: readonly string[];
}

export interface ScenarioRun {
  readonly run_id: string;
  readonly name: string;
  readonly state: "running" | "passed" | "failed" | (string & {});
  readonly step: number;
  readonly steps: number;
  readonly differences: readonly unknown[];
  readonly started_at: number;
  readonly ended_at: number | null;
}

export interface SandboxShop {
  readonly name?: string | undefined;
  readonly mcc?: string | undefined;
  readonly city?: string | undefined;
  readonly country?: string | undefined;
}

interface PlayedMessage {
  readonly card_no: string;
  /** Decimal text, in `currency`. */
  readonly amount: string;
  /** USD when absent. */
  readonly currency?: string | undefined;
  /** In US dollars, when `currency` is another. */
  readonly billing_amount?: string | undefined;
  readonly exchange_rate?: string | undefined;
  readonly merchant?: SandboxShop | undefined;
  /** The same one again is the same message again; a new one when absent. */
  readonly network_reference?: string | undefined;
}

export interface SandboxPurchaseParams extends PlayedMessage {
  readonly kind?: "purchase" | "atm" | "balance_inquiry" | "refund" | undefined;
  readonly wallet?: boolean | undefined;
  readonly recurring?: boolean | undefined;
  readonly partial_allowed?: boolean | undefined;
  readonly wrong_cvv?: boolean | undefined;
  readonly wrong_expiry?: boolean | undefined;
}

export interface SandboxIncrementParams extends SandboxPurchaseParams {
  readonly original_reference: string;
}

export interface SandboxClearingParams extends PlayedMessage {
  readonly kind?: "purchase" | "atm" | undefined;
  readonly original_reference?: string | undefined;
  /** False: more parts will follow. */
  readonly final?: boolean | undefined;
}

export interface SandboxRefundParams extends PlayedMessage {
  readonly original_reference?: string | undefined;
}

export interface SandboxReversalParams {
  readonly card_no: string;
  readonly original_reference: string;
  /** Everything that is left when absent. */
  readonly amount?: string | undefined;
  readonly billing_amount?: string | undefined;
  readonly network_reference?: string | undefined;
}

/** What the network was answered to an authorization. */
export interface SandboxReceipt {
  readonly network_reference: string;
  readonly approved: boolean;
  /** ISO 8583 field 39. */
  readonly response_code: string;
  readonly approved_amount: string;
  readonly reason: string;
  readonly detail: string;
  readonly consume_no: string;
  readonly balance: string;
  readonly repeat: boolean;
  readonly platform_ms: number;
  readonly terminal_ms: number;
}

/** What the network was answered to a message that cannot be declined. */
export interface SandboxEffect {
  readonly network_reference: string;
  readonly accepted: boolean;
  readonly effect: string;
  readonly consume_no: string;
  readonly repeat: boolean;
  readonly platform_ms: number;
  readonly terminal_ms: number;
}

export interface SandboxCardState {
  readonly card_no: string;
  readonly state: "made" | "shipped" | "failed";
}

/** Shops, the card maker and time, played by the merchant's developer. With the Api-Key alone; never in production. */
export interface Sandbox {
  clock(options?: CallOptions): Promise<SandboxClock>;
  /** Moves the whole sandbox's time on by an ISO 8601 duration (`P7D`, `PT1H30M`), and does what becomes due; 120 s unless told. */
  advanceClock(duration: string, options?: CallOptions): Promise<SandboxClockMove>;
  listScenarios(options?: CallOptions): Promise<{ readonly list: readonly Scenario[] }>;
  startScenario(name: string, options?: CallOptions): Promise<ScenarioRun>;
  retrieveScenarioRun(runId: string, options?: CallOptions): Promise<ScenarioRun>;
  purchase(params: SandboxPurchaseParams, options?: CallOptions): Promise<SandboxReceipt>;
  increment(params: SandboxIncrementParams, options?: CallOptions): Promise<SandboxReceipt>;
  advise(params: SandboxPurchaseParams, options?: CallOptions): Promise<SandboxEffect>;
  clear(params: SandboxClearingParams, options?: CallOptions): Promise<SandboxEffect>;
  refund(params: SandboxRefundParams, options?: CallOptions): Promise<SandboxEffect>;
  reverse(params: SandboxReversalParams, options?: CallOptions): Promise<SandboxEffect>;
  makeCard(cardNo: string, options?: CallOptions): Promise<SandboxCardState>;
  shipCard(cardNo: string, options?: CallOptions): Promise<SandboxCardState>;
  failCard(cardNo: string, options?: CallOptions): Promise<SandboxCardState>;
  /**
   * Receives this merchant's callbacks without an address of its own, and answers each with what `handle` gives. Runs until
   * `signal` says otherwise; then the callback URL is what it was before.
   */
  listen(options: ListenOptions): Promise<void>;
}

const sandboxApi = "/sandbox/v1";
/** Longer than the platform takes for one move, and waits for the move before it. */
const clockTimeoutMs = 120_000;

export function createSandbox(transport: Transport): Sandbox {
  const get = <Data>(path: string, options: CallOptions | undefined): Promise<Data> =>
    transport.sandboxCall({ method: "GET", path: sandboxApi + path, repeatable: "safe" }, options);
  const post = <Data>(path: string, body: object, options: CallOptions | undefined): Promise<Data> =>
    transport.sandboxCall({ method: "POST", path: sandboxApi + path, body, repeatable: "when_refused" }, options);
  const cardPath = (cardNo: string): string => `/cards/${segment("card_no", cardNo)}`;
  return {
    clock: (options) => get("/clock", options),
    advanceClock: (advance, options) =>
      post("/clock", { advance }, { timeoutMs: clockTimeoutMs, totalTimeoutMs: clockTimeoutMs, ...options }),
    listScenarios: (options) => get("/scenarios", options),
    startScenario: (name, options) => post(`/scenarios/${segment("name", name)}`, {}, options),
    retrieveScenarioRun: (runId, options) => get(`/scenarios/runs/${segment("run_id", runId)}`, options),
    purchase: (params, options) => post("/purchases", params, options),
    increment: (params, options) => post("/increments", params, options),
    advise: (params, options) => post("/advices", params, options),
    clear: (params, options) => post("/clearings", params, options),
    refund: (params, options) => post("/refunds", params, options),
    reverse: (params, options) => post("/reversals", params, options),
    makeCard: (cardNo, options) => post(`${cardPath(cardNo)}/make`, {}, options),
    shipCard: (cardNo, options) => post(`${cardPath(cardNo)}/ship`, {}, options),
    failCard: (cardNo, options) => post(`${cardPath(cardNo)}/fail`, {}, options),
    listen: (options) => listen(transport, options),
  };
}
