import { readdir, readFile } from "node:fs/promises";

/** Linux counts processor time of other processes in ticks of 10 ms. */
const tickMs = 10;

/** Processor time in milliseconds: ours, and that of all processes of the database server. */
export interface CpuTime {
  readonly ours: number;
  /** 0 where /proc does not exist. */
  readonly postgres: number;
}

/** Two readings apart: what each side computes for one decision says more on a shared machine than the clock does. */
export async function cpuTime(postmasterPid: number): Promise<CpuTime> {
  const { user, system } = process.cpuUsage();
  return { ours: (user + system) / 1000, postgres: await treeMs(postmasterPid) };
}

/** Ended children are in their parent's account, so nothing is lost when a connection closes. */
async function treeMs(postmasterPid: number): Promise<number> {
  const pids = await readdir("/proc").catch(() => []);
  const stats = await Promise.all(pids.filter((name) => /^\d+$/u.test(name)).map(readStat));
  return stats
    .filter((stat) => stat !== null && (stat.pid === postmasterPid || stat.parent === postmasterPid))
    .reduce((sum, stat) => sum + (stat === null ? 0 : stat.ticks * tickMs), 0);
}

async function readStat(pid: string): Promise<{ pid: number; parent: number; ticks: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) {
    return null;
  }
  // The name in parentheses may hold spaces; after it: state, parent, …, utime (12th), stime, cutime, cstime.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(pid), parent: Number(fields[1]), ticks };
}
