const dayMs = 86_400_000;
/** 1970-01-01 was a Thursday; weeks start on Monday, so the first whole week starts on day 4. */
const firstMonday = 4;

/** The periods of the product's limits that an instant falls into, counted from 1970 in the card's own time zone. */
export interface LimitPeriods {
  /** Day number of the week's Monday. */
  readonly week: number;
  readonly day: number;
  readonly month: number;
}

export function limitPeriods(nowMs: number, utcOffsetMinutes: number): LimitPeriods {
  const local = nowMs + utcOffsetMinutes * 60_000;
  const day = Math.floor(local / dayMs);
  const date = new Date(local);
  return {
    week: day - ((((day - firstMonday) % 7) + 7) % 7),
    day,
    month: (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth(),
  };
}
