/** Work that becomes due as business time passes. Whatever is due is found in the database, so nothing is lost by a restart. */
export interface ScheduledWork {
  readonly name: string;
  /** The earliest moment after `after` (Unix ms) at which something of it is due; null when there is none. */
  nextDueAt(after: number): Promise<number | null>;
  /**
   * Does all of it that is due at `until` or before, but stops where it may not go on; answers how much it did. Safe in any number of
   * processes at once.
   */
  runDue(until: number, mayGoOn: MayGoOn): Promise<number>;
}

/** Asked between two pieces of work: false ends it there, and what is left stays due. */
export type MayGoOn = () => boolean;

export interface DueRun {
  /** How much was done, by the name of the work; without those that did nothing. */
  readonly ran: ReadonlyMap<string, number>;
  /** Whether nothing was left. */
  readonly finished: boolean;
}

/** Turns from one kind of work to another within one call; what is left then is the next call's. */
const turnsMax = 10_000;

/**
 * Does everything that is due at `until` or before in the order of its due times, whatever kind it is; of one moment the first in the
 * list comes first. One kind runs on until another has something earlier, so catching up after a standstill costs turns, not moments.
 */
export async function runDueInOrder(
  works: readonly ScheduledWork[],
  options: { readonly until: number; readonly mayGoOn: MayGoOn },
): Promise<DueRun> {
  const { until, mayGoOn } = options;
  const ran = new Map<string, number>();
  // Of each kind everything up to its moment is done, or cannot be done now: it is not looked at again in this call.
  const doneUntil = new Map<ScheduledWork, number>();
  for (let turns = 0; turns < turnsMax; turns += 1) {
    const due: { readonly work: ScheduledWork; readonly at: number }[] = [];
    for (const work of works) {
      const at = await work.nextDueAt(doneUntil.get(work) ?? -1);
      if (at !== null && at <= until) {
        due.push({ work, at });
      }
    }
    const [first, second] = due.toSorted((a, b) => a.at - b.at);
    if (first === undefined) {
      return { ran, finished: true };
    }
    if (!mayGoOn()) {
      break;
    }
    const bound = second === undefined ? until : Math.max(first.at, second.at - 1);
    const done = await first.work.runDue(bound, mayGoOn);
    doneUntil.set(first.work, bound);
    if (done > 0) {
      ran.set(first.work.name, (ran.get(first.work.name) ?? 0) + done);
    }
  }
  return { ran, finished: false };
}

/** The earliest moment after `after` at which any of it is due; null when nothing is. */
export async function nextDueOf(works: readonly ScheduledWork[], after: number): Promise<number | null> {
  let next: number | null = null;
  for (const work of works) {
    const at = await work.nextDueAt(after);
    next = at !== null && (next === null || at < next) ? at : next;
  }
  return next;
}
