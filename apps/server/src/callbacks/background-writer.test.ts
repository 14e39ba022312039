import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createBackgroundWriter } from "./background-writer.ts";
import { callbackLimits } from "./limits.ts";
import { quietLog } from "./room.testing.ts";

function writerThat(gatherMs: number) {
  const statements: number[][] = [];
  const writer = createBackgroundWriter<number>({
    log: quietLog,
    name: "numbers",
    gatherMs,
    insert: async (rows) => {
      statements.push([...rows]);
      return rows.map(() => null);
    },
  });
  return { writer, statements };
}

test("rows that come one after the other gather into one statement, and a stop writes what has gathered", async () => {
  const { writer, statements } = writerThat(60_000);
  for (const row of [1, 2, 3]) {
    writer.write(row);
    await sleep(5);
  }
  expect(statements).toEqual([]);
  await writer.stop();
  expect(statements).toEqual([[1, 2, 3]]);
});

test.each([0, 10])("after %s ms they are written by themselves", async (gatherMs) => {
  const { writer, statements } = writerThat(gatherMs);
  writer.write(1);
  await expect.poll(() => statements).toEqual([[1]]);
  writer.write(2);
  await expect.poll(() => statements).toEqual([[1], [2]]);
  await writer.stop();
});

test("a full statement does not wait", async () => {
  const { writer, statements } = writerThat(60_000);
  const rows = Array.from({ length: callbackLimits.rowsPerWrite }, (_, row) => row);
  for (const row of rows) {
    writer.write(row);
  }
  await expect.poll(() => statements).toEqual([rows]);
  await writer.stop();
});
