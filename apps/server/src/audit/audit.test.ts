import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "#database/index.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type AuditEntry, appendAudit, changeDetail, verifyAudit } from "./index.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function entry(merchantId: number, detail: AuditEntry["detail"] = { name: "Ada's shop" }): AuditEntry {
  return { merchantId, actor: "operator", requestId: "req-1", action: "merchant.update", subject: "M1", detail, at: 5 };
}

async function append(...entries: AuditEntry[]): Promise<void> {
  await inTransaction(database.pool, async (tx) => {
    for (const each of entries) {
      await appendAudit(tx, each);
    }
  });
}

/** Changes what only the owner of the table can change, verifies, and puts it back. */
async function verifyAfter(change: string, restore: string) {
  await database.ownerPool.query(change);
  const outcome = await verifyAudit(database.pool);
  await database.ownerPool.query(restore);
  return outcome;
}

test("entries that are appended at once by many land in one chain a merchant, and it verifies", async () => {
  await Promise.all(Array.from({ length: 40 }, (_, index) => append(entry(index % 2 === 0 ? 1 : 2))));
  expect(await verifyAudit(database.pool)).toEqual({ ok: true, value: { chains: 2, entries: 40 } });
});

test("an entry goes when the transaction that wrote it goes", async () => {
  const failing = inTransaction(database.pool, async (tx) => {
    await appendAudit(tx, entry(3));
    throw new Error("undone");
  });
  await expect(failing).rejects.toThrow("undone");
  const { rows } = await database.pool.query("SELECT FROM audit_entry WHERE merchant_id = 3");
  expect(rows).toHaveLength(0);
});

test("a changed, a removed, an inserted and a cut-off entry are each found", async () => {
  await append(entry(4), entry(4, { amount: "1.00" }), entry(4, { amount: "2.00" }));
  const { rows } = await database.ownerPool.query<{ hash: Buffer }>(
    "SELECT hash FROM audit_entry WHERE merchant_id = 4 ORDER BY entry_no",
  );
  const second = "WHERE merchant_id = 4 AND entry_no = 2";
  expect(
    await verifyAfter(
      `UPDATE audit_entry SET detail = '{"amount":"9.00"}' ${second}`,
      `UPDATE audit_entry SET detail = '{"amount":"1.00"}' ${second}`,
    ),
  ).toEqual({ ok: false, reason: { merchantId: 4, entryNo: 2n, fault: "changed" } });
  expect(
    await verifyAfter(
      `UPDATE audit_entry SET previous_hash = hash ${second}`,
      `UPDATE audit_entry SET previous_hash = '\\x${rows[0]?.hash.toString("hex")}' ${second}`,
    ),
  ).toEqual({ ok: false, reason: { merchantId: 4, entryNo: 2n, fault: "detached" } });
  expect(
    await verifyAfter(
      "UPDATE audit_head SET entries = 2 WHERE merchant_id = 4",
      "UPDATE audit_head SET entries = 3 WHERE merchant_id = 4",
    ),
  ).toEqual({ ok: false, reason: { merchantId: 4, entryNo: 3n, fault: "head_differs" } });
  expect(
    await verifyAfter(
      `UPDATE audit_entry SET merchant_id = 99 ${second}`,
      "UPDATE audit_entry SET merchant_id = 4 WHERE merchant_id = 99",
    ),
  ).toEqual({ ok: false, reason: { merchantId: 99, entryNo: 2n, fault: "missing" } });
  await database.ownerPool.query("DELETE FROM audit_entry WHERE merchant_id = 4 AND entry_no = 3");
  expect(await verifyAudit(database.pool)).toEqual({
    ok: false,
    reason: { merchantId: 4, entryNo: 3n, fault: "missing" },
  });
});

test("the application's role may neither change nor remove an entry", async () => {
  await append(entry(5));
  await expect(database.pool.query("UPDATE audit_entry SET actor = 'nobody'")).rejects.toMatchObject({ code: "42501" });
  await expect(database.pool.query("DELETE FROM audit_entry")).rejects.toMatchObject({ code: "42501" });
  await expect(database.pool.query("TRUNCATE audit_entry")).rejects.toMatchObject({ code: "42501" });
  await expect(database.pool.query("DELETE FROM audit_head")).rejects.toMatchObject({ code: "42501" });
});

test("a detail that names a secret is refused, at any depth", async () => {
  await expect(append(entry(6, { api_secret: "x" }))).rejects.toThrow("must not hold api_secret");
  await expect(append(entry(6, { after: { cvv: "123" } }))).rejects.toThrow("must not hold cvv");
  const { rows } = await database.pool.query("SELECT FROM audit_entry WHERE merchant_id = 6");
  expect(rows).toHaveLength(0);
});

test("texts of any language and half surrogates keep their hash through the database", async () => {
  await append({ ...entry(7, { name: "蓝色 😀 \ud800" }), actor: "op\udc00", subject: "ß" });
  const { rows } = await database.ownerPool.query<{ detail: string }>(
    "SELECT detail FROM audit_entry WHERE merchant_id = 7",
  );
  expect(rows[0]?.detail).toBe('{"name":"蓝色 😀 \\ud800"}');
  await database.ownerPool.query("DELETE FROM audit_entry WHERE merchant_id = 4");
  await database.ownerPool.query("DELETE FROM audit_head WHERE merchant_id = 4");
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
});

test("canonical JSON does not depend on the order of keys and parses back to the same value", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.string(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), tie("object")),
    object: fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
    ),
  })).object;
  fc.assert(
    fc.property(value, (object) => {
      const detail = JSON.parse(JSON.stringify(object));
      const reversed = Object.fromEntries(Object.entries(detail).toReversed());
      expect(canonicalJson(JSON.parse(JSON.stringify(reversed)))).toBe(canonicalJson(detail));
      expect(JSON.parse(canonicalJson(detail))).toEqual(detail);
    }),
  );
});

test("a number that is not whole is refused, because other languages print it differently", () => {
  expect(() => canonicalJson({ rate: 0.1 })).toThrow(RangeError);
});

test("a change names only the members that differ", () => {
  expect(changeDetail({ before: { a: 1, b: [1], c: "x" }, after: { a: 1, b: [2], c: "x" } })).toEqual({
    before: { b: [1] },
    after: { b: [2] },
  });
  expect(changeDetail({ before: { a: { y: 1, x: 2 } }, after: { a: { x: 2, y: 1 } } })).toBeNull();
});
