import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gate } from "./batcher.testing.ts";
import {
  type BatcherOptions,
  BatcherStopped,
  type BatchFailure,
  createBatcher,
  createLanes,
  QueueFull,
} from "./index.ts";

test("items that wait at the same moment go together, and each gets its own outcome", async () => {
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number, number>({
    name: "doubling",
    batchMax: 100,
    queueMax: 100,
    run: async (items) => {
      batches.push(items);
      return items.map((item) => item * 2);
    },
  });
  expect(await Promise.all([1, 2, 3].map((item) => batcher.submit(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test("no more batches than lanes are in flight, and none is larger than its bound", async () => {
  let inFlight = 0;
  let most = 0;
  const sizes: number[] = [];
  const batcher = createBatcher<number, number>({
    name: "bounded",
    lanes: createLanes({ max: 2 }),
    batchMax: 3,
    queueMax: 100,
    run: async (items) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      sizes.push(items.length);
      await sleep(1);
      inFlight -= 1;
      return items;
    },
  });
  await Promise.all(Array.from({ length: 20 }, (_, item) => batcher.submit(item)));
  expect(most).toBe(2);
  expect(Math.max(...sizes)).toBe(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(20);
});

test("what arrives while all lanes are busy gathers into the next batch", async () => {
  const { opened, open } = gate();
  const batches: (readonly string[])[] = [];
  const batcher = createBatcher<string, string>({
    name: "gathering",
    lanes: createLanes({ max: 1 }),
    batchMax: 100,
    queueMax: 100,
    run: async (items) => {
      batches.push(items);
      await opened;
      return items;
    },
  });
  const first = batcher.submit("a");
  await expect.poll(() => batches.length).toBe(1);
  const later = ["b", "c", "d"].map((item) => batcher.submit(item));
  expect(batcher.load()).toEqual({ waiting: 3, lanesBusy: 1 });
  open();
  await Promise.all([first, ...later]);
  expect(batches).toEqual([["a"], ["b", "c", "d"]]);
  await expect.poll(() => batcher.load()).toEqual({ waiting: 0, lanesBusy: 0 });
});

test("beside a busy lane another opens only when enough items wait, and a lone item waits for no others", async () => {
  const { opened, open } = gate();
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number, number>({
    name: "patient",
    lanes: createLanes({ extraLaneItemsMin: 3 }),
    batchMax: 100,
    queueMax: 100,
    run: async (items) => {
      batches.push(items);
      await opened;
      return items;
    },
  });
  const answers = [batcher.submit(1)];
  await expect.poll(() => batches).toEqual([[1]]);
  answers.push(batcher.submit(2), batcher.submit(3));
  await sleep(20);
  expect(batcher.load()).toEqual({ waiting: 2, lanesBusy: 1 });
  answers.push(batcher.submit(4));
  await expect.poll(() => batches).toEqual([[1], [2, 3, 4]]);
  open();
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4]);
});

test("batchers that share a lane take turns in it: the one that has used it goes last", async () => {
  const { opened, open } = gate();
  const lanes = createLanes({ max: 1 });
  const batches: string[] = [];
  const batcherNamed = (name: string) =>
    createBatcher<number, number>({
      name,
      lanes,
      batchMax: 100,
      queueMax: 100,
      run: async (items) => {
        batches.push(`${name} ${items.join(",")}`);
        await opened;
        // The first one goes on arriving as long as its own answers come.
        if (name === "first" && items.includes(3)) {
          answers.push(first.submit(5));
        }
        return items;
      },
    });
  const [first, second] = [batcherNamed("first"), batcherNamed("second")];
  const answers = [second.submit(1)];
  await expect.poll(() => batches).toEqual(["second 1"]);
  answers.push(second.submit(2), first.submit(3), first.submit(4));
  await sleep(20);
  expect([first.load(), second.load()]).toEqual([
    { waiting: 2, lanesBusy: 0 },
    { waiting: 1, lanesBusy: 1 },
  ]);
  open();
  await expect.poll(() => batches).toEqual(["second 1", "first 3,4", "second 2", "first 5"]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5]);
});

test("of more than an even batch half is taken, so that a crowd leaves in several batches", async () => {
  const { opened, open } = gate();
  const sizes: number[] = [];
  const batcher = createBatcher<number, number>({
    name: "even",
    lanes: createLanes({ max: 1 }),
    batchMax: 10,
    batchEven: 4,
    queueMax: 100,
    run: async (items) => {
      sizes.push(items.length);
      await opened;
      return items;
    },
  });
  const answers = [batcher.submit(0)];
  await expect.poll(() => sizes).toEqual([1]);
  answers.push(...Array.from({ length: 33 }, (_, item) => batcher.submit(item)));
  open();
  await Promise.all(answers);
  expect(sizes).toEqual([1, 10, 10, 7, 4, 2]);
});

test("an item whose key is in flight waits for it, while items of other keys pass", async () => {
  const { opened, open } = gate();
  const started: string[] = [];
  const batcher = createBatcher<string, string>({
    name: "keyed",
    lanes: createLanes({ max: 2 }),
    batchMax: 10,
    queueMax: 10,
    keyOf: (item) => item.charAt(0),
    run: async (items) => {
      started.push(...items);
      if (items.includes("a1")) {
        await opened;
      }
      return items;
    },
  });
  const first = batcher.submit("a1");
  await expect.poll(() => started).toEqual(["a1"]);
  const second = batcher.submit("a2");
  expect(await batcher.submit("b1")).toBe("b1");
  expect(started).toEqual(["a1", "b1"]);
  open();
  expect(await Promise.all([first, second])).toEqual(["a1", "a2"]);
});

test("a poisoned item falls out of its batch: only it rejects, and the failure is told once", async () => {
  const failures: BatchFailure[] = [];
  const poison = new Error("poison");
  const batcher = createBatcher<string, string>({
    name: "poisoned",
    batchMax: 10,
    queueMax: 10,
    run: async (items) => {
      if (items.includes("bad")) {
        throw poison;
      }
      return items;
    },
    onFailure: (failure) => failures.push(failure),
  });
  const outcomes = await Promise.allSettled(["a", "bad", "b"].map((item) => batcher.submit(item)));
  expect(outcomes).toEqual([
    { status: "fulfilled", value: "a" },
    { status: "rejected", reason: poison },
    { status: "fulfilled", value: "b" },
  ]);
  expect(failures).toEqual([{ name: "poisoned", error: poison, itemCount: 3 }]);
});

test("when the database is away all items of a batch reject at once instead of asking it once each", async () => {
  let runs = 0;
  const away = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  const batcher = createBatcher<number, number>({
    name: "away",
    batchMax: 10,
    queueMax: 10,
    run: async () => {
      runs += 1;
      throw away;
    },
  });
  const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
  expect(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason === away)).toBe(true);
  expect(runs).toBe(1);
});

test("a run that returns the wrong number of outcomes rejects its items and is not run again", async () => {
  let runs = 0;
  const batcher = createBatcher<number, number>({
    name: "miscounting",
    batchMax: 10,
    queueMax: 10,
    run: async () => {
      runs += 1;
      return [1];
    },
  });
  const outcomes = await Promise.allSettled([1, 2].map((item) => batcher.submit(item)));
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
  expect(runs).toBe(1);
});

test("a full queue refuses at once with QueueFull, and takes items again when it has room", async () => {
  const { opened, open } = gate();
  const batcher = createBatcher<number, number>({
    name: "small",
    lanes: createLanes({ max: 1 }),
    batchMax: 1,
    queueMax: 2,
    run: async (items) => {
      await opened;
      return items;
    },
  });
  const accepted = [batcher.submit(1)];
  await expect.poll(() => batcher.load()).toEqual({ waiting: 0, lanesBusy: 1 });
  accepted.push(batcher.submit(2), batcher.submit(3));
  await expect(batcher.submit(4)).rejects.toBeInstanceOf(QueueFull);
  open();
  expect(await Promise.all(accepted)).toEqual([1, 2, 3]);
  expect(await batcher.submit(5)).toBe(5);
});

test("stopping finishes what waits and refuses what comes later", async () => {
  const batcher = createBatcher<number, number>({
    name: "draining",
    lanes: createLanes({ max: 1 }),
    batchMax: 1,
    queueMax: 10,
    run: async (items) => {
      await sleep(1);
      return items;
    },
  });
  const accepted = [1, 2, 3].map((item) => batcher.submit(item));
  const stopped = batcher.stop({ deadlineMs: 10_000 });
  await expect(batcher.submit(4)).rejects.toBeInstanceOf(BatcherStopped);
  await stopped;
  expect(batcher.load()).toEqual({ waiting: 0, lanesBusy: 0 });
  expect(await Promise.all(accepted)).toEqual([1, 2, 3]);
});

test("stopping gives up at its deadline: items still waiting reject, the one in flight keeps its outcome", async () => {
  const { opened, open } = gate();
  const batcher = createBatcher<number, number>({
    name: "stuck",
    lanes: createLanes({ max: 1 }),
    batchMax: 1,
    queueMax: 10,
    run: async (items) => {
      await opened;
      return items;
    },
  });
  const inFlight = batcher.submit(1);
  await expect.poll(() => batcher.load().lanesBusy).toBe(1);
  const waiting = batcher.submit(2).catch((error: unknown) => error);
  await batcher.stop({ deadlineMs: 5 });
  expect(await waiting).toBeInstanceOf(BatcherStopped);
  open();
  expect(await inFlight).toBe(1);
});

interface Planned {
  readonly key: string;
  readonly delayMs: number;
  readonly poisoned: boolean;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  key: fc.constantFrom("a", "b", "c", "d"),
  delayMs: fc.integer({ min: 0, max: 3 }),
  poisoned: fc.boolean(),
});

test("whatever the load and the poison: every item is kept exactly once or rejects, in order per key, never two lanes on one key", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(planned, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      fc.record({ patienceMs: fc.integer({ min: 0, max: 5 }), turns: fc.array(fc.boolean(), { minLength: 1 }) }),
      async (items, lanesMax, batchMax, hasLines, { patienceMs, turns }) => {
        const kept: number[] = [];
        const busyKeys = new Set<string>();
        let runs = 0;
        const lineOf = (item: Planned): number => (item.key === "a" || item.key === "c" ? 1 : 2);
        const options: BatcherOptions<Planned & { readonly index: number }, number> = {
          name: "property",
          lanes: createLanes({ max: lanesMax, patienceMs }),
          batchMax,
          queueMax: 1000,
          keyOf: (item) => item.key,
          ...(hasLines && { lineOf }),
          // Who is patient changes with each batch.
          isPatient: (item) => lineOf(item) === 1 && turns[runs % turns.length] === true,
          run: async (batch) => {
            runs += 1;
            const keys = new Set(batch.map((item) => item.key));
            for (const key of keys) {
              expect(busyKeys.has(key)).toBe(false);
              busyKeys.add(key);
            }
            await sleep(Math.max(...batch.map((item) => item.delayMs)));
            for (const key of keys) {
              busyKeys.delete(key);
            }
            if (batch.some((item) => item.poisoned)) {
              throw new Error("poison");
            }
            kept.push(...batch.map((item) => item.index));
            return batch.map((item) => item.index);
          },
        };
        const [first, second] = [createBatcher(options), createBatcher(options)];
        const outcomes = await Promise.allSettled(
          items.map(async (item, index) => {
            await sleep(item.delayMs);
            return (item.key < "c" ? first : second).submit({ ...item, index });
          }),
        );
        outcomes.forEach((outcome, index) => {
          expect(outcome).toMatchObject(items[index]?.poisoned === true ? { status: "rejected" } : { value: index });
        });
        expect(kept.toSorted((a, b) => a - b)).toEqual(items.flatMap((item, index) => (item.poisoned ? [] : [index])));
        for (const key of ["a", "b", "c", "d"]) {
          // Items submitted in the same turn arrive in the order of their index; across delays the timer decides.
          for (const delayMs of [0, 1, 2, 3]) {
            const mine = kept.filter((index) => items[index]?.key === key && items[index].delayMs === delayMs);
            expect(mine).toEqual(mine.toSorted((a, b) => a - b));
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
