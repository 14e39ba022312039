import { expect, test } from "vitest";
import type { CallbackTarget } from "./ports.ts";
import { createTargetCache } from "./target-cache.ts";

const at = (url: string): CallbackTarget => ({ url, appId: "app", apiSecret: "secret" });

function cacheOf(first: CallbackTarget | Error | null) {
  let nowMs = 0;
  let target: CallbackTarget | null | Error = first;
  const reads: number[] = [];
  const read = async (merchantId: number): Promise<CallbackTarget | null> => {
    reads.push(merchantId);
    await Promise.resolve();
    if (target instanceof Error) throw target;
    return target;
  };
  return {
    of: createTargetCache({ read, monotonicNow: () => nowMs }),
    reads,
    move: (ms: number) => (nowMs += ms),
    change: (next: CallbackTarget | null | Error) => {
      target = next;
    },
  };
}

test("a target is read once for all questions of a moment, per merchant", async () => {
  const cache = cacheOf(at("a"));
  const targets = await Promise.all([cache.of(1), cache.of(1), cache.of(2)]);
  expect(targets).toEqual([at("a"), at("a"), at("a")]);
  expect(await cache.of(1)).toEqual(at("a"));
  expect(cache.reads).toEqual([1, 2]);
});

test("a change takes effect within 5 seconds, also when nobody asked meanwhile", async () => {
  const cache = cacheOf(at("a"));
  await cache.of(1);
  cache.change(at("b"));
  cache.move(4_999);
  expect(await cache.of(1)).toEqual(at("a"));
  await new Promise((resolve) => setImmediate(resolve));
  cache.change(at("c"));
  cache.move(5_000);
  expect(await cache.of(1)).toEqual(at("c"));
});

test("from half of the time on it is read again in the background, and the question does not wait", async () => {
  const cache = cacheOf(at("a"));
  await cache.of(1);
  cache.change(at("b"));
  cache.move(2_500);
  expect(cache.of(1)).toEqual(at("a"));
  await Promise.resolve();
  await Promise.resolve();
  expect(await cache.of(1)).toEqual(at("b"));
  expect(cache.reads).toEqual([1, 1]);
});

test("a failing read is not remembered, and in the background it is not noticed before the target is too old", async () => {
  const cache = cacheOf(new Error("away"));
  await expect(cache.of(1)).rejects.toThrow("away");
  cache.change(at("a"));
  expect(await cache.of(1)).toEqual(at("a"));
  cache.change(new Error("away"));
  cache.move(3_000);
  expect(await cache.of(1)).toEqual(at("a"));
  cache.move(2_000);
  await expect(cache.of(1)).rejects.toThrow("away");
});

test("that a merchant has no target is not remembered, and a target that is taken away is gone", async () => {
  const cache = cacheOf(null);
  expect(await cache.of(1)).toBeNull();
  cache.change(at("a"));
  expect(await cache.of(1)).toEqual(at("a"));
  cache.change(null);
  cache.move(5_000);
  expect(await cache.of(1)).toBeNull();
  expect(cache.reads).toHaveLength(3);
});

test("it keeps a bounded number of merchants", async () => {
  const cache = cacheOf(at("a"));
  for (let merchantId = 0; merchantId <= 1_024; merchantId += 1) {
    await cache.of(merchantId);
  }
  await cache.of(1_024);
  expect(cache.reads).toHaveLength(1_025);
  await cache.of(0);
  expect(cache.reads).toHaveLength(1_026);
});
