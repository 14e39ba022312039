import { setTimeout as sleep } from "node:timers/promises";
import { createDatabaseOn } from "../support/database.ts";
import { endAll } from "../support/processes.ts";
import { createChecks } from "./checks.ts";
import type { ProofOptions, ProofReport } from "./proof.ts";
import type { PushArrival } from "./push-door.ts";
import { openPushStand, type PushStand, type QueuedPush, type WorkerPlace } from "./push-stand.ts";
import { type Choices, createChoices } from "./random.ts";
import { waitFor } from "./trouble.ts";

export interface DeliveryProofOptions extends ProofOptions {
  readonly kills: number;
  readonly workers: number;
  readonly cardsOfMerchant: number;
  /** Queued together, 20 times a second for as long as there are kills. */
  readonly pushesAtOnce: number;
  /** Whether retries and the claims of killed workers are waited for or jumped over. */
  readonly time: "real" | "hurry";
}

type Checks = ReturnType<typeof createChecks>;

const manners = ["steady", "failing", "slow", "steady", "failing", "slow"] as const;
/** Queued before the first kill. */
const pushesAtFirst = 300;
const queueMs = 50;
/** Deliveries between a kill and the next one: each meets the work somewhere in its middle, and sometimes a worker that has just come. */
const deliveriesMin = 1;
const deliveriesMax = 150;
/** A start takes a second or two, on a busy machine many times that. */
const deliveriesMsMax = 60_000;
const startLookMs = 20;
const killLookMs = 3;
const settleLookMs = 100;
/** A killed worker's claims last 15 s, a push that failed waits 5 s and, after a kill in the middle, once more 30. */
const settleMsMax = 180_000;
/** Nothing has moved for so long: what is left waits for the clock. A slow merchant needs 0.4 s for a push, a worker looks every 0.1 s. */
const quietMs = 500;
/** Longer than a claim and than the first wait; and all jumps together are shorter than a card's patience of ten minutes. */
const jumpMs = 16_000;
const jumpsMax = 30;

/**
 * kill -9 of random workers at random moments while pushes of many cards go to merchants that are steady, failing and slow; each
 * is started again at once. Then every push is looked at: where it arrived, how often, in which order, saying what.
 */
export async function proveDelivery(options: DeliveryProofOptions): Promise<ProofReport> {
  const { seed, say, signal } = options;
  const checks = createChecks();
  const db = await createDatabaseOn(options.server);
  let stand: PushStand | null = null;
  let numbers: Record<string, number> = {};
  try {
    const choices = createChoices({ seed, stream: 2 });
    say("starting the workers");
    stand = await openPushStand({ ...options, db, manners, choices, tooLate: options.time === "real" });
    numbers = await play(stand, { options, checks });
  } finally {
    say("ending the processes");
    await endAll();
    await stand?.close();
    await db.drop();
  }
  const violations = signal.aborted ? [...checks.violations, "ended early"] : checks.violations;
  return {
    proof: "delivery",
    ok: violations.length === 0,
    seed,
    numbers: { ...numbers, checks: checks.count },
    violations,
  };
}

async function play(
  stand: PushStand,
  { options, checks }: { readonly options: DeliveryProofOptions; readonly checks: Checks },
): Promise<Record<string, number>> {
  const { say } = options;
  await Promise.all(stand.workers.map(({ started }) => started));
  await stand.queue(pushesAtFirst);
  const queueing = keepQueueing(stand, options);
  let cutOff = 0;
  try {
    cutOff = await killWorkers(stand, options);
  } finally {
    await queueing.stop();
  }
  await Promise.all(stand.workers.map(({ started }) => started));
  const settled = await settle(stand, options);
  checks.same("all pushes are delivered in time", { found: settled, wanted: { ...settled, open: 0 } });
  say("looking at every push");
  await checkTables(stand, checks);
  checkArrivals(stand, checks);
  const { queued, door } = stand;
  return {
    kills: options.kills,
    pushes: queued.length,
    cards: new Set(queued.map(({ cardNo }) => cardNo)).size,
    "claimed at the kills": cutOff,
    deliveries: door.arrivals.length,
    repeats: door.arrivals.length - new Set(door.arrivals.map(({ id }) => id)).size,
    "seconds to settle": settled.seconds,
  };
}

function keepQueueing(stand: PushStand, options: DeliveryProofOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const over = queueUntil(stand, { ...options, signal: AbortSignal.any([stopping.signal, options.signal]) });
  // A failure is thrown where the end is waited for.
  over.catch(() => {});
  return {
    stop: () => {
      stopping.abort();
      return over;
    },
  };
}

async function queueUntil(stand: PushStand, { pushesAtOnce, signal }: DeliveryProofOptions): Promise<void> {
  while (!signal.aborted) {
    await stand.queue(pushesAtOnce);
    await sleep(queueMs);
  }
}

/** Answers how many pushes were claimed at the moments of the kills, by the killed worker or by another. */
async function killWorkers(stand: PushStand, options: DeliveryProofOptions): Promise<number> {
  const { kills, seed, say, signal } = options;
  const choices = createChoices({ seed, stream: 3 });
  let claimed = 0;
  for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
    await moreDeliveries(stand, { count: choices.whole(deliveriesMin, deliveriesMax), signal });
    const worker = await victim(stand, { choices, signal });
    if (worker?.running === null || worker === null) break;
    claimed += await stand.claimed();
    worker.running.kill("SIGKILL");
    await worker.running.ended;
    stand.restart(worker);
    say(`kill ${kill + 1} of ${kills}: ${worker.name}, ${stand.door.arrivals.length} deliveries so far`);
  }
  return claimed;
}

