import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../apps/server/src/database/index.ts";
import { becomes, freePort, isAlive } from "../support/processes.ts";
import type { ProofOptions, ProofReport } from "./proof.ts";
import { proveUnderTrouble, type Scene, waitFor } from "./trouble.ts";

export interface DatabaseProofOptions extends Omit<ProofOptions, "server"> {
  readonly customers: number;
}

const buyers = 32;
const pauseMsMax = 80;
/** Load before the kill, while the database is away, and after it is back. */
const beforeMs = 6_000;
const awayMs = 1_500;
const afterMs = 8_000;

/** kill -9 of the database server under load, durable data on the disk, started again on what it had written. */
export async function proveDatabaseKill(options: DatabaseProofOptions): Promise<ProofReport> {
  const folder = await mkdtemp(join(tmpdir(), "cardwright-faults-"));
  // As root the server runs as another user, who must be able to enter.
  await chmod(folder, 0o755);
  const dataDirectory = join(folder, "postgres");
  // The platform keeps its address: the server must come back where it was.
  const port = await freePort();
  const start = () =>
    startEmbeddedPostgres({ dataDirectory, port, settings: { fsync: "on", synchronous_commit: "on" } });
  let server: EmbeddedPostgres | null = null;
  try {
    server = await start();
    const { url } = server;
    return await proveUnderTrouble({
      ...options,
      proof: "database",
      databaseUrl: url,
      buyers,
      pauseMsMax,
      race: null,
      time: "real",
      trouble: async (scene) => {
        await waitFor(beforeMs, scene.signal);
        await killServer(dataDirectory, scene);
        await waitFor(awayMs, scene.signal);
        // Ends what watches over the dead server, so that the next one can take its place.
        await server?.stop();
        server = await start();
        scene.say("the database is back");
        return { ...(await afterReturn(scene)), kills: 1 };
      },
    });
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function killServer(dataDirectory: string, { say, load }: Scene): Promise<void> {
  const pid = Number((await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n")[0]);
  say(`killing the database server after ${load.messages.length} messages`);
  process.kill(pid, "SIGKILL");
  await becomes("the database server is gone", () => !isAlive(pid));
}

/** The platform must find back by itself: its processes are not touched. */
async function afterReturn({ stand, load, signal }: Scene): Promise<Record<string, number>> {
  const startedMs = performance.now();
  const before = load.messages.length;
  await becomes("a purchase is approved again", () =>
    load.messages.slice(before).some(({ told }) => told.some(({ kind }) => kind === "approved")),
  );
  const backAfterMs = Math.round(performance.now() - startedMs);
  await waitFor(afterMs, signal);
  for (const { name, running } of stand.places) {
    if (running === null || !isAlive(running.pid)) throw new Error(`${name} did not survive the database's death`);
  }
  return { "ms until approved again": backAfterMs };
}
