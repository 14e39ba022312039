import type { Logger } from "pino";
import { movesClock, type Played, type Scenario } from "../../apps/server/src/sandbox/index.ts";
import { type Lane, type Listener, openLane, type Part } from "./lane.ts";

export type { Part } from "./lane.ts";

export interface PartPlayed extends Part {
  readonly played: Played;
}

export interface RunOptions {
  readonly parts: readonly Part[];
  readonly databases: readonly string[];
  readonly log: Logger;
  /** Nothing beside anything else, so that what is printed belongs together. */
  readonly oneByOne?: boolean;
  readonly onPlayed: (played: PartPlayed) => void;
  readonly listener?: (part: Part) => Listener;
}

/** Scenarios that leave the clock alone do not disturb each other: so many are played at once in one lane. */
const togetherMax = 4;

export const partsOf = (scenarios: readonly Scenario[]): readonly Part[] =>
  scenarios.flatMap((scenario) => scenario.modes.map((mode) => ({ scenario, mode })));

/**
 * Plays all parts, on one platform for each database. Time is shared by everything on one platform, so a scenario that moves it has
 * its platform for itself; the others are played beside each other on the first.
 */
export async function runParts(options: RunOptions): Promise<readonly PartPlayed[]> {
  const done: PartPlayed[] = [];
  const timed = options.parts.filter(({ scenario }) => movesClock(scenario));
  const timeless = options.parts.filter(({ scenario }) => !movesClock(scenario));
  const playAll = async (lane: Lane, queue: Part[]): Promise<void> => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const played = { ...part, played: await lane.play(part, options.listener?.(part)) };
      done.push(played);
      options.onPlayed(played);
    }
  };
  const lanes: Lane[] = [];
  try {
    for (const databaseUrl of options.databases) {
      lanes.push(await openLane({ databaseUrl, log: options.log }));
    }
    await Promise.all(
      lanes.map(async (lane, place) => {
        const first = place === 0 ? timeless : [];
        await Promise.all(
          Array.from({ length: options.oneByOne === true ? 1 : togetherMax }, () => playAll(lane, first)),
        );
        await playAll(lane, timed);
      }),
    );
  } finally {
    await Promise.all(lanes.map((lane) => lane.stop()));
  }
  return done;
}
