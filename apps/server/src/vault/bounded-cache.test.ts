import { expect, test } from "vitest";
import { createBoundedCache } from "./bounded-cache.ts";

function cacheAt(nowMs: number, entriesMax = 3) {
  const time = { nowMs };
  const cache = createBoundedCache<string>({ clock: { now: () => time.nowMs }, entriesMax, ageMsMax: 1000 });
  return { time, cache };
}

test("it never holds more than its bound, and the least recently used goes first", () => {
  const { cache } = cacheAt(0);
  for (const key of ["a", "b", "c"]) cache.keep(key, key, cache.mark());
  expect(cache.find("a")).toBe("a");
  cache.keep("d", "d", cache.mark());
  expect(["a", "b", "c", "d"].map((key) => cache.find(key))).toEqual(["a", undefined, "c", "d"]);
  expect(cache.size()).toBe(3);
});

test("a value that is too old is not found, also after the clock was set back", () => {
  const { cache, time } = cacheAt(10_000);
  cache.keep("a", "a", cache.mark());
  time.nowMs = 11_000;
  expect(cache.find("a")).toBe("a");
  time.nowMs = 11_001;
  expect(cache.find("a")).toBeUndefined();
  cache.keep("a", "a", cache.mark());
  time.nowMs = 5000;
  expect(cache.find("a")).toBeUndefined();
});

test("a value read before something was forgotten is not kept after it", () => {
  const { cache } = cacheAt(0);
  const mark = cache.mark();
  cache.forget("a");
  cache.keep("a", "stale", mark);
  expect(cache.find("a")).toBeUndefined();
});
