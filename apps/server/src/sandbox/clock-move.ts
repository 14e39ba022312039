import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "#database/index.ts";
import { nextDueOf, ok, type Result, refused, runDueInOrder, type ScheduledWork } from "#kernel/index.ts";
import { type MovableClock, offsetMsMax } from "./clock.ts";
import { endClockLease, takeClockLease } from "./clock-lease.ts";

export interface ClockMoveDeps {
  readonly pool: Sql;
  readonly clock: MovableClock;
  /** What becomes due as time passes; of one moment the first in the list comes first. */
  readonly work: readonly ScheduledWork[];
  /** Work whose real time others decide, such as sending callbacks: it has a bound of its own and is then left to the workers. */
  readonly slowWork: readonly ScheduledWork[];
  /** Told what failed at a step; the workers try it again. */
  readonly onError: (error: unknown) => void;
  /** The process is ending: the move is brought to its end without doing what is due. */
  readonly isStopping?: () => boolean;
  readonly bounds?: Partial<ClockMoveBounds>;
}

export interface ClockMoveBounds {
  /** Real time of one move; then the clock goes on to its end at once, and what is due is left to the workers, who keep the order. */
  readonly moveMsMax: number;
  /** Of it, real time for slow work. */
  readonly slowWorkMsMax: number;
  /** How long a move waits for the one before it. */
  readonly waitMsMax: number;
  /** Longer than a whole move; a process that died in the middle of a move keeps the others waiting so long. */
  readonly leaseMs: number;
  readonly waitLookMs: number;
}

const defaults: ClockMoveBounds = {
  moveMsMax: 25_000,
  slowWorkMsMax: 10_000,
  waitMsMax: 60_000,
  leaseMs: 40_000,
  waitLookMs: 25,
};

/** What a move did. */
export interface ClockMove {
  /** Business time at its end, Unix ms. */
  readonly now: number;
  /** Moments at which the clock stopped, the end included. */
  readonly steps: number;
  /** How much was done, by the name of the work. */
  readonly ran: Readonly<Record<string, number>>;
  /** False when a bound was reached or something failed: the workers do the rest, in the same order. */
  readonly finished: boolean;
}

export type ClockMoveRefusal = "too_far_ahead" | "clock_is_moving";

/**
 * Moves the clock on by `ms` and does what becomes due on the way, as it would have been by waiting: the clock stops at each moment at
 * which something is due, that is done to its end, then it goes on. Whoever moves does the work itself, so it needs no worker; workers
 * that run beside it do some of it, each thing once. Moves follow one another, over all processes.
 */
export async function moveClock(deps: ClockMoveDeps, ms: number): Promise<Result<ClockMove, ClockMoveRefusal>> {
  const bounds = { ...defaults, ...deps.bounds };
  const lease = { moverId: randomUUID(), leaseMs: bounds.leaseMs };
  if (!(await waitForLease(deps, { lease, bounds }))) {
    return refused("clock_is_moving");
  }
  try {
    await deps.clock.refresh();
    return deps.clock.offsetMs() + ms > offsetMsMax
      ? refused("too_far_ahead")
      : await walk(deps, { ms, lease, bounds });
  } finally {
    await endClockLease(deps.pool, lease);
  }
}

interface Lease {
  readonly moverId: string;
  readonly leaseMs: number;
}

async function waitForLease(
  deps: ClockMoveDeps,
  { lease, bounds }: { readonly lease: Lease; readonly bounds: ClockMoveBounds },
): Promise<boolean> {
  const endsAt = performance.now() + bounds.waitMsMax;
  while (!(await takeClockLease(deps.pool, lease))) {
    if (performance.now() >= endsAt) {
      return false;
    }
    await sleep(bounds.waitLookMs);
  }
  return true;
}

interface Walk {
  readonly ms: number;
  readonly lease: Lease;
  readonly bounds: ClockMoveBounds;
}

async function walk(deps: ClockMoveDeps, { ms, lease, bounds }: Walk): Promise<Result<ClockMove, ClockMoveRefusal>> {
  const { clock } = deps;
  const endOffset = clock.offsetMs() + ms;
  const player = createPlayer(deps, bounds);
  let steps = 0;
  await player.play();
  while (clock.offsetMs() < endOffset) {
    const left = endOffset - clock.offsetMs();
    const now = clock.now();
    // A process that was stopped for so long that it lost the lease must not stop at moments any more: somebody else does.
    const plays = player.mayGoOn() && (await takeClockLease(deps.pool, lease));
    const next = plays ? await player.nextDueAt(now) : null;
    const moved = await clock.advance(next === null ? left : Math.min(left, Math.max(1, next - now)));
    if (!moved.ok) {
      return refused(moved.reason);
    }
    steps += 1;
    await (plays ? player.play() : player.leave());
  }
  const { ran, finished } = player.result();
  return ok({ now: clock.now(), steps, ran, finished });
}

interface Player {
  mayGoOn(): boolean;
  /** Does what is due now. */
  play(): Promise<void>;
  nextDueAt(after: number): Promise<number | null>;
  /** Leaves the rest to the workers. */
  leave(): void;
  result(): Pick<ClockMove, "ran" | "finished">;
}

function createPlayer(deps: ClockMoveDeps, bounds: ClockMoveBounds): Player {
  const endsAt = performance.now() + bounds.moveMsMax;
  const ran: Record<string, number> = {};
  let finished = true;
  let slowMsLeft = bounds.slowWorkMsMax;
  const slow = deps.slowWork.map(
    (work): ScheduledWork => ({
      name: work.name,
      nextDueAt: (after) => work.nextDueAt(after),
      runDue: async (until, mayGoOn) => {
        const startedAt = performance.now();
        const done = await work.runDue(until, mayGoOn);
        slowMsLeft -= performance.now() - startedAt;
        return done;
      },
    }),
  );
  const mayGoOn = (): boolean => performance.now() < endsAt && deps.isStopping?.() !== true;
  const works = (): readonly ScheduledWork[] => {
    if (slowMsLeft > 0) {
      return [...deps.work, ...slow];
    }
    finished &&= slow.length === 0;
    return deps.work;
  };
  return {
    mayGoOn,
    nextDueAt: (after) => nextDueOf(works(), after),
    leave: () => {
      finished = false;
    },
    play: async () => {
      try {
        const done = await runDueInOrder(works(), { until: deps.clock.now(), mayGoOn });
        finished &&= done.finished;
        for (const [name, count] of done.ran) {
          ran[name] = (ran[name] ?? 0) + count;
        }
      } catch (error) {
        deps.onError(error);
        finished = false;
      }
    },
    result: () => ({ ran, finished }),
  };
}
