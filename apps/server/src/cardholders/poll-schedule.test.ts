import { expect, test } from "vitest";
import { nextPollAt } from "./poll-schedule.ts";

test("waits grow from 30 seconds to 6 hours and stay there", () => {
  const waits = Array.from({ length: 9 }, (_, index) => nextPollAt({ now: 0, pollCount: index + 1 }));
  expect(waits).toEqual([30, 60, 300, 1800, 7200, 21_600, 21_600, 21_600, 21_600].map((seconds) => seconds * 1000));
});

test("an applicant is not polled for ever", () => {
  expect(nextPollAt({ now: 0, pollCount: 500 })).toBeNull();
});
