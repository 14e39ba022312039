const dayMs = 86_400_000;
const minuteMs = 60_000;

/** Days since 1970 of a moment, in a time zone of so many minutes east of UTC. */
export function dayAt(ms: number, utcOffsetMinutes: number): number {
  return Math.floor((ms + utcOffsetMinutes * minuteMs) / dayMs);
}

/** Its first moment, Unix ms. */
export function startOfDay(day: number, utcOffsetMinutes: number): number {
  return day * dayMs - utcOffsetMinutes * minuteMs;
}

/** `2026-11-22`. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Null for a text that is no date of the calendar. */
export function parseDay(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text)) return null;
  const day = Date.parse(`${text}T00:00:00Z`) / dayMs;
  return Number.isInteger(day) && dayText(day) === text ? day : null;
}
