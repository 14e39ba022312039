import { mkdir, writeFile } from "node:fs/promises";
import { type Profiler, Session } from "node:inspector/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pool } from "pg";
import { rounded } from "./statistics.ts";

const folder = fileURLToPath(new URL("../.data", import.meta.url));
const functionsShown = 25;
const samplingIntervalUs = 200;

/** Runs `work` under V8's sampler; writes the profile where Chrome's tools can open it, and answers the costliest functions. */
export async function cpuProfile(name: string, work: () => Promise<unknown>): Promise<readonly string[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: samplingIntervalUs });
    await session.post("Profiler.start");
    await work();
    const { profile } = await session.post("Profiler.stop");
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${name}.cpuprofile`);
    await writeFile(file, JSON.stringify(profile));
    return [`profile written to ${file}`, ...costliest(profile)];
  } finally {
    session.disconnect();
  }
}

/** Self time by function, in per cent of all samples. */
function costliest(profile: Profiler.Profile): string[] {
  const samples = profile.samples ?? [];
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]));
  const counts = new Map<string, number>();
  for (const id of samples) {
    const name = names.get(id) ?? "?";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, functionsShown)
    .map(([name, count]) => `${((count / samples.length) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf({ callFrame }: Profiler.ProfileNode): string {
  const place =
    callFrame.url === "" ? "" : ` ${callFrame.url.split("/").slice(-3).join("/")}:${callFrame.lineNumber + 1}`;
  return `${callFrame.functionName === "" ? "(anonymous)" : callFrame.functionName}${place}`;
}

/** How long a pool's named statements took, waiting for a connection included. */
export interface StatementTimes {
  lines(): readonly string[];
  stop(): void;
}

/** Watches a pool: what a statement costs in the server as its caller sees it, and how many items its batches had. */
export function timeStatements(pool: Pool): StatementTimes {
  const times = new Map<string, { calls: number; ms: number; items: number }>();
  const query: unknown = Reflect.get(pool, "query");
  if (typeof query !== "function") {
    throw new Error("a pool without a query method");
  }
  const watched = async (...words: readonly unknown[]): Promise<unknown> => {
    const [config] = words;
    const name = textOf(config, "name");
    const startedMs = performance.now();
    const result: unknown = await Reflect.apply(query, pool, words);
    const sum = times.get(name) ?? { calls: 0, ms: 0, items: 0 };
    times.set(name, {
      calls: sum.calls + 1,
      ms: sum.ms + performance.now() - startedMs,
      items: sum.items + rowsOf(result),
    });
    return result;
  };
  Reflect.set(pool, "query", watched);
  return {
    lines: () =>
      [...times].map(
        ([name, { calls, ms, items }]) =>
          `${name}: ${calls} calls, ${rounded(ms / calls)} ms each, ${rounded(items / calls)} rows each`,
      ),
    stop: () => void Reflect.deleteProperty(pool, "query"),
  };
}

function textOf(value: unknown, key: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === "string" ? found : "(no name)";
}

function rowsOf(result: unknown): number {
  const count: unknown = typeof result === "object" && result !== null ? Reflect.get(result, "rowCount") : 0;
  return typeof count === "number" ? count : 0;
}
