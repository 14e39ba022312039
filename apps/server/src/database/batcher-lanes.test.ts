import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { gate } from "./batcher.testing.ts";
import { createBatcher, createLanes } from "./index.ts";

test("a line that is longer than a batch leaves room in it for the others", async () => {
  const { opened, open } = gate();
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number, number>({
    name: "in turns",
    lanes: createLanes({ max: 1 }),
    batchMax: 4,
    queueMax: 100,
    lineOf: (item) => Math.trunc(item / 10),
    run: async (items) => {
      batches.push(items);
      await opened;
      return items;
    },
  });
  const answers = [batcher.submit(0)];
  await expect.poll(() => batches).toEqual([[0]]);
  answers.push(...[11, 12, 13, 14, 15, 21, 31].map((item) => batcher.submit(item)));
  open();
  await Promise.all(answers);
  expect(batches).toEqual([[0], [11, 21, 31, 12], [13, 14, 15]]);
});

/** A batcher of numbers whose tens are their line, and how its batches are let go one by one. */
function inLines(options: { readonly lanes: number; readonly batchMax: number }) {
  const batches: (readonly number[])[] = [];
  const gates: (() => void)[] = [];
  const batcher = createBatcher<number, number>({
    name: "lines",
    lanes: createLanes({ max: options.lanes }),
    batchMax: options.batchMax,
    batchEven: 2,
    queueMax: 100,
    lineOf: (item) => Math.trunc(item / 10),
    run: async (items) => {
      const { opened, open } = gate();
      batches.push(items);
      gates.push(open);
      await opened;
      return items;
    },
  });
  return { batcher, batches, gates };
}

test("two lanes get different lines, and what is of a line in flight waits while others can go", async () => {
  const { batcher, batches, gates } = inLines({ lanes: 2, batchMax: 100 });
  const answers = [11, 21, 31, 41, 12, 22, 32, 42].map((item) => batcher.submit(item));
  await expect
    .poll(() => batches)
    .toEqual([
      [11, 21, 12, 22],
      [31, 32],
    ]);
  answers.push(...[13, 33, 51].map((item) => batcher.submit(item)));
  gates[1]?.();
  await expect.poll(() => batches[2]).toEqual([41, 33]);
  gates[0]?.();
  // 42 has waited longer, but would wait for 41 in the database.
  await expect.poll(() => batches[3]).toEqual([13, 51]);
  gates[2]?.();
  await expect.poll(() => batches[4]).toEqual([42]);
  gates[3]?.();
  gates[4]?.();
  expect(await Promise.all(answers)).toEqual([11, 21, 31, 41, 12, 22, 32, 42, 13, 33, 51]);
});

test("a line that is alone uses both lanes", async () => {
  const { batcher, batches, gates } = inLines({ lanes: 2, batchMax: 2 });
  const answers = [11, 12, 13, 14].map((item) => batcher.submit(item));
  await expect
    .poll(() => batches)
    .toEqual([
      [11, 12],
      [13, 14],
    ]);
  for (const open of gates) {
    open();
  }
  expect(await Promise.all(answers)).toEqual([11, 12, 13, 14]);
});

/** Two batchers of numbers on the same lanes, whose batches are let go one by one; from 100 on a number is patient. */
function withPatience(options: { readonly lanes: number; readonly patienceMs: number }) {
  const lanes = createLanes({ max: options.lanes, extraLaneItemsMin: 100, patienceMs: options.patienceMs });
  const batches: string[] = [];
  const gates: (() => void)[] = [];
  const batcherNamed = (name: string) =>
    createBatcher<number, number>({
      name,
      lanes,
      batchMax: 100,
      queueMax: 100,
      isPatient: (item) => item >= 100,
      run: async (items) => {
        const { opened, open } = gate();
        batches.push(`${name} ${items.join(",")}`);
        gates.push(open);
        await opened;
        return items;
      },
    });
  return { first: batcherNamed("first"), second: batcherNamed("second"), batches, gates };
}

const longPatience = 600_000;

test("patient items let the others go first, here and at another batcher of the lanes", async () => {
  const { first, second, batches, gates } = withPatience({ lanes: 1, patienceMs: longPatience });
  const answers = [second.submit(1)];
  await expect.poll(() => batches).toEqual(["second 1"]);
  answers.push(first.submit(101), second.submit(102), second.submit(2));
  gates[0]?.();
  await expect.poll(() => batches[1]).toBe("second 2");
  answers.push(first.submit(3), first.submit(103));
  gates[1]?.();
  await expect.poll(() => batches[2]).toBe("first 3");
  gates[2]?.();
  await expect.poll(() => batches[3]).toBe("second 102");
  gates[3]?.();
  await expect.poll(() => batches[4]).toBe("first 101,103");
  gates[4]?.();
  expect(await Promise.all(answers)).toEqual([1, 101, 102, 2, 3, 103]);
});

test("a patient item that has waited for long goes with the others", async () => {
  const { first, second, batches, gates } = withPatience({ lanes: 1, patienceMs: 0 });
  const answers = [second.submit(1)];
  await expect.poll(() => batches).toEqual(["second 1"]);
  answers.push(first.submit(101), first.submit(2), second.submit(3));
  gates[0]?.();
  await expect.poll(() => batches[1]).toBe("first 101,2");
  gates[1]?.();
  await expect.poll(() => batches[2]).toBe("second 3");
  gates[2]?.();
  expect(await Promise.all(answers)).toEqual([1, 101, 2, 3]);
});

test("beside a batch of patient items alone another lane opens for one item that is not", async () => {
  const { first, second, batches, gates } = withPatience({ lanes: 2, patienceMs: longPatience });
  const answers = [first.submit(101)];
  await expect.poll(() => batches).toEqual(["first 101"]);
  answers.push(second.submit(102), first.submit(103));
  await sleep(20);
  expect(batches).toEqual(["first 101"]);
  answers.push(second.submit(1));
  await expect.poll(() => batches).toEqual(["first 101", "second 1"]);
  answers.push(first.submit(2));
  gates[0]?.();
  await sleep(20);
  // A lane is free now, but the other one is not in use by patient items alone any more.
  expect(batches).toEqual(["first 101", "second 1"]);
  gates[1]?.();
  await expect.poll(() => batches.slice(2)).toEqual(["first 2"]);
  gates[2]?.();
  await expect.poll(() => batches.length).toBe(4);
  gates[3]?.();
  await expect.poll(() => batches.length).toBe(5);
  gates[4]?.();
  expect(batches.slice(3).toSorted()).toEqual(["first 103", "second 102"]);
  expect(await Promise.all(answers)).toEqual([101, 102, 103, 1, 2]);
});
