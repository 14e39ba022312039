import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeOutbox, withoutOutbox } from "./without-outbox.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const definition = async (): Promise<string> => {
  const { rows } = await database.ownerPool.query<{ text: string }>(
    "SELECT pg_get_functiondef('authorization_decide'::regproc) AS text",
  );
  return rows[0]?.text ?? "";
};

test("the decision without the outbox is the decision but for the one part that queues pushes", async () => {
  const before = (await definition()).split("\n");
  await removeOutbox(database.ownerPool);
  const after = (await definition()).split("\n");
  const from = before.findIndex((line, at) => line !== after[at]);
  const removed = before.slice(from, from + before.length - after.length);
  expect([...before.slice(0, from), ...before.slice(from + removed.length)]).toEqual(after);
  expect(removed.join("\n")).toMatch(/^\s*\), pushed AS \(\s*INSERT INTO callback_outbox \([^;]*$/u);
});

test.each([
  ["no statement that queues pushes", "BEGIN\n  UPDATE card SET a = 1;\nEND"],
  [
    "two of them",
    "BEGIN\n  INSERT INTO callback_outbox (a) VALUES (';');\n  INSERT INTO callback_outbox (a) VALUES (2);\nEND",
  ],
  [
    "one inside a statement of another kind",
    "BEGIN\n  WITH w AS (INSERT INTO callback_outbox (a) VALUES (1) RETURNING a) SELECT 1;\nEND",
  ],
])("a function with %s is not measured", (_what, text) => {
  expect(() => withoutOutbox(text)).toThrow(/inserts callbacks in/u);
});
