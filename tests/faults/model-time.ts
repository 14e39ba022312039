import { dayMs } from "../support/programme.ts";
import type { Choices } from "./random.ts";

/** Of the test programme's merchants. */
export const utcOffsetMinutes = 480;
const offsetMs = utcOffsetMinutes * 60_000;
const hourMs = 3_600_000;

/** Milliseconds to move the clock on: often to the very edge of a limit's period, or of the next hold (infinite: there is none). */
export function someWaitMs(
  time: Choices,
  { now, nextHold }: { readonly now: number; readonly nextHold: number },
): number {
  const edge = time.of([0, -1, 1, 30_000, -hourMs, hourMs]);
  const until = (moment: number) => Math.max(1, moment - now + edge);
  switch (time.of(["minutes", "minutes", "hours", "hours", "days", "midnight", "midnight", "month", "hold"])) {
    case "minutes":
      return time.whole(1, 180) * 60_000;
    case "hours":
      return time.whole(1, 30) * hourMs;
    case "days":
      return time.whole(1, 8) * dayMs + edge;
    case "midnight":
      return until(midnightAfter(now));
    case "month":
      return until(monthAfter(now));
    case "hold":
      return Number.isFinite(nextHold) ? until(nextHold) : hourMs;
  }
}

/** Where a day ends in the cards' time zone, and one time in seven a week. */
function midnightAfter(now: number): number {
  return now - ((now + offsetMs) % dayMs) + dayMs;
}

function monthAfter(now: number): number {
  const local = new Date(now + offsetMs);
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - offsetMs;
}
