import type { ScheduledWork } from "../../apps/server/src/kernel/index.ts";
import {
  type ClockMove,
  type ClockMoveBounds,
  createMovableClock,
  type MovableClock,
  moveClock,
} from "../../apps/server/src/sandbox/index.ts";
import { scheduledWork } from "../../apps/server/src/scheduled-work.ts";
import { createTestDatabase } from "../support/database.ts";
import { openProgramme, type Programme, startOfTest } from "../support/programme.ts";

/** A programme whose time is the sandbox's: it passes only when somebody moves the clock. */
export interface MovedProgramme extends Programme {
  move(ms: number, how?: MoveOptions): Promise<ClockMove>;
  /** Time passes while nobody does anything. */
  standStill(ms: number): Promise<void>;
  /** The clock of another process on the same database, with the time that it would do itself. */
  follower(): Promise<Pick<MovedProgramme, "move"> & { readonly clock: MovableClock }>;
}

export interface MoveOptions {
  readonly work?: readonly ScheduledWork[];
  readonly slowWork?: readonly ScheduledWork[];
  readonly bounds?: Partial<ClockMoveBounds>;
}

/** Real time stands still, so that two runs of a story can be compared to the millisecond. */
const real = { now: () => startOfTest };

export async function openMovedProgramme(): Promise<MovedProgramme> {
  const db = await createTestDatabase();
  const clocks: MovableClock[] = [];
  const failures: unknown[] = [];
  const onError = (error: unknown): void => void failures.push(error);
  const startClock = async (): Promise<MovableClock> => {
    const clock = await createMovableClock({ pool: db.pool, real, refreshMs: 5, onError });
    clocks.push(clock);
    return clock;
  };
  const clock = await startClock();
  const programme = await openProgramme({ db, clock });
  const rooms = { pool: db.pool, authorization: programme.authorization, management: programme.management };
  const mover =
    (moved: MovableClock) =>
    async (ms: number, how: MoveOptions = {}): Promise<ClockMove> => {
      const result = await moveClock(
        { pool: db.pool, clock: moved, work: scheduledWork(rooms), slowWork: [], onError, ...how },
        ms,
      );
      if (!result.ok) throw new Error(`the clock was not moved: ${result.reason}`);
      return result.value;
    };
  return {
    ...programme,
    move: mover(clock),
    standStill: async (ms) => {
      await clock.advance(ms);
    },
    follower: async () => {
      const follower = await startClock();
      return { clock: follower, move: mover(follower) };
    },
    close: async () => {
      await Promise.all(clocks.map((each) => each.stop()));
      await programme.close();
      if (failures.length + programme.errors.length > 0) {
        throw new Error("something failed while time passed", { cause: [...failures, ...programme.errors] });
      }
    },
  };
}
