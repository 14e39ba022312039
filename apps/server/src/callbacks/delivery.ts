import { type Batcher, createBatcher, createLanes } from "#database/index.ts";
import { type ClaimedPush, claimDue, findDueMerchants, parkBlocked } from "./delivery-store.ts";
import { shareOut } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";
import { nameOf } from "./ports.ts";
import { type TryResult, writeResults } from "./result-store.ts";
import { type TryDeps, tryPush } from "./try-push.ts";

export interface Delivery {
  /** Begins to look for due pushes, every 100 ms or when woken. */
  start(): void;
  /** Claims nothing more and waits for the tries in flight, 10 s at most; what is left is tried again when its lease ends. */
  stop(): Promise<void>;
  /** Look now: something was just committed. Costs nothing when called often. */
  wake(): void;
  /** Tries everything that is due now, also without `start`, and resolves when the results are written. Returns the tries made. */
  runDue(): Promise<number>;
  /** For metrics. */
  load(): { readonly inFlight: number };
}

interface MerchantState {
  inFlight: number;
  failing: boolean;
  /** Until then the merchant is left alone because it has no callback URL; Unix ms of business time. */
  pausedUntilMs: number;
}

interface State {
  readonly deps: TryDeps;
  readonly results: Batcher<TryResult, null>;
  /** Merchants this process tries, or found failing or without a URL: a few words for each. */
  readonly merchants: Map<number, MerchantState>;
  readonly tries: Set<Promise<void>>;
  afterMerchantId: number;
  loop: Promise<void> | null;
  stopping: boolean;
  woken: boolean;
  endPause: (() => void) | null;
}

/** What a claim achieved: as long as it is not nothing, the next one may find more. */
interface Round {
  readonly pushes: readonly ClaimedPush[];
  readonly parked: number;
}

const nothing: Round = { pushes: [], parked: 0 };

export function createDelivery(deps: TryDeps): Delivery {
  const state: State = {
    deps,
    results: createBatcher<TryResult, null>({
      name: "callback results",
      lanes: createLanes({ max: 1 }),
      batchMax: callbackLimits.rowsPerWrite,
      queueMax: callbackLimits.rowsWaitingMax,
      run: (results) => writeResults(deps.pool, { nowMs: deps.clock.now(), results }),
    }),
    merchants: new Map(),
    tries: new Set(),
    afterMerchantId: 0,
    loop: null,
    stopping: false,
    woken: false,
    endPause: null,
  };
  return {
    start: () => {
      state.loop ??= run(state);
    },
    stop: () => stop(state),
    wake: () => wake(state),
    runDue: () => runDue(state),
    load: () => ({ inFlight: state.tries.size }),
  };
}

async function run(state: State): Promise<void> {
  while (!state.stopping) {
    state.woken = false;
    try {
      const { pushes, parked } = await claimRound(state);
      void begin(state, pushes);
      await pause(state, pushes.length + parked > 0 ? callbackLimits.claimGapMs : callbackLimits.pollMs);
    } catch (error) {
      state.deps.log.error({ error: nameOf(error) }, "due callbacks could not be claimed");
      await sleep(callbackLimits.failurePauseMs);
    }
  }
}

async function runDue(state: State): Promise<number> {
  let tried = 0;
  for (let round = 0; round < callbackLimits.roundsMax; round += 1) {
    const { pushes, parked } = await claimRound(state);
    await Promise.all(begin(state, pushes));
    tried += pushes.length;
    if (pushes.length + parked === 0) {
      return tried;
    }
  }
  return tried;
}

async function claimRound(state: State): Promise<Round> {
  const slotsFree = callbackLimits.triesMax - state.tries.size;
  if (slotsFree <= 0) {
    return nothing;
  }
  const nowMs = state.deps.clock.now();
  const { pool } = state.deps;
  const { due, nextAfterMerchantId } = await findDueMerchants(pool, { nowMs, afterMerchantId: state.afterMerchantId });
  state.afterMerchantId = nextAfterMerchantId;
  const shares = shareOut({
    due: due.filter(({ merchantId }) => (state.merchants.get(merchantId)?.pausedUntilMs ?? 0) <= nowMs),
    loadOf: (merchantId) => state.merchants.get(merchantId) ?? { inFlight: 0, failing: false },
    slotsFree,
  });
  if (shares.length === 0) {
    return nothing;
  }
  const { claimed, blocked } = await claimDue(pool, { nowMs, shares });
  const parked = blocked.length === 0 ? 0 : await parkBlocked(pool, { nowMs, blocked });
  return { pushes: claimed, parked };
}

/** Starts the tries; each promise resolves when the result is written or lost, and never rejects. */
function begin(state: State, pushes: readonly ClaimedPush[]): Promise<void>[] {
  return pushes.map((push) => {
    const merchant = merchantState(state, push.merchantId);
    merchant.inFlight += 1;
    const tried: Promise<void> = tryAndWrite(state, { push, merchant }).finally(() => {
      merchant.inFlight -= 1;
      state.tries.delete(tried);
      forgetIfQuiet(state, { merchantId: push.merchantId, merchant });
      wake(state);
    });
    state.tries.add(tried);
    return tried;
  });
}

async function tryAndWrite(
  state: State,
  { push, merchant }: { readonly push: ClaimedPush; readonly merchant: MerchantState },
): Promise<void> {
  const result = await tryPush(state.deps, push);
  merchant.failing = result.record !== null && result.record.error !== "";
  merchant.pausedUntilMs = result.record === null ? result.endedAtMs + callbackLimits.noTargetPauseMs : 0;
  try {
    await state.results.submit(result);
  } catch (error) {
    // The push stays claimed until its lease ends and is then sent again: at least once.
    const { merchantId, callbackId } = push;
    state.deps.log.error({ merchantId, callbackId, error: nameOf(error) }, "the result of a push could not be written");
  }
}

function merchantState(state: State, merchantId: number): MerchantState {
  const known = state.merchants.get(merchantId);
  if (known !== undefined) {
    return known;
  }
  const fresh: MerchantState = { inFlight: 0, failing: false, pausedUntilMs: 0 };
  state.merchants.set(merchantId, fresh);
  return fresh;
}

function forgetIfQuiet(
  state: State,
  { merchantId, merchant }: { readonly merchantId: number; readonly merchant: MerchantState },
): void {
  if (merchant.inFlight === 0 && !merchant.failing && merchant.pausedUntilMs === 0) {
    state.merchants.delete(merchantId);
  }
}

function wake(state: State): void {
  state.woken = true;
  state.endPause?.();
}

/** Waits until woken, but at least as long as results and claims need to gather. */
async function pause(state: State, ms: number): Promise<void> {
  await sleep(Math.min(ms, callbackLimits.claimGapMs));
  if (state.woken || state.stopping || ms <= callbackLimits.claimGapMs) {
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms - callbackLimits.claimGapMs);
    state.endPause = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  state.endPause = null;
}

async function stop(state: State): Promise<void> {
  state.stopping = true;
  state.endPause?.();
  await state.loop;
  const triesOver = Promise.all(state.tries);
  const deadline = new AbortController();
  await Promise.race([triesOver, sleep(callbackLimits.stopMs, deadline.signal)]);
  deadline.abort();
  await state.results.stop({ deadlineMs: callbackLimits.stopMs });
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
