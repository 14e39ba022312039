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
    ...createTargetCache({ read, monotonicNow: () => nowMs }),
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

test.each(["one merchant's", "everybody's"])("%s target that is forgotten is read again at once", async (whose) => {
  const cache = cacheOf(at("a"));
  const forget = (): void => (whose === "everybody's" ? cache.forgetAll() : cache.forget(1));
  await cache.of(1);
  cache.change(at("b"));
  forget();
  expect(await cache.of(1)).toEqual(at("b"));
  expect(await cache.of(1)).toEqual(at("b"));
  expect(cache.reads).toEqual([1, 1]);
});

test("what was read before a target was forgotten is not kept, nor waited for by who comes afterwards", async () => {
  const answers = [Promise.withResolvers<CallbackTarget>(), Promise.withResolvers<CallbackTarget>()];
  let reads = 0;
  const targets = createTargetCache({
    read: async () => {
      reads += 1;
      return answers[reads - 1]?.promise ?? null;
    },
    monotonicNow: () => 0,
  });
  const before = targets.of(1);
  targets.forget(1);
  const after = targets.of(1);
  answers[1]?.resolve(at("b"));
  expect(await after).toEqual(at("b"));
  answers[0]?.resolve(at("a"));
  expect(await before).toEqual(at("a"));
  expect(await targets.of(1)).toEqual(at("b"));
  expect(reads).toBe(2);
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
