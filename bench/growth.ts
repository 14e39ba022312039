import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { checkLedger } from "./ledger-check.ts";
import { type List, lists, pageSize } from "./lists.ts";
import { startBenchServer, urlOn } from "./postgres.ts";
import { buildDatabase, openStand, type ProgrammeSize, type Stand } from "./stand.ts";
import { median, rounded } from "./statistics.ts";

const bar = 1.3;
/** One merchant has all of the small data, so that page 1,000 exists; in the large data its rows lie among 19 others'. */
const small: ProgrammeSize = { merchants: 1, cards: 10_000, consumptions: 100_000 };
const large: ProgrammeSize = { merchants: 20, cards: 1_000_000, consumptions: 10_000_000 };
/** 2.1 KB a consumption with its ledger history, and the room that its indexes are built in. */
const bytesPerConsumption = 2_900;
const deepPage = 1_000;
/** Cards decided on: each once as a stranger, then once more with its facts in memory. */
const cardsDecided = 2_000;
const merchantId = 1;
/** Of the time; the lists share the rest. */
const decisionShare = 0.4;
const pagesMax = 200;

/** What is asked of a million cards is kept in memory, as on a server of that size; 256 MB are for development. */
const productionMemory = { shared_buffers: "2GB" };

export const growth: Benchmark = {
  name: "growth",
  summary: "decision and lists with 10,000 cards and 100,000 consumptions against 100 times as many",
  seconds: 120,
  run: async (options) => {
    const size = largeSize(options.rows);
    const bytesMin = size.consumptions * bytesPerConsumption + 2e9;
    const server = await startBenchServer({ place: options.place, bytesMin, loading: true });
    const stands: Stand[] = [];
    try {
      const startedMs = performance.now();
      await buildDatabase(server, { name: "small", ...small, onStep: options.progress.say });
      await buildDatabase(server, { name: "large", ...size, onStep: options.progress.say });
      await server.restartDurable(productionMemory);
      options.progress.note(`growth: the data was built in ${Math.round((performance.now() - startedMs) / 1000)} s`);
      stands.push(await openStand({ url: urlOn(server, "small") }), await openStand({ url: urlOn(server, "large") }));
      return [await measure(stands, size, options)];
    } finally {
      await Promise.all(stands.map((stand) => stand.close()));
      await server.stop();
    }
  },
};

function largeSize(rows: number | null): ProgrammeSize {
  return rows === null ? large : { merchants: large.merchants, cards: Math.ceil(rows / 10), consumptions: rows };
}

/** The same thing on both data sets. */
interface Comparison {
  readonly what: string;
  readonly small_p50_ms: number;
  readonly large_p50_ms: number;
  readonly ratio: number;
}

async function measure(stands: readonly Stand[], size: ProgrammeSize, options: BenchOptions): Promise<BenchResult> {
  const [onSmall, onLarge] = stands;
  if (onSmall === undefined || onLarge === undefined) {
    throw new Error("two data sets are compared");
  }
  const pair: Pair = { small: onSmall, large: onLarge };
  // The lists first: decisions would add rows to them.
  const comparisons = [...(await compareLists(pair, options)), ...(await compareDecisions(pair, options))];
  options.progress.say("growth: verifying the small data's ledger");
  const ledger = await checkLedger(onSmall);
  const worst = comparisons.toSorted((a, b) => b.ratio - a.ratio)[0];
  if (worst === undefined) {
    throw new Error("stopped before anything was measured");
  }
  return {
    bench: "growth",
    ok: worst.ratio <= bar && ledger.ok,
    value: worst.large_p50_ms,
    baseline: worst.small_p50_ms,
    ratio: worst.ratio,
    bar,
    unit: `ms p50, worst: ${worst.what}`,
    details: {
      large_cards: size.cards,
      large_consumptions: size.consumptions,
      comparisons: comparisons.map((comparison) => ({ ...comparison })),
      ledger: { ...ledger },
    },
  };
}

interface Pair {
  readonly small: Stand;
  readonly large: Stand;
}

