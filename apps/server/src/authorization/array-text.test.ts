import { createTestDatabase } from "@cardwright/testing/database";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { nullableTextArray, plainArray, recordArray, separated, separatedArrayOf, textField } from "./array-text.ts";

const database = await createTestDatabase();
afterAll(() => database.drop());

// Postgres cannot store NUL, and UTF-8 has no lone surrogates: neither gets this far (contract section 6).
const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0") && value.isWellFormed());

const difficult = fc.oneof(
  text,
  fc.constantFrom("", "NULL", '"', "\\", ",", "{}", "()", '\\"', " a ", "\u001e", "\u001f"),
);

test("any texts come back from Postgres as they were, empty ones and the word NULL included, and none as none", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(difficult)), async (values) => {
      const { rows } = await database.pool.query<{ back: (string | null)[] }>("SELECT $1::text[] AS back", [
        nullableTextArray(values),
      ]);
      expect(rows[0]?.back).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

test("records come back as they were, whatever the texts in them", async () => {
  await database.ownerPool.query("CREATE TYPE pair AS (before integer, words text, nothing bigint, after boolean)");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ number: fc.integer(), words: difficult })), async (values) => {
      const { rows } = await database.pool.query(
        "SELECT before, words, nothing, after FROM unnest($1::pair[]) WITH ORDINALITY AS u ORDER BY ordinality",
        [recordArray(values.map(({ number, words }) => [number, textField(words), null, true]))],
      );
      expect(rows).toEqual(values.map(({ number, words }) => ({ before: number, words, nothing: null, after: true })));
    }),
    { numRuns: 200 },
  );
});

test("numbers, booleans and UUIDs come back as they were", async () => {
  const { rows } = await database.pool.query(
    "SELECT $1::integer[] AS integers, $2::bigint[] AS bigints, $3::boolean[] AS booleans, $4::uuid[] AS uuids, $5::integer[] AS none",
    [
      plainArray([1, -2, 0]),
      plainArray([9_007_199_254_740_993n, -1n]),
      plainArray([true, false]),
      plainArray(["01a203ac-1680-77ce-83ec-0aefd2d62463"]),
      plainArray([]),
    ],
  );
  expect(rows[0]).toEqual({
    integers: [1, -2, 0],
    bigints: [9_007_199_254_740_993n, -1n],
    booleans: [true, false],
    uuids: ["01a203ac-1680-77ce-83ec-0aefd2d62463"],
    none: [],
  });
});

test("JSON texts come back as they were, whatever the texts in them", async () => {
  const json = fc
    .oneof(text, fc.string({ unit: "binary" }))
    .map((value) => JSON.stringify({ value: value.toWellFormed() }));
  await fc.assert(
    fc.asyncProperty(fc.array(json, { minLength: 1 }), async (values) => {
      const { rows } = await database.pool.query<{ back: string[] }>(`SELECT ${separatedArrayOf("$1::text")} AS back`, [
        separated(values),
      ]);
      expect(rows[0]?.back).toEqual(values);
    }),
    { numRuns: 200 },
  );
});
