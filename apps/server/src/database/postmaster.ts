import { execFile } from "node:child_process";
import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** "Fast": ends sessions, writes a checkpoint. "Immediate": like a power cut, the next start recovers from the log. */
export type Shutdown = "fast" | "immediate";

const signals: Record<Shutdown, NodeJS.Signals> = { fast: "SIGINT", immediate: "SIGQUIT" };

/** A checkpoint of a full cache on a slow disk takes seconds; after this the server is ended less kindly. */
const patienceMs: Record<Shutdown, number> = { fast: 30_000, immediate: 5_000 };
const pollMs = 20;

/** What tells a process from a later one with the same pid: its start time. Null when there is no such process. */
export async function processIdentity(pid: number): Promise<string | null> {
  if (!Number.isSafeInteger(pid) || pid < 1) {
    return null;
  }
  try {
    if (process.platform === "linux") {
      // Field 22 of proc(5) stat; the second field, the name in parentheses, may itself contain spaces.
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // A zombie has ended; only its parent has not asked yet.
      return fields[0] === "Z" ? null : (fields[19] ?? null);
    }
    return (await run("ps", ["-o", "lstart=", "-p", String(pid)])).stdout.trim();
  } catch {
    return null;
  }
}

/** The pid of the server that runs in this data directory, left over by a parent that was killed; null when there is none. */
export async function findPostmaster(dataDirectory: string): Promise<number | null> {
  const file = join(dataDirectory, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => null);
  const pid = Number(text?.split("\n")[0] ?? "0");
  if (text === null || (await processIdentity(pid)) === null) {
    return null;
  }
  if (await isPostmasterOf(pid, dataDirectory)) {
    return pid;
  }
  // The pid was given to another program since (common in containers); Postgres would take that for a running server.
  await rm(file, { force: true });
  return null;
}

async function isPostmasterOf(pid: number, dataDirectory: string): Promise<boolean> {
  try {
    if (process.platform === "linux") {
      // A postmaster's working directory is its data directory.
      return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dataDirectory));
    }
    return (await run("ps", ["-o", "command=", "-p", String(pid)])).stdout.includes("postgres");
  } catch {
    return true;
  }
}

/** Ends the server and waits until it is gone; a server that does not obey is ended by harder means. */
export async function stopPostmaster(pid: number, shutdown: Shutdown): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === null) {
    return;
  }
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    [signals[shutdown], patienceMs[shutdown]],
    [signals.immediate, patienceMs.immediate],
    ["SIGKILL", patienceMs.immediate],
  ];
  for (const [signal, waitMs] of steps) {
    if (!signalled(pid, signal)) {
      return;
    }
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs += pollMs) {
      if ((await processIdentity(pid)) !== identity) {
        return;
      }
      await sleep(pollMs);
    }
  }
}

function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
