import type { Clock } from "#kernel/index.ts";

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

export interface Timeline {
  /** Runs `run` once the clock has reached `dueAt`: in the order of due times, then of arrival, never before this call returns. */
  at(dueAt: number, run: () => void): void;
  /** Runs what is due by now; without it, that happens within 10 ms. */
  catchUp(): void;
  stop(): void;
}

/** The clock can be moved by hand, so it is looked at often instead of being trusted to pass. */
const lookEveryMs = 10;
const entriesMax = 100_000;

export function startTimeline(clock: Clock): Timeline {
  let entries: Entry[] = [];
  let order = 0;
  const catchUp = (): void => {
    const now = clock.now();
    const due = entries.filter((entry) => entry.dueAt <= now);
    if (due.length === 0) return;
    entries = entries.filter((entry) => entry.dueAt > now);
    for (const entry of due.toSorted((a, b) => a.dueAt - b.dueAt || a.order - b.order)) entry.run();
  };
  const timer = setInterval(catchUp, lookEveryMs);
  return {
    at(dueAt, run) {
      if (entries.length >= entriesMax) throw new Error("the KYC simulator has too much to do");
      order += 1;
      entries.push({ dueAt, order, run });
    },
    catchUp,
    stop: () => clearInterval(timer),
  };
}