async function moreDeliveries(
  { door }: PushStand,
  { count, signal }: { readonly count: number; readonly signal: AbortSignal },
): Promise<void> {
  const wanted = door.arrivals.length + count;
  for (const startedMs = performance.now(); door.arrivals.length < wanted && !signal.aborted; ) {
    if (performance.now() - startedMs > deliveriesMsMax) throw new Error("nothing is delivered any more");
    await sleep(killLookMs);
  }
}

/** A worker that runs. */
async function victim(
  stand: PushStand,
  { choices, signal }: { readonly choices: Choices; readonly signal: AbortSignal },
): Promise<WorkerPlace | null> {
  while (!signal.aborted) {
    // A start that failed would be waited for in vain: this throws then.
    await Promise.race(stand.workers.map(({ started }) => started));
    const [first, ...others] = stand.workers.filter(({ running }) => running !== null);
    if (first !== undefined) return choices.of([first, ...others]);
    await waitFor(startLookMs, signal);
  }
  return null;
}

/** Waits until nothing is open. In a hurry the clock is moved on as often as nothing moves by itself any more. */
async function settle(
  stand: PushStand,
  { time, say, signal }: DeliveryProofOptions,
): Promise<{ readonly open: number; readonly seconds: number; readonly jumps: number }> {
  const startedMs = performance.now();
  let [open, jumps, movedMs, arrived] = [await openPushes(stand), 0, startedMs, -1];
  while (open > 0 && performance.now() - startedMs < settleMsMax && !signal.aborted) {
    await sleep(settleLookMs);
    open = await openPushes(stand);
    say(`settling: ${open} pushes are open`);
    if (stand.door.arrivals.length !== arrived) {
      arrived = stand.door.arrivals.length;
      movedMs = performance.now();
    }
    if (time === "hurry" && jumps < jumpsMax && performance.now() - movedMs > quietMs) {
      jumps += 1;
      movedMs = performance.now();
      await stand.clock.advance(jumpMs);
    }
  }
  return { open, seconds: Math.round((performance.now() - startedMs) / 100) / 10, jumps };
}

async function openPushes({ pool, queued }: PushStand): Promise<number> {
  const { rows } = await pool.query<{ delivered: bigint }>(
    "SELECT count(*) AS delivered FROM any_callback WHERE state = 'Delivered'",
  );
  return queued.length - Number(rows[0]?.delivered ?? 0);
}

async function checkTables({ pool, queued, merchantIds }: PushStand, checks: Checks): Promise<void> {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT merchant_id || ' ' || callback_id || ' ' || card_no || ' ' || sequence || ' ' || state AS line FROM any_callback`,
  );
  const found = new Set(rows.map(({ line }) => line));
  const lines = queued.map(
    ({ merchant, id, cardNo, sequence }) => `${merchantIds[merchant]} ${id} ${cardNo} ${sequence} Delivered`,
  );
  checks.none(
    "a push is not written down as delivered",
    lines.filter((line) => !found.has(line)),
    { outOf: lines.length },
  );
  checks.same("pushes in the tables", { found: rows.length, wanted: queued.length });
}

function checkArrivals({ door, queued }: PushStand, checks: Checks): void {
  const byId = new Map(queued.map((push) => [push.id, push]));
  const firsts = new Map<string, PushArrival>();
  const attempts = new Set<string>();
  const wrong = door.arrivals.flatMap((arrival) => {
    const push = byId.get(arrival.id);
    const isFirst = !firsts.has(arrival.id);
    if (isFirst) firsts.set(arrival.id, arrival);
    const attempt = `${arrival.id} ${arrival.attempt}`;
    const faults = push === undefined ? ["was never queued"] : faultsOf(arrival, { push, isFirst });
    if (attempts.has(attempt)) faults.push("came twice as the same attempt");
    attempts.add(attempt);
    return faults.map((fault) => `push ${arrival.sequence} of ${push?.cardNo} (${arrival.id}) ${fault}`);
  });
  checks.none("an arrival is not as it must be", wrong, { outOf: door.arrivals.length });
  checks.none(
    "a push never arrived",
    queued
      .filter(({ id }) => !firsts.has(id))
      .map(({ cardNo, sequence, id }) => `push ${sequence} of ${cardNo} (${id})`),
    { outOf: queued.length },
  );
  const arrivedOf = Map.groupBy(firsts.values(), ({ id }) => byId.get(id)?.cardNo ?? "");
  for (const [cardNo, pushes] of Map.groupBy(queued, (push) => push.cardNo)) {
    checks.same(`the pushes of ${cardNo} in the order of their first arrival`, {
      found: (arrivedOf.get(cardNo) ?? []).map(({ sequence }) => sequence),
      wanted: pushes.map(({ sequence }) => sequence),
    });
  }
}

/** The same id and data every time, signed right; for the first time only when each earlier push of the card was taken. */
function faultsOf(
  arrival: PushArrival,
  { push, isFirst }: { readonly push: QueuedPush; readonly isFirst: boolean },
): string[] {
  const { merchant, sequence, action, dataText } = push;
  const isSame =
    arrival.merchant === merchant &&
    arrival.sequence === sequence &&
    arrival.action === action &&
    arrival.dataText === dataText;
  return [
    ...(isSame ? [] : ["says something else than what was queued"]),
    ...(arrival.signaturesAreRight ? [] : ["has a wrong signature"]),
    ...(isFirst && arrival.goodBefore !== sequence - 1
      ? [`came when ${arrival.goodBefore} before it had been taken`]
      : []),
  ];
}
