import { inTransaction } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { countOpen, noteEndpoints, pauseByHand, resumeEndpoint, selectEndpoint } from "./endpoint-store.ts";
import { type EventDetail, insertEvents } from "./event-store.ts";
import { resendOpen } from "./history.ts";
import { callbackLimits } from "./limits.ts";
import { bringLineUpToDate } from "./outbox-store.ts";
import type { CallbackDeps } from "./ports.ts";
import { type SendDeps, sendPush } from "./send-push.ts";

/** Who stopped the deliveries; empty while they go on. */
export type PausedBy = "" | "failures" | "operator" | "merchant";

/** How a merchant's callback URL is doing; times in Unix ms of business time. */
export interface EndpointState {
  readonly state: "Active" | "Paused";
  readonly pausedBy: PausedBy;
  readonly pausedAtMs: number | null;
  /** Since then no try was good; `null` when the last one was, or there was none. */
  readonly failingSinceMs: number | null;
  /** Exact to a minute. */
  readonly lastSuccessAtMs: number | null;
  /** Exact to a minute. */
  readonly lastFailureAtMs: number | null;
  /** Pushes that wait or are being tried: counted up to 10,000. */
  readonly openCount: number;
  readonly openCountIsExact: boolean;
}

/** What came of a push that changes nothing and was sent to see whether the merchant's server takes it. */
export interface TestPush {
  readonly delivered: boolean;
  readonly httpStatus: number | null;
  /** Why it was not good; empty when it was. */
  readonly error: string;
  /** The first 4 KB of the answer. */
  readonly answer: string;
  readonly durationMs: number;
  /** It was good, and by that ended a pause that failures had caused. */
  readonly resumed: boolean;
}

/** The state of merchants' callback URLs, and what can be done about them by hand. */
export interface CallbackEndpoints {
  stateOf(merchantId: number): Promise<EndpointState>;
  /**
   * Nothing is tried until somebody resumes, but for what a worker has claimed already: about a second's worth. Pushes queue up and do
   * not run out of their 30 days.
   */
  pause(options: { readonly merchantId: number; readonly by: "operator" | "merchant" }): Promise<EndpointState>;
  /** What waits is due at once; what had failed begins a new schedule of retries. */
  resume(options: { readonly merchantId: number }): Promise<EndpointState>;
  /** Sends a test push now, also while the endpoint is paused. A success ends a pause that failures have caused. */
  sendTest(options: { readonly merchantId: number }): Promise<Result<TestPush, "no_callback_url">>;
}

export interface EndpointsDeps extends SendDeps, Pick<CallbackDeps, "pool" | "clock"> {
  /** The card that a test push is about; `null`: the merchant has none. */
  readonly newestCardOf: (merchantId: number) => Promise<string | null>;
  /** Told when deliveries were paused, and when they may go on, so that this process does so at once. */
  readonly onPaused: (merchantId: number) => void;
  readonly onResumed: (merchantId: number) => void;
}

export function createEndpoints(deps: EndpointsDeps): CallbackEndpoints {
  return {
    stateOf: (merchantId) => stateOf(deps, merchantId),
    pause: (options) => pause(deps, options),
    resume: ({ merchantId }) => resume(deps, merchantId),
    sendTest: ({ merchantId }) => sendTest(deps, merchantId),
  };
}

async function stateOf({ pool }: EndpointsDeps, merchantId: number): Promise<EndpointState> {
  await bringLineUpToDate(pool);
  const { count, isExact } = await countOpen(pool, { merchantId, countMax: callbackLimits.openCountMax });
  const row = await selectEndpoint(pool, merchantId);
  return {
    state: row === null || row.paused_by === "" ? "Active" : "Paused",
    pausedBy: row?.paused_by ?? "",
    pausedAtMs: momentOf(row?.paused_at),
    failingSinceMs: momentOf(row?.failing_since),
    lastSuccessAtMs: momentOf(row?.last_success_at),
    lastFailureAtMs: momentOf(row?.last_failure_at),
    openCount: count,
    openCountIsExact: isExact,
  };
}