/** Runs `once` on either data set in turn, who goes first alternating, until the time or the repetitions are over. */
async function compare(
  what: string,
  options: {
    readonly once: (on: keyof Pair, repetition: number) => Promise<unknown>;
    readonly repetitions: number;
    readonly seconds: number;
    readonly signal: AbortSignal;
  },
): Promise<Comparison> {
  const times: Record<keyof Pair, number[]> = { small: [], large: [] };
  const endMs = performance.now() + options.seconds * 1000;
  for (let i = 0; i < options.repetitions && performance.now() < endMs && !options.signal.aborted; i += 1) {
    const order = ["small", "large"] as const;
    for (const on of i % 2 === 0 ? order : order.toReversed()) {
      const startedMs = performance.now();
      await options.once(on, i);
      times[on].push(performance.now() - startedMs);
    }
  }
  const [small, large] = [median(times.small), median(times.large)];
  return { what, small_p50_ms: rounded(small), large_p50_ms: rounded(large), ratio: rounded(large / small) };
}

async function compareDecisions(pair: Pair, { seconds, signal, progress }: BenchOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  let repetitions = cardsDecided;
  for (const what of ["decision, card not seen before", "decision, card's facts in memory"]) {
    progress.say(`growth: ${what}`);
    const taken = { small: 0, large: 0 };
    comparisons.push(
      await compare(what, {
        once: async (on, i) => {
          taken[on] += 1;
          await decideOn(pair[on], { card: i, reference: what });
        },
        repetitions,
        seconds: (seconds * decisionShare) / 2,
        signal,
      }),
    );
    repetitions = Math.min(taken.small, taken.large);
  }
  return comparisons;
}

/** Buys with a certain card of the stand, spread evenly over all of them. */
async function decideOn(
  stand: Stand,
  { card, reference }: { readonly card: number; readonly reference: string },
): Promise<void> {
  const step = Math.max(1, Math.floor(stand.cards.length / cardsDecided));
  const chosen = stand.cards[(card * step) % stand.cards.length];
  if (chosen === undefined) {
    throw new Error("the programme has no cards");
  }
  const answer = await stand.engine.authorization.authorize({
    networkReference: `growth-${reference.length}-${card}`,
    pan: chosen.pan,
    expiry: null,
    cvv: null,
    kind: "purchase",
    wallet: false,
    partialAllowed: false,
    amount: 1_234n,
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    incrementOf: null,
    recurring: false,
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
  });
  if (!answer.approved) {
    throw new Error(`a purchase was declined: ${answer.reason}`);
  }
  stand.approved += 1;
}

async function compareLists(pair: Pair, options: BenchOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const seconds = (options.seconds * (1 - decisionShare)) / (lists.length * 2);
  for (const list of lists) {
    const deepest = Math.min(await deepestPage(pair.small, list), await deepestPage(pair.large, list));
    for (const page of [0, deepest]) {
      options.progress.say(`growth: ${list.name} page ${page}`);
      comparisons.push(
        await compare(`${list.name} page ${page}`, {
          once: (on) => readPage(pair[on], { list, page }),
          repetitions: pagesMax,
          seconds,
          signal: options.signal,
        }),
      );
    }
  }
  return comparisons;
}

/** Page 1,000, or the last full one: the small data has 10,000 cards and so no more than 100 pages of some lists. */
async function deepestPage(stand: Stand, list: List): Promise<number> {
  const { rows } = await stand.pool.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM ${list.table} WHERE merchant_id = $1`,
    [merchantId],
  );
  return Math.min(deepPage, Math.floor(Number(rows[0]?.count ?? 0n) / pageSize) - 1);
}

async function readPage(stand: Stand, { list, page }: { readonly list: List; readonly page: number }): Promise<void> {
  const rows = await list.page(stand.pool, { merchantId, page, now: Date.now() });
  if (rows !== pageSize) {
    throw new Error(`${list.name} page ${page} has ${rows} rows instead of ${pageSize}`);
  }
}
