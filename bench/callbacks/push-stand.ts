import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { Callbacks } from "../../apps/server/src/callbacks/index.ts";
import { openCallbacks } from "../callbacks-room.ts";
import type { CpuMeter } from "../cpu.ts";
import { type BenchServer, openOwnerPool, openPlatformPool } from "../postgres.ts";
import { type Helper, startHelper } from "../processes.ts";
import type { Slice } from "../slices.ts";
import { isMerchantReport, type MerchantOrder, type MerchantReport } from "./push-merchant-process.ts";
import { writePushes } from "./pushes.ts";

/** The server of all merchants of a benchmark, in a process of its own. */
export interface PushMerchant {
  readonly origin: string;
  order(order: MerchantOrder): Promise<MerchantReport>;
  stop(): Promise<void>;
}

const orderTimeoutMs = 30_000;

export async function startPushMerchant(): Promise<PushMerchant> {
  const helper: Helper<MerchantReport> = startHelper("callbacks/push-merchant-process.ts", {
    words: [],
    isMessage: isMerchantReport,
  });
  try {
    const { port } = await helper.next(orderTimeoutMs);
    return {
      origin: `http://127.0.0.1:${port}`,
      order: (order) => {
        helper.child.send(order);
        return helper.next(orderTimeoutMs);
      },
      stop: () => helper.stop(),
    };
  } catch (error) {
    await helper.stop();
    throw error;
  }
}

export interface PushStandOptions {
  /** A few capital letters: the database, the merchant's book and the cards' numbers are called by it. */
  readonly name: string;
  readonly merchants: number;
  /** A multiple of the merchants, so that all have as many. */
  readonly cards: number;
  /** Merchants that accept a push and never answer: the first ones. */
  readonly hanging: number;
  readonly merchant: PushMerchant;
  readonly signal: AbortSignal;
}

/** A database with pushes in it and the delivery on it, as in a worker. */
export interface PushStand {
  readonly pool: Pool;
  readonly ownerPool: Pool;
  readonly callbacks: Callbacks;
  /** What the room has logged. */
  readonly errors: ReadonlySet<string>;
  /** Pushes that were queued so far. */
  queued: number;
  /** Queues pushes that are due now. */
  queue(pushes: number): Promise<void>;
  /** Queues pushes that become due together, and measures from that moment until the merchants who answer have all of theirs. */
  drain(pushes: number, cpu?: CpuMeter): Promise<Slice>;
  /** Waits until the merchants who answer have so many of their pushes; false when that takes longer than `timeoutMs`. */
  arrived(pushes: number, timeoutMs: number): Promise<boolean>;
  report(kind: MerchantOrder["kind"]): Promise<MerchantReport>;
  check(): Promise<PushCheck>;
  close(): Promise<void>;
}

/** What the tables and the merchants say in the end. */
export interface PushCheck {
  /** Everything that was queued has reached its merchant and is written down as delivered, once and in order. */
  readonly ok: boolean;
  readonly queued: number;
  readonly delivered: number;
  /** Of merchants that hang: still to be delivered. */
  readonly open: number;
  readonly arrived: number;
  readonly repeats: number;
  readonly out_of_order: number;
}

/** Longer than writing a row takes on a busy machine, so that the pushes are there when they become due. */
const leadMs = 300;
const leadMsPerPush = 0.15;
const lookMs = 25;
const drainTimeoutMs = 60_000;
/** What was delivered last is written down by then. */
const settleLooksMax = 400;

export async function openPushStand(server: BenchServer, options: PushStandOptions): Promise<PushStand> {
  const { name, merchant, hanging, merchants, cards } = options;
  const url = await server.createDatabase(name.toLowerCase());
  const [pool, ownerPool] = [openPlatformPool(url), openOwnerPool(url)];
  const { callbacks, errors } = openCallbacks(pool, {
    urlOf: (merchantId) => `${merchant.origin}/${name}/${merchantId <= hanging ? "hangs" : "answers"}/${merchantId}`,
  });
  const write = async (pushes: number, dueAtMs: number): Promise<void> => {
    await writePushes(ownerPool, { name, merchants, cards, from: stand.queued, pushes, dueAtMs: [dueAtMs, dueAtMs] });
    stand.queued += pushes;
  };
  const stand: PushStand = {
    pool,
    ownerPool,
    callbacks,
    errors,
    queued: 0,
    queue: (pushes) => write(pushes, Date.now()),
    drain: (pushes, cpu) => drain(stand, { write, pushes, cpu, options }),
    arrived: (pushes, timeoutMs) => arrived(stand, { pushes, timeoutMs, signal: options.signal }),
    report: (kind) => merchant.order({ kind, book: name }),
    check: () => check(stand, options),
    close: async () => {
      await callbacks.stop();
      await Promise.all([pool.end(), ownerPool.end()]);
    },
  };
  return stand;
}

