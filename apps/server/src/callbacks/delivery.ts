import { type Batcher, createBatcher, createLanes, inTransaction, type Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { type Breaker, type BreakerChange, createBreaker, type Permit } from "./breaker.ts";
import { type ClaimedPush, claimDue, parkBlocked } from "./claim-store.ts";
import { findDueMerchants } from "./due-store.ts";
import type { EndpointFact, EndpointHealth } from "./endpoint-health.ts";
import { type Share, shareOut, wants } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";
import { createMerchantWorks, type MerchantWork, type MerchantWorks } from "./merchant-work.ts";
import { emptyOutbox } from "./outbox-store.ts";
import { paceAfter, startAnew } from "./pace.ts";
import type { Partitions } from "./partitions.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";
import { momentsOf, type TryResult, writeResults } from "./result-store.ts";
import { type TryDeps, tryPush } from "./try-push.ts";

export interface Delivery {
  /** Begins to look for due pushes, every 100 ms or when woken. */
  start(): void;
  /**
   * Claims nothing more, hands back what waits, and waits for the tries in flight, 10 s at most; what is left is tried again when its
   * lease ends.
   */
  stop(): Promise<void>;
  /** Look now: something was just committed. Costs nothing when called often. */
  wake(): void;
  /** Tries everything that is due now, also without `start`, and resolves when the results are written. Returns the tries made. */
  runDue(): Promise<number>;
  /** For metrics. In flight are also those whose results are being written. */
  load(): { readonly inFlight: number; readonly waiting: number };
}

export interface DeliveryDeps extends Omit<TryDeps, "patienceIsOver">, Pick<CallbackDeps, "pool"> {
  readonly partitions: Partitions;
  readonly health: EndpointHealth;
  /** Told when deliveries to a merchant stop because they fail, and when they go on. */
  readonly onBreaker: (change: BreakerChange) => void;
}

/** The delivery with what the endpoint's state does to it. */
export interface SteeredDelivery extends Delivery {
  /** Hands back what waits for a merchant: its deliveries are paused. */
  handBack(merchantId: number): void;
  /** Forgets that a merchant was held back. */
  letGo(merchantId: number): void;
  /** The merchant's server is another one now: an open circuit need not wait any longer. */
  targetChanged(merchantId: number): void;
}

interface State {
  readonly deps: DeliveryDeps;
  readonly tryDeps: TryDeps;
  readonly results: Batcher<TryResult, null>;
  readonly breaker: Breaker;
  readonly works: MerchantWorks;
  /** Merchants that have something to send, in turn. */
  readonly turn: MerchantWork[];
  /** Tries in flight. */
  inFlight: number;
  /** Claimed by this process and not over: in line, in flight, or about to be written. */
  readonly open: Map<ClaimedPush, PromiseWithResolvers<boolean>>;
  loop: Promise<void> | null;
  stopping: boolean;
  woken: boolean;
  endPause: (() => void) | null;
}

/** What a claim achieved: as long as it is not nothing, the next one may find more. */
interface Round {
  /** From the outbox. */
  readonly moved: number;
  readonly pushes: readonly ClaimedPush[];
  readonly parked: number;
  /** Where the next round begins; 0 after the last merchant. */
  readonly nextAfterMerchantId: number;
}

export function createDelivery(deps: DeliveryDeps): SteeredDelivery {
  const state: State = {
    deps,
    tryDeps: { ...deps, patienceIsOver: (merchantId, nowMs) => deps.health.patienceIsOver(merchantId, nowMs) },
    results: createBatcher<TryResult, null>({
      name: "callback results",
      lanes: createLanes({ max: 1 }),
      batchMax: callbackLimits.rowsPerWrite,
      queueMax: callbackLimits.rowsWaitingMax,
      run: (results) => write(state, results),
    }),
    breaker: createBreaker({
      monotonicNow: neverBack(deps.clock),
      onChange: (change) => {
        onCircuit(state, change);
      },
    }),
    works: createMerchantWorks(),
    turn: [],
    inFlight: 0,
    open: new Map(),
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
    load: () => {
      const waiting = Array.from(state.works.all(), ({ lines }) => lines.waiting()).reduce(
        (sum, each) => sum + each,
        0,
      );
      return { inFlight: state.open.size - waiting, waiting };
    },
    handBack: (merchantId) => {
      const work = state.works.known(merchantId);
      if (work !== undefined) {
        handBackLines(state, work);
      }
    },
    letGo: (merchantId) => letGo(state, merchantId),
    targetChanged: (merchantId) => {
      state.breaker.probeNow(merchantId);
      letGo(state, merchantId);
    },
  };
}

/** The circuit of deliveries goes by business time, as the retries do; the machine's clock may be set back. */
function neverBack(clock: Clock): () => number {
  let latestMs = Number.NEGATIVE_INFINITY;
  return () => {
    latestMs = Math.max(latestMs, clock.now());
    return latestMs;
  };
}

async function run(state: State): Promise<void> {
  let afterMerchantId = 0;
  while (!state.stopping) {
    state.woken = false;
    const startedMs = performance.now();
    try {
      const { nextAfterMerchantId } = await claimRound(state, { afterMerchantId });
      afterMerchantId = nextAfterMerchantId;
      const restMs = Math.min(callbackLimits.restMsMax, 4 * (performance.now() - startedMs));
      await pause(state, afterMerchantId === 0 ? Math.max(callbackLimits.pollMs, restMs) : restMs);
    } catch (error) {
      state.deps.log.error({ error: nameOf(error) }, "due callbacks could not be claimed");
      await sleep(callbackLimits.failurePauseMs);
    }
  }
}

async function runDue(state: State): Promise<number> {
  let tried = 0;
  let afterMerchantId = 0;
  let foundAny = false;
  for (let round = 0; round < callbackLimits.roundsMax && !state.stopping; round += 1) {
    const { moved, pushes, parked, nextAfterMerchantId } = await claimRound(state, { afterMerchantId });
    const wereTried = await Promise.all(pushes.flatMap((push) => state.open.get(push)?.promise ?? []));
    tried += wereTried.filter((wasTried) => wasTried).length;
    foundAny ||= moved + pushes.length + parked > 0;
    afterMerchantId = nextAfterMerchantId;
    if (afterMerchantId === 0) {
      if (!foundAny) {
        return tried;
      }
      foundAny = false;
    }
  }
  return tried;
}

async function claimRound(state: State, { afterMerchantId }: { readonly afterMerchantId: number }): Promise<Round> {
  const { pool, clock } = state.deps;
  const { moved, mayHaveMore } = await emptyOutbox(pool);
  if (mayHaveMore) {
    wake(state);
  }
  const nowMs = clock.now();
  const { claimed, shares, nextAfterMerchantId } = await inTransaction(
    pool,
    (sql) => claimShares(state, { sql, nowMs, afterMerchantId }),
    { planned: "by_index" },
  );
  if (shares.length === 0) {
    return { moved, pushes: [], parked: 0, nextAfterMerchantId };
  }
  const counts = Map.groupBy(claimed, ({ merchantId }) => merchantId);
  const short = shares.filter(({ merchantId, slots }) => {
    const work = state.works.of(merchantId);
    work.mayHaveMore = (counts.get(merchantId)?.length ?? 0) >= slots;
    return !work.mayHaveMore;
  });
  const parked =
    short.length === 0
      ? 0
      : await inTransaction(pool, (sql) => parkBlocked(sql, { nowMs, shares: short }), { planned: "by_index" });
  // Waiting for them must be possible before the first is sent.
  takeIn(state, claimed);
  return { moved, pushes: claimed, parked, nextAfterMerchantId };
}

async function claimShares(
  state: State,
  { sql, nowMs, afterMerchantId }: { readonly sql: Sql; readonly nowMs: number; readonly afterMerchantId: number },
): Promise<{
  readonly claimed: readonly ClaimedPush[];
  readonly shares: readonly Share[];
  readonly nextAfterMerchantId: number;
}> {
  const { due, nextAfterMerchantId } = await findDueMerchants(sql, { nowMs, afterMerchantId });
  const shares = shareOut({
    due: due.filter(({ merchantId }) => (state.works.known(merchantId)?.heldUntilMs ?? 0) <= nowMs),
    loadOf: (merchantId) => state.works.loadOf(merchantId),
    slotsFree: Math.min(callbackLimits.claimMax, callbackLimits.claimedMax - state.open.size),
  });
  return { claimed: shares.length === 0 ? [] : await claimDue(sql, { nowMs, shares }), shares, nextAfterMerchantId };
}

function takeIn(state: State, pushes: readonly ClaimedPush[]): void {
  for (const push of pushes) {
    const work = state.works.of(push.merchantId);
    state.open.set(push, Promise.withResolvers<boolean>());
    work.lines.add(push);
    standInTurn(state, work);
  }
  sendInTurn(state);
}

function standInTurn(state: State, work: MerchantWork): void {
  if (!work.isInTurn && work.lines.isReady() && work.inFlight < Math.floor(work.pace.window)) {
    work.isInTurn = true;
    state.turn.push(work);
  }
}

/** Every merchant that has a free place sends one push, then stands at the end again. */
function sendInTurn(state: State): void {
  while (state.inFlight < callbackLimits.triesMax) {
    const work = state.turn.shift();
    if (work === undefined) {
      return;
    }
    work.isInTurn = false;
    const push = work.inFlight < Math.floor(work.pace.window) ? work.lines.take() : null;
    if (push !== null) {
      begin(state, { work, push });
      standInTurn(state, work);
    }
  }
}

interface Trying {
  readonly work: MerchantWork;
  readonly push: ClaimedPush;
}

function begin(state: State, { work, push }: Trying): void {
  const nowMs = state.deps.clock.now();
  if (state.stopping || work.heldUntilMs > nowMs || push.leaseUntilMs < nowMs + callbackLimits.leaseLeftMs) {
    // It waited too long, or the merchant is to be left alone: whoever claims it next sends it.
    handBackCard(state, { work, push });
    return;
  }
  const permit = state.breaker.admit(work.merchantId);
  if (permit === null) {
    work.heldUntilMs = nowMs + callbackLimits.heldLookMs;
    handBackCard(state, { work, push });
    handBackLines(state, work);
    return;
  }
  work.inFlight += 1;
  state.inFlight += 1;
  const { letGoes } = work;
  const startedMs = performance.now();
  void tryPush(state.tryDeps, push).then((result) => over(state, { work, push, permit, letGoes, startedMs, result }));
}

interface TriedPush extends Trying {
  readonly permit: Permit;
  /** Those of the merchant when it began. */
  readonly letGoes: number;
  /** Machine time. */
  readonly startedMs: number;
  readonly result: TryResult;
}

function over(state: State, tried: TriedPush): void {
  const { work, push, permit, result } = tried;
  const isPressed = work.lines.isReady() || work.inFlight >= Math.floor(work.pace.window);
  work.inFlight -= 1;
  state.inFlight -= 1;
  state.breaker.settle(permit, healthOf(result));
  if (result.record !== null) {
    const good = result.end.state === "Delivered";
    paceAfter(work.pace, { startedMs: tried.startedMs, endedMs: performance.now(), good, pressed: isPressed });
  }
  void conclude(state, result);
  if (result.end.state === "Delivered") {
    work.lines.delivered(push.cardNo);
  } else {
    // Without a URL, or asked for patience, nothing of this merchant can go; otherwise what follows in the card waits for it.
    if (result.end.state === "Throttled" || (result.record === null && tried.letGoes === work.letGoes)) {
      const heldUntilMs =
        result.end.state === "Throttled" ? result.end.dueAtMs : result.endedAtMs + callbackLimits.noTargetPauseMs;
      work.heldUntilMs = Math.max(work.heldUntilMs, heldUntilMs);
      handBackLines(state, work);
    }
    for (const waiting of work.lines.drop(push.cardNo)) {
      handBack(state, waiting);
    }
  }
  standInTurn(state, work);
  sendInTurn(state);
  if (work.mayHaveMore && wants(state.works.loadOf(work.merchantId))) {
    wake(state);
  }
}

/** A merchant that asks for patience is neither well nor failing; without a URL nothing was sent. */
function healthOf({ record, end }: TryResult): "answered" | "failed" | "not_sent" {
  if (record === null || end.state === "Throttled") {
    return "not_sent";
  }
  return end.state === "Delivered" ? "answered" : "failed";
}

function handBackCard(state: State, { work, push }: Trying): void {
  handBack(state, push);
  for (const waiting of work.lines.drop(push.cardNo)) {
    handBack(state, waiting);
  }
}

function handBackLines(state: State, work: MerchantWork): void {
  for (const push of work.lines.drain()) {
    handBack(state, push);
  }
}

function handBack(state: State, push: ClaimedPush): void {
  void conclude(state, { push, endedAtMs: state.deps.clock.now(), end: { state: "Released" }, record: null });
}

function letGo(state: State, merchantId: number): void {
  const work = state.works.known(merchantId);
  if (work !== undefined) {
    work.heldUntilMs = 0;
    work.letGoes += 1;
  }
  wake(state);
}

function onCircuit(state: State, change: BreakerChange): void {
  if (change.kind === "opened") {
    const work = state.works.of(change.merchantId);
    work.heldUntilMs = Math.max(work.heldUntilMs, state.deps.clock.now() + change.waitMs);
    startAnew(work.pace);
    handBackLines(state, work);
  }
  state.deps.onBreaker(change);
}

/** Settles the push in this process when its result is written or lost. */
async function conclude(state: State, result: TryResult): Promise<void> {
  const { push, record, end } = result;
  const noted = record === null ? null : state.deps.health.note(factOf(result));
  try {
    await state.results.submit(result);
  } catch (error) {
    // The push stays claimed until its lease ends and is then sent again: at least once.
    const { merchantId, callbackId } = push;
    state.deps.log.error({ merchantId, callbackId, error: nameOf(error) }, "the result of a push could not be written");
  }
  await noted;
  state.open.get(push)?.resolve(record !== null || end.state !== "Released");
  state.open.delete(push);
}

function factOf({ push, endedAtMs, end }: TryResult): EndpointFact {
  const { merchantId } = push;
  switch (end.state) {
    case "Delivered":
      return { merchantId, atMs: endedAtMs, kind: "good", heldUntilMs: 0 };
    case "Throttled":
      return { merchantId, atMs: endedAtMs, kind: "asks_for_patience", heldUntilMs: end.dueAtMs };
    case "Failed":
    case "GivenUp":
    case "Released":
      return { merchantId, atMs: endedAtMs, kind: "failed", heldUntilMs: 0 };
  }
}

async function write(state: State, results: readonly TryResult[]): Promise<null[]> {
  const { pool, partitions } = state.deps;
  const { calledBack } = await partitions.writing(
    () => momentsOf(results),
    () => writeResults(pool, { results }),
  );
  if (calledBack > 0) {
    wake(state);
  }
  return results.map(() => null);
}

function wake(state: State): void {
  state.woken = true;
  state.endPause?.();
}

/** Waits until woken, but at least as long as results and claims need to gather. */
async function pause(state: State, ms: number): Promise<void> {
  await sleep(callbackLimits.claimGapMs);
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
  for (const work of state.works.all()) {
    handBackLines(state, work);
  }
  const over = Promise.all(Array.from(state.open.values(), ({ promise }) => promise));
  const deadline = new AbortController();
  await Promise.race([over, sleep(callbackLimits.stopMs, deadline.signal)]);
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
