import { wrongUsage } from "../exit-codes.ts";

const units: Readonly<Record<string, readonly [part: "date" | "time", letter: string]>> = {
  y: ["date", "Y"],
  mo: ["date", "M"],
  w: ["date", "W"],
  d: ["date", "D"],
  h: ["time", "H"],
  m: ["time", "M"],
  s: ["time", "S"],
};

const unitMs: Readonly<Record<string, number>> = {
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

const shortForm = /^(?:\d{1,9}(?:y|mo|w|d|h|m|s))+$/u;
const isoForm = /^P(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?$/u;

/** `7d`, `12h`, `30m`, `13mo`, `1d12h` as the platform's ISO 8601 (`P7D`, `PT12H`, …), which is taken as it is. */
export function isoDuration(text: string): string {
  const iso = text.toUpperCase();
  if (isoForm.test(iso)) {
    return iso;
  }
  if (!shortForm.test(text)) {
    throw wrongUsage(`"${text}" is no duration: write 7d, 12h, 30m, 13mo, 1d12h, or ISO 8601 such as P7D or PT12H.`);
  }
  const given = new Map<string, number>();
  for (const [, count = "", unit = ""] of text.matchAll(/(\d+)(mo|[ywdhms])/gu)) {
    given.set(unit, (given.get(unit) ?? 0) + Number(count));
  }
  const partOf = (part: "date" | "time"): string =>
    Object.entries(units)
      .filter(([unit, [of]]) => of === part && given.has(unit))
      .map(([unit, [, letter]]) => `${given.get(unit)}${letter}`)
      .join("");
  const time = partOf("time");
  return `P${partOf("date")}${time === "" ? "" : `T${time}`}`;
}

/** A length of time that is the same on every day: `24h`, `7d`, `90s`, `500ms`. Milliseconds. */
export function fixedDurationMs(text: string): number {
  const parts = [...text.matchAll(/(\d{1,9})(ms|[wdhms])/gu)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw wrongUsage(`"${text}" is no length of time: write 24h, 7d, 30m or 1d12h.`);
  }
  return parts.reduce((sum, [, count = "", unit = ""]) => sum + Number(count) * (unitMs[unit] ?? 0), 0);
}