function momentOf(value: bigint | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

async function pause(
  deps: EndpointsDeps,
  { merchantId, by }: { readonly merchantId: number; readonly by: "operator" | "merchant" },
): Promise<EndpointState> {
  const nowMs = deps.clock.now();
  await inTransaction(deps.pool, async (sql) => {
    if (await pauseByHand(sql, { merchantId, by, nowMs })) {
      await insertEvents(sql, [eventOf({ merchantId, nowMs, kind: "callbacks_paused", detail: { by } })]);
    }
  });
  deps.onPaused(merchantId);
  return stateOf(deps, merchantId);
}

async function resume(deps: EndpointsDeps, merchantId: number): Promise<EndpointState> {
  await goOn(deps, { merchantId, pausedBy: ["failures", "operator", "merchant"], cause: "by_hand" });
  return stateOf(deps, merchantId);
}

/**
 * First what had failed becomes due again, with its 30 days before it, then the pause ends: when the process dies in between, the
 * endpoint is still paused and resuming it does the same once more. Answers whether there was such a pause.
 */
async function goOn(
  deps: EndpointsDeps,
  options: {
    readonly merchantId: number;
    readonly pausedBy: readonly Exclude<PausedBy, "">[];
    readonly cause: "by_hand" | "test_push";
  },
): Promise<boolean> {
  const { merchantId, pausedBy, cause } = options;
  const before = await selectEndpoint(deps.pool, merchantId);
  if (before === null || !pausedBy.some((by) => by === before.paused_by)) {
    return false;
  }
  await resendOpen(deps, { merchantId, sinceMs: 0, which: "failing" });
  const nowMs = deps.clock.now();
  const isResumed = await inTransaction(deps.pool, async (sql) => {
    const was = await resumeEndpoint(sql, { merchantId, pausedBy });
    if (was !== null) {
      const detail = { paused_by: was, cause };
      await insertEvents(sql, [eventOf({ merchantId, nowMs, kind: "callbacks_resumed", detail })]);
    }
    return was !== null;
  });
  deps.onResumed(merchantId);
  return isResumed;
}

/** A card number that is none: the merchant's server must know the form, not the card. */
const cardNoOfNone = "C000000TEST";

async function sendTest(deps: EndpointsDeps, merchantId: number): Promise<Result<TestPush, "no_callback_url">> {
  const startedMs = deps.clock.now();
  const cardNo = (await deps.newestCardOf(merchantId)) ?? cardNoOfNone;
  const sent = await sendPush(deps, {
    merchantId,
    push: { id: uuid7(startedMs), action: "Card_update", dataText: testData(cardNo, startedMs) },
    extraHeaders: ["Test-Push", "true"],
  });
  if (sent === null) {
    return refused("no_callback_url");
  }
  const { httpStatus, error, answer, durationMs } = sent;
  const delivered = error === "";
  const resumed = delivered && (await afterGoodTest(deps, merchantId));
  return ok({ delivered, httpStatus, error, answer, durationMs, resumed });
}

/** The `data` of a Card_update that changes nothing, its keys in the contract's order (section 6). */
function testData(cardNo: string, time: number): string {
  const status = "Activated";
  return JSON.stringify({ card_no: cardNo, before_status: status, after_status: status, reason: "test", time });
}

/** The endpoint takes pushes: it does not fail any more. A pause by hand stays. */
async function afterGoodTest(deps: EndpointsDeps, merchantId: number): Promise<boolean> {
  await noteEndpoints(deps.pool, [
    {
      merchantId,
      lastSuccessAtMs: deps.clock.now(),
      lastFailureAtMs: null,
      failingFromMs: null,
      throttledFromMs: null,
      heldUntilMs: 0,
    },
  ]);
  return goOn(deps, { merchantId, pausedBy: ["failures"], cause: "test_push" });
}

function eventOf(event: {
  readonly merchantId: number;
  readonly nowMs: number;
  readonly kind: string;
  readonly detail: EventDetail;
}) {
  const { merchantId, nowMs, kind, detail } = event;
  return { merchantId, eventId: uuid7(nowMs), atMs: nowMs, kind, detail };
}
