import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions, BenchResult } from "../benchmark.ts";
import { createCpuMeter } from "../cpu.ts";
import { type BenchServer, startBenchServer } from "../postgres.ts";
import { rounded } from "../statistics.ts";
import { markEvery, type PushPage } from "./push-book.ts";
import { openPushStand, type PushStand, startPushMerchant } from "./push-stand.ts";
import { loadPushes } from "./pushes.ts";

/** The rate of the last pushes of the backlog to the rate of the first ones. */
const bar = 0.9;
const pushesDefault = 1_000_000;
/** Pushes of each card. */
const pushesOfCard = 10;
/** The first and the last so many are compared, but at most a fifth of all. */
const comparedMax = 100_000;
/** A merchant that was down for a day. */
const downForMs = 86_400_000;
/** Row, text and indexes, once more with what its delivery writes, and both in the log. */
const bytesPerPush = 6_000;
const lookMs = 250;

const name = "BACKLOG";

/** A merchant returns after a day and gets what has gathered: whether the rate lasts to the end, and each card's order. */
export async function backlog(options: BenchOptions): Promise<BenchResult> {
  const cards = Math.ceil((options.rows ?? pushesDefault) / pushesOfCard);
  const stack = new AsyncDisposableStack();
  try {
    const bytesMin = 1e9 + cards * pushesOfCard * bytesPerPush;
    const server = await startBenchServer({ place: options.place, bytesMin });
    stack.defer(() => server.stop());
    const merchant = await startPushMerchant();
    stack.defer(() => merchant.stop());
    const stand = await openPushStand(server, {
      name,
      merchants: 1,
      cards,
      hanging: 0,
      merchant,
      signal: options.signal,
    });
    stack.defer(() => stand.close());
    const pushes = cards * pushesOfCard;
    options.progress.say(`callbacks-backlog: writing ${pushes} pushes`);
    await load(stand, { cards, pushes });
    return await measure(stand, { server, pushes, options });
  } finally {
    await stack.disposeAsync();
  }
}

async function load(
  stand: PushStand,
  { cards, pushes }: { readonly cards: number; readonly pushes: number },
): Promise<void> {
  const client = await stand.ownerPool.connect();
  try {
    const nowMs = Date.now();
    await loadPushes(client, { name, merchants: 1, cards, from: 0, pushes, dueAtMs: [nowMs - downForMs, nowMs] });
    stand.queued = pushes;
  } finally {
    client.release();
  }
}

async function measure(
  stand: PushStand,
  parts: { readonly server: BenchServer; readonly pushes: number; readonly options: BenchOptions },
): Promise<BenchResult> {
  const { server, pushes, options } = parts;
  const cpu = createCpuMeter(await server.postmasterPid());
  const startedAtMs = Date.now();
  stand.callbacks.delivery.start();
  let page = (await stand.report("page")).page;
  const slice = await cpu.during(async () => {
    const isOver = (): boolean => Date.now() - startedAtMs > options.seconds * 1000 || options.signal.aborted;
    while (page.arrived < pushes && !isOver()) {
      await sleep(lookMs);
      page = (await stand.report("page")).page;
      const perSecond = Math.round(page.arrived / ((page.lastAtMs - page.firstAtMs) / 1000));
      options.progress.say(`callbacks-backlog: ${page.arrived} of ${pushes}, ${perSecond}/s`);
    }
    return { count: page.arrived, seconds: (page.lastAtMs - startedAtMs) / 1000 };
  });
  const isDrained = page.arrived >= pushes;
  const check = await (isDrained ? stand.check() : null);
  const { compared, first, last } = ratesOf(page, startedAtMs);
  const ratio = last / first;
  return {
    bench: "callbacks-backlog",
    ok: ratio >= bar && check?.ok === true,
    value: Math.round(last),
    baseline: Math.round(first),
    ratio: rounded(ratio),
    bar,
    unit: "deliveries/s",
    details: {
      pushes,
      cards: pushes / pushesOfCard,
      arrived: page.arrived,
      drained: isDrained,
      seconds: rounded(slice.seconds),
      rate_of_all: Math.round(slice.count / slice.seconds),
      compared,
      rates: tenths(page, startedAtMs),
      cpu: { ...cpu.perItem() },
      check: check === null ? "not drained in time" : { ...check },
      errors: [...stand.errors],
    },
  };
}

/** Rates of the first and the last so many arrivals, whole marks each. */
function ratesOf(page: PushPage, startedAtMs: number) {
  const marks = [startedAtMs, ...page.marks];
  const steps = Math.max(1, Math.floor(Math.min(comparedMax, page.arrived / 5) / markEvery));
  const perSecond = (from: number, to: number): number =>
    ((to - from) * markEvery * 1000) / ((marks[to] ?? Number.NaN) - (marks[from] ?? Number.NaN));
  return {
    compared: steps * markEvery,
    first: perSecond(0, steps),
    last: perSecond(marks.length - 1 - steps, marks.length - 1),
  };
}

/** Deliveries a second in each tenth of the drain, to see where a change comes from. */
function tenths({ marks: pageMarks }: PushPage, startedAtMs: number): number[] {
  const marks = [startedAtMs, ...pageMarks];
  const step = Math.max(1, Math.floor((marks.length - 1) / 10));
  const rates: number[] = [];
  for (let to = step; to < marks.length; to += step) {
    rates.push(Math.round((step * markEvery * 1000) / ((marks[to] ?? Number.NaN) - (marks[to - step] ?? Number.NaN))));
  }
  return rates;
}