async function drain(
  stand: PushStand,
  {
    write,
    pushes,
    cpu,
    options,
  }: {
    readonly write: (pushes: number, dueAtMs: number) => Promise<void>;
    readonly pushes: number;
    readonly cpu: CpuMeter | undefined;
    readonly options: PushStandOptions;
  },
): Promise<Slice> {
  const before = (await stand.report("page")).page.arrived;
  const count = answered(pushes, options);
  const dueAtMs = Date.now() + Math.round(leadMs + pushes * leadMsPerPush);
  await write(pushes, dueAtMs);
  await sleep(Math.max(0, dueAtMs - Date.now()));
  const measured = async (): Promise<Slice> => {
    const startedAtMs = Math.max(dueAtMs, Date.now());
    stand.callbacks.delivery.wake();
    if (!(await stand.arrived(before + count, drainTimeoutMs)) && !options.signal.aborted) {
      throw new Error(await undelivered(stand, { name: options.name, wanted: before + count }));
    }
    const { page } = await stand.report("page");
    return { count: page.arrived - before, seconds: (page.lastAtMs - startedAtMs) / 1000 };
  };
  return cpu === undefined ? measured() : cpu.during(measured);
}

/** Where the pushes are that did not come, and what Postgres was doing: a stall is too seldom to be looked for twice. */
async function undelivered(
  stand: PushStand,
  { name, wanted }: { readonly name: string; readonly wanted: number },
): Promise<string> {
  const { ownerPool, callbacks, errors } = stand;
  const { page } = await stand.report("page");
  const { rows: places } = await ownerPool.query<{ places: string }>(
    `SELECT format('%s in the outbox, %s in the line, %s of them claimed, %s waiting for another, %s failed',
       (SELECT coalesce(sum(size), 0) FROM callback_outbox), count(*), count(*) FILTER (WHERE lease_until > 0), count(waits_since),
       count(*) FILTER (WHERE failures > 0)) AS places FROM callback`,
  );
  const { rows: running } = await ownerPool.query<{ statement: string }>(
    `SELECT format('%s for %s (%s)', left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), 60), clock_timestamp() - query_start, wait_event) AS statement
     FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker')`,
  );
  return [
    `${name}: ${wanted - page.arrived} pushes were not delivered within ${drainTimeoutMs} ms`,
    ...places.map((row) => row.places),
    `the process: ${JSON.stringify(callbacks.delivery.load())}`,
    ...running.map((row) => row.statement),
    ...errors,
  ].join("; ");
}

/** How many of the next pushes go to merchants that answer. */
function answered(pushes: number, { merchants, hanging }: PushStandOptions): number {
  if (hanging > 0 && pushes % merchants !== 0) {
    throw new Error("every merchant must get as many pushes");
  }
  return (pushes / merchants) * (merchants - hanging);
}

async function arrived(
  stand: PushStand,
  { pushes, timeoutMs, signal }: { readonly pushes: number; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  for (const startedMs = performance.now(); performance.now() - startedMs < timeoutMs && !signal.aborted; ) {
    if ((await stand.report("page")).page.arrived >= pushes) {
      return true;
    }
    await sleep(lookMs);
  }
  return false;
}

async function check(stand: PushStand, options: PushStandOptions): Promise<PushCheck> {
  const { queued } = stand;
  const wanted = answered(queued, options);
  let states = await statesOf(stand.ownerPool, options);
  for (let looks = 0; looks < settleLooksMax && states.delivered < wanted; looks += 1) {
    await sleep(lookMs);
    states = await statesOf(stand.ownerPool, options);
  }
  const { page } = await stand.report("page");
  return {
    ok:
      states.delivered === wanted &&
      states.delivered + states.open === queued &&
      page.arrived === wanted &&
      page.repeats + page.outOfOrder + stand.errors.size === 0,
    queued,
    ...states,
    arrived: page.arrived,
    repeats: page.repeats,
    out_of_order: page.outOfOrder,
  };
}

/** Delivered pushes of all merchants, and open ones; of merchants that answer an open one is none of either. */
async function statesOf(
  pool: Pool,
  { hanging }: PushStandOptions,
): Promise<{ readonly delivered: number; readonly open: number }> {
  const { rows } = await pool.query<{ delivered: bigint; open: bigint }>(
    `SELECT count(*) FILTER (WHERE state = 'Delivered') AS delivered,
            count(*) FILTER (WHERE state = 'Open' AND merchant_id <= $1) AS open FROM any_callback`,
    [hanging],
  );
  return { delivered: Number(rows[0]?.delivered ?? 0), open: Number(rows[0]?.open ?? 0) };
}

/** So many pushes that a drain takes about so long, the same for every merchant. */
export function pushesFor(options: {
  readonly rate: number;
  readonly seconds: number;
  readonly merchants: number;
}): number {
  const { rate, seconds, merchants } = options;
  return Math.max(1, Math.round((rate * seconds) / merchants)) * merchants;
}
