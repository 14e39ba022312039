import { createDatabaseOn } from "../support/database.ts";
import type { ProofOptions, ProofReport } from "./proof.ts";
import type { Choices } from "./random.ts";
import type { Place, Stand } from "./stand.ts";
import { proveUnderTrouble, type Scene, waitFor } from "./trouble.ts";
import { openWire, type Wire } from "./wire.ts";

export interface KillProofOptions extends ProofOptions {
  readonly kills: number;
  /** Of each merchant. */
  readonly customers: number;
  readonly race: { readonly purchases: number; readonly winners: number } | null;
  readonly time: "real" | "hurry";
}

const buyers = 32;
const pauseMsMax = 80;
/** Between a kill and the next one: shorter than a start, so that sometimes two processes are away. */
const gapMsMax = 1_200;
const gapMsMin = 50;
const answersLostPerKill = 3;
/** Before the first kill and after the last, so that there is always something to be cut off. */
const warmMs = 500;
const startLookMs = 20;

/**
 * kill -9 of random processes at random moments while purchases go on, each started again at once; in between, answers of the
 * database to a decision are lost on the way to a process that goes on.
 */
export async function proveKills(options: KillProofOptions): Promise<ProofReport> {
  const db = await createDatabaseOn(options.server);
  const wire = await openWire(db.url);
  try {
    return await proveUnderTrouble({
      ...options,
      proof: "kill",
      databaseUrl: wire.url,
      buyers,
      pauseMsMax,
      trouble: (scene) => killProcesses(scene, { kills: options.kills, wire }),
    });
  } finally {
    await wire.close();
    await db.drop();
  }
}

async function killProcesses(
  scene: Scene,
  { kills, wire }: { readonly kills: number; readonly wire: Wire },
): Promise<Record<string, number>> {
  const { stand, load, choices, say, signal } = scene;
  const killed = { network: 0, worker: 0 };
  await waitFor(warmMs, signal);
  for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
    const place = await victim(stand, { kill, choices, signal });
    if (place?.running === null || place === null) break;
    const { running } = place;
    running.kill("SIGKILL");
    killed[place.role] += 1;
    await running.ended;
    stand.restart(place);
    say(`kill ${kill + 1} of ${kills}: ${place.name}, ${load.messages.length} messages so far`);
    for (let answer = 0; answer < answersLostPerKill; answer += 1) {
      wire.loseNextAnswer();
      await waitFor(choices.whole(gapMsMin, gapMsMax) / answersLostPerKill, signal);
    }
  }
  await Promise.all(stand.places.map((place) => place.started));
  await waitFor(warmMs, signal);
  const all = killed.network + killed.worker;
  const lost = wire.cuts();
  return { kills: all, "network kills": killed.network, "worker kills": killed.worker, "lost answers": lost };
}

/** A process that runs. The first two kills reach one of each role, the others whichever. */
async function victim(
  stand: Stand,
  turn: { readonly kill: number; readonly choices: Choices; readonly signal: AbortSignal },
): Promise<Place | null> {
  const roles = turn.kill === 0 ? ["network"] : turn.kill === 1 ? ["worker"] : ["network", "worker"];
  while (!turn.signal.aborted) {
    // A start that failed would be waited for in vain: this throws then.
    await Promise.race(stand.places.map((place) => place.started));
    const [first, ...others] = stand.places.filter(({ running, role }) => running !== null && roles.includes(role));
    if (first !== undefined) return turn.choices.of([first, ...others]);
    await waitFor(startLookMs, turn.signal);
  }
  return null;
}
