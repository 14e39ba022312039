import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokenBuckets } from "./token-buckets.ts";

function stage(options: { perSecond: number; burst: number; bucketsMax?: number }) {
  let now = 1_000_000;
  const clock = { now: () => now };
  const buckets = createTokenBuckets({ clock, bucketsMax: 100, ...options });
  return { take: (caller = "a") => buckets.take(caller), move: (ms: number) => void (now += ms) };
}

test("a caller gets its burst at once and then so many a second", () => {
  const { take, move } = stage({ perSecond: 10, burst: 3 });
  expect([take(), take(), take(), take()].map(({ ok }) => ok)).toEqual([true, true, true, false]);
  move(99);
  expect(take().ok).toBe(false);
  move(1);
  expect(take().ok).toBe(true);
  move(3_600_000);
  expect([take(), take(), take(), take()].map(({ ok }) => ok)).toEqual([true, true, true, false]);
});

test("the wait that is told is whole seconds, at least one, and long enough", () => {
  const { take, move } = stage({ perSecond: 0.25, burst: 1 });
  take();
  expect(take()).toEqual({ ok: false, retryAfterSeconds: 4 });
  move(3_500);
  expect(take()).toEqual({ ok: false, retryAfterSeconds: 1 });
  move(1_000);
  expect(take()).toEqual({ ok: true });
});

test("a clock that goes back takes nothing away and gives nothing", () => {
  const { take, move } = stage({ perSecond: 1, burst: 2 });
  take();
  move(-60_000);
  expect([take(), take()].map(({ ok }) => ok)).toEqual([true, false]);
});

test("the caller that was silent longest is forgotten when there are too many", () => {
  const { take } = stage({ perSecond: 0.001, burst: 1, bucketsMax: 3 });
  for (const caller of ["a", "b", "c"]) take(caller);
  expect(take("a").ok).toBe(false);
  take("d");
  // b was silent longest; a had just been heard of.
  expect([take("a").ok, take("b").ok]).toEqual([false, true]);
});

test("over any time nobody gets more than the burst and what has flowed in since", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (waits) => {
      const { take, move } = stage({ perSecond: 5, burst: 4 });
      let elapsedMs = 0;
      let taken = 0;
      for (const wait of waits) {
        move(wait);
        elapsedMs += wait;
        if (take().ok) taken += 1;
      }
      expect(taken).toBeLessThanOrEqual(4 + (elapsedMs * 5) / 1000);
    }),
  );
});
