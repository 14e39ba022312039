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

test("the decision without the outbox is the decision but for the two parts that make pushes and queue them", async () => {
  const before = (await definition()).split("\n");
  await removeOutbox(database.ownerPool);
  const after = (await definition()).split("\n");
  const removed = [...before];
  const added: string[] = [];
  for (const line of after) {
    const at = removed.indexOf(line);
    if (at === -1) {
      added.push(line);
    } else {
      removed.splice(at, 1);
    }
  }
  expect(added.map((line) => line.trim())).toEqual([]);
  expect(removed.filter((line) => /\S/u.test(line)).map((line) => line.trim().split(" ")[0])).toEqual([
    "IF",
    "as_sent",
    "pushes",
    "item.at,",
    "ELSE",
    "pushes",
    "left(texts[i],",
    "||",
    "WHEN",
    "ELSE",
    "||",
    "||",
    "item.at,",
    "END",
    "),",
    "INSERT",
    "SELECT",
  ]);
});

const makes =
  "IF result.status = 'Pending' AND NOT result.shown_free THEN\n pushes := a;\n ELSE\n pushes := b || ';';\n END IF;";
const queues =
  "WITH w AS (SELECT 1\n), pushed AS (\n INSERT INTO callback_outbox (a) SELECT ';'\n )\n UPDATE card SET a = 1;";

test("what makes pushes and queues them is read, whatever stands in their texts", () => {
  expect(withoutOutbox(`BEGIN\n ${makes}\n ${queues}\nEND`)).toBe(
    "BEGIN\n WITH w AS (SELECT 1\n)\n UPDATE card SET a = 1;\nEND",
  );
});

test.each([
  ["queues none", `BEGIN\n ${makes}\n UPDATE card SET a = 1;\nEND`],
  ["makes none", `BEGIN\n ${queues}\nEND`],
  ["queues twice", `BEGIN\n ${makes}\n ${queues}\n ${queues}\nEND`],
  ["makes one elsewhere", `BEGIN\n ${makes}\n ${queues}\n x := a::outgoing_callback;\nEND`],
  ["queues one elsewhere", `BEGIN\n ${makes}\n ${queues}\n INSERT INTO callback_outbox (a) VALUES (1);\nEND`],
  [
    "queues one in another statement",
    `BEGIN\n ${makes}\n WITH w AS (INSERT INTO callback_outbox (a) VALUES (1) RETURNING a) SELECT 1;\nEND`,
  ],
])("a function that %s is not measured", (_what, text) => {
  expect(() => withoutOutbox(text)).toThrow(/makes its pushes in another way/u);
});
