import { readdir, readFile } from "node:fs/promises";
import type { Slice } from "./slices.ts";
import { rounded } from "./statistics.ts";

/** Linux counts processor time of other processes in ticks of 10 ms. */
const tickMs = 10;

/** Microseconds of processor time for one item: ours, and that of all processes of the database server. */
export interface CpuPerItem {
  readonly ours_us: number;
  /** 0 where /proc does not exist. */
  readonly postgres_us: number;
}

export interface CpuMeter {
  during(work: () => Promise<Slice>): Promise<Slice>;
  perItem(): CpuPerItem;
}

/** What each side computes for one item: on a machine that is shared with others this says more than the clock does. */
export function createCpuMeter(postmasterPid: number): CpuMeter {
  const sum = { ours: 0, postgres: 0, count: 0 };
  return {
    during: async (work) => {
      const before = await readCpu(postmasterPid);
      const slice = await work();
      const after = await readCpu(postmasterPid);
      sum.ours += after.ours - before.ours;
      sum.postgres += after.postgres - before.postgres;
      sum.count += slice.count;
      return slice;
    },
    perItem: () => ({
      ours_us: rounded((sum.ours * 1000) / sum.count),
      postgres_us: rounded((sum.postgres * 1000) / sum.count),
    }),
  };
}

async function readCpu(postmasterPid: number): Promise<{ ours: number; postgres: number }> {
  const { user, system } = process.cpuUsage();
  return { ours: (user + system) / 1000, postgres: await treeMs(postmasterPid) };
}

/** Ended children are in their parent's account, so nothing is lost when a connection closes. */
async function treeMs(postmasterPid: number): Promise<number> {
  const names = await readdir("/proc").catch(() => []);
  const stats = await Promise.all(names.filter((name) => /^\d+$/u.test(name)).map(readStat));
  return stats
    .filter((stat) => stat.pid === postmasterPid || stat.parent === postmasterPid)
    .reduce((sum, stat) => sum + stat.ticks * tickMs, 0);
}

async function readStat(pid: string): Promise<{ pid: number; parent: number; ticks: number }> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in parentheses may hold spaces; after it: state, parent, …, utime (12th), stime, cutime, cstime.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(pid), parent: Number(fields[1]), ticks };
}
