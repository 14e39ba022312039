import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pool } from "pg";
import { systemClock } from "../apps/server/src/kernel/index.ts";
import {
  createSettlement,
  headerLine,
  type ImportProgress,
  rowLine,
  type SettlementFile,
  trailerLine,
} from "../apps/server/src/settlement/index.ts";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { createCpuMeter } from "./cpu.ts";
import { openOwnerPool, openPlatformPool, startBenchServer } from "./postgres.ts";
import { rounded } from "./statistics.ts";

/** Rows a second from the first byte to the last comparison. */
const bar = 20_000;
const rowsDefault = 1_000_000;
/** Memory at the end may be that much above memory after the first fifth: a heap that breathes, not one that keeps rows. */
const growthMbMax = 48;
const sampleMs = 100;
/** One row in a thousand differs in its amount, one is only theirs, one only ours: differences are written and must be paid for. */
const differingEvery = 1_000;
/** Per row: message 300, row 250 and their indexes, twice for the WAL; and the file itself. */
const bytesPerRow = 2_500;
const merchants = 20;
const settlementDate = "2026-05-22";
const begin = Date.parse(`${settlementDate}T00:00:00.000Z`);
const dayMs = 86_400_000;

export const settlement: Benchmark = {
  name: "settlement",
  summary: "importing and matching a settlement file of 1,000,000 rows; memory while it does",
  seconds: 60,
  run: async (options) => {
    const rows = options.rows ?? rowsDefault;
    const server = await startBenchServer({ place: options.place, bytesMin: 1e9 + rows * bytesPerRow });
    const folder = await mkdtemp(join(tmpdir(), "cardwright-bench-file-"));
    try {
      const url = await server.createDatabase("settlement");
      options.progress.say(`settlement: writing ${rows} messages and the network's file of them`);
      const path = join(folder, "day.csv");
      await recordMessages(url, rows);
      await pipeline(Readable.from(linesOf(rows)), createWriteStream(path));
      const pool = openPlatformPool(url);
      try {
        const postmasterPid = await server.postmasterPid();
        return [await measure(pool, { rows, path, postmasterPid, options })];
      } finally {
        await pool.end();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
      await server.stop();
    }
  },
};

const amountOf = (row: number): bigint => BigInt(100 + (row % 50_000));
const referenceOf = (row: number): string => `bench-${String(row).padStart(12, "0")}`;
const timeOf = (row: number, rows: number): number => begin + Math.floor((row * dayMs) / rows);

/** What the platform has: every row but those that are only theirs. */
async function recordMessages(url: string, rows: number): Promise<void> {
  const owner = openOwnerPool(url);
  try {
    await owner.query(
      `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, original_reference, card_no, consume_no,
         settled_amount, local_amount, local_currency, effect, at)
       SELECT 1 + i % $2, 'bench-' || lpad(i::text, 12, '0'), 'clearing', sha256(i::text::bytea), 'auth-' || lpad(i::text, 12, '0'),
         'C20260522' || lpad(i::text, 16, '0'), 'O20260522' || lpad(i::text, 16, '0'),
         100 + i % 50000 + CASE WHEN i % $3 = 1 THEN 1 ELSE 0 END, '1.00', 'USD', 'cleared', $4::bigint + i * $5::bigint / $1
       FROM generate_series(0::bigint, $1 - 1) AS i WHERE i % $3 <> 0`,
      [rows, merchants, differingEvery, begin, dayMs],
    );
    await owner.query("VACUUM ANALYZE network_message");
  } finally {
    await owner.end();
  }
}

/** What the network has: every row but those that are only ours. */
const isInFile = (row: number): boolean => row % differingEvery !== 2;

function* linesOf(rows: number): Generator<string> {
  let named = 0;
  let debits = 0n;
  for (let row = 0; row < rows; row += 1) {
    if (isInFile(row)) {
      named += 1;
      debits += amountOf(row);
    }
  }
  yield headerLine({ fileId: "bench", network: "bench", settlementDate, rows: named });
  for (let row = 0; row < rows; row += 1) {
    if (isInFile(row)) {
      yield rowLine({
        networkReference: referenceOf(row),
        originalReference: referenceOf(row).replace("bench", "auth"),
        kind: "clearing",
        lastFour: "4242",
        amount: amountOf(row),
        currency: "USD",
        settledAmount: amountOf(row),
        at: timeOf(row, rows),
      });
    }
  }
  yield trailerLine({ rows: named, debits, credits: 0n });
}

async function measure(
  pool: Pool,
  parts: {
    readonly rows: number;
    readonly path: string;
    readonly postmasterPid: number;
    readonly options: BenchOptions;
  },
): Promise<BenchResult> {
  const { path, options } = parts;
  const room = createSettlement({ pool, clock: systemClock });
  const memory = watchMemory();
  const steps = stepTimes();
  const cpu = createCpuMeter(parts.postmasterPid);
  const done: SettlementFile[] = [];
  const { seconds } = await cpu.during(async () => {
    const startedMs = performance.now();
    const onProgress = (progress: ImportProgress): void => {
      steps.tell(progress);
      const perSecond = Math.round(progress.rows / ((performance.now() - steps.beganMs()) / 1000));
      options.progress.say(`settlement: ${progress.step} ${progress.rows} of ${progress.of}, ${perSecond}/s`);
    };
    const imported = await importWhole(room, path, { signal: options.signal, onProgress });
    done.push(imported);
    return { count: imported.rowsRead, seconds: (performance.now() - startedMs) / 1000 };
  });
  const [file] = done;
  if (file === undefined) {
    throw new Error("nothing was imported");
  }
  const { growthMb, maxMb } = memory.stop();
  const took = steps.end();
  const decideMs = await decideDay(room);
  const again = await room.findFile(file.fileKey);
  const rate = rounded(file.rowsRead / seconds);
  const differing = countsOf(parts.rows);
  const isRight =
    file.state === "imported" &&
    file.amountDiffers === differing.amountDiffers &&
    file.onlyTheirs === differing.onlyTheirs &&
    file.matched === file.rowsRead - differing.amountDiffers - differing.onlyTheirs &&
    again?.onlyOurs === differing.onlyOurs;
  return {
    bench: "settlement",
    ok: rate >= bar && growthMb <= growthMbMax && isRight,
    value: rate,
    baseline: null,
    ratio: rounded(rate / bar),
    bar,
    unit: "rows/s",
    details: {
      rows: file.rowsRead,
      seconds: rounded(seconds),
      ...took,
      cpu: { ...cpu.perItem() },
      decide_seconds: rounded(decideMs / 1000),
      file_mb: rounded((await stat(path)).size / 1e6),
      max_mb: rounded(maxMb),
      growth_mb: rounded(growthMb),
      growth_bar: growthMbMax,
      matched: file.matched,
      amount_differs: file.amountDiffers,
      only_theirs: file.onlyTheirs,
      only_ours: again?.onlyOurs ?? -1,
      right: isRight,
    },
  };
}

/** Rows from 0 to `rows` that leave the same rest. */
function countsOf(rows: number) {
  const withRest = (rest: number): number => Math.ceil((rows - rest) / differingEvery);
  return { onlyTheirs: withRest(0), amountDiffers: withRest(1), onlyOurs: withRest(2) };
}

type Room = ReturnType<typeof createSettlement>;

async function importWhole(
  room: Room,
  path: string,
  more: { readonly signal: AbortSignal; readonly onProgress: (progress: ImportProgress) => void },
): Promise<SettlementFile> {
  const answer = await room.importFile(createReadStream(path), { by: { actor: "bench" }, ...more });
  if (!answer.ok) {
    throw new Error(`the file was refused: ${answer.reason.kind}`);
  }
  return answer.value.file;
}

/** The empty file of the next day, which lets the day be decided. */
async function decideDay(room: Room): Promise<number> {
  const startedMs = performance.now();
  const text = [
    headerLine({ fileId: "bench-next", network: "bench", settlementDate: "2026-05-23", rows: 0 }),
    trailerLine({ rows: 0, debits: 0n, credits: 0n }),
  ].join("");
  await room.importFile(Readable.from([Buffer.from(text)]), { by: { actor: "bench" } });
  return performance.now() - startedMs;
}

function stepTimes() {
  const took: Record<string, number> = {};
  let step = "";
  let began = performance.now();
  let last = began;
  const close = (): void => {
    if (step !== "") {
      took[`${step}_seconds`] = rounded((last - began) / 1000);
    }
  };
  return {
    beganMs: () => began,
    tell: (progress: ImportProgress) => {
      if (progress.step !== step) {
        close();
        // A step tells of itself when its first part is done: it began when the one before had told its last.
        began = last;
        step = progress.step;
      }
      last = performance.now();
    },
    end: () => {
      close();
      return took;
    },
  };
}

/** Resident memory of this process: how much it is at most, and how much more in the last fifth than in the second. */
function watchMemory() {
  const sizesMb: number[] = [];
  const sampling = setInterval(() => sizesMb.push(process.memoryUsage.rss() / 1e6), sampleMs);
  return {
    stop: () => {
      clearInterval(sampling);
      const fifth = Math.ceil(sizesMb.length / 5);
      const early = Math.max(...sizesMb.slice(fifth, 2 * fifth));
      const late = Math.max(...sizesMb.slice(-fifth));
      return { growthMb: sizesMb.length < 10 ? 0 : late - early, maxMb: Math.max(...sizesMb) };
    },
  };
}
