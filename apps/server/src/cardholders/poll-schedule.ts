const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const waitsMs = [30 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour];

/** About four months at the longest wait. Who is not decided by then is only moved by a webhook. */
const pollsMax = 500;

/** When an applicant without a final verdict is looked at after `pollCount` looks (from 1); null: never by itself. */
export function nextPollAt({ now, pollCount }: { now: number; pollCount: number }): number | null {
  if (pollCount >= pollsMax) return null;
  const waitMs = waitsMs[Math.min(pollCount, waitsMs.length) - 1] ?? 30 * second;
  return now + waitMs;
}
