import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import { createSettlement, type Settlement } from "./index.ts";
import { by, dateOf, dayMs, everyItem, fileOf, imported, noon, recordMessages, row } from "./settlement.testing.ts";

/** What matching finds, and what becomes of differences. Each test has references and days of its own. */

let database: TestDatabase;
let settlement: Settlement;
let now = noon + dayMs;

beforeAll(async () => {
  database = await createTestDatabase();
  settlement = createSettlement({ pool: database.pool, clock: { now: () => now } });
});
afterAll(() => database.drop());

const itemsOf = (networkReference: string) => settlement.listItems({ ...everyItem, networkReference });

async function onlyItem(networkReference: string) {
  const [item, ...more] = await itemsOf(networkReference);
  if (item === undefined || more.length > 0) {
    throw new Error(`${networkReference} has ${more.length + (item === undefined ? 0 : 1)} items`);
  }
  return item;
}

test("a row is matched, differs in its amount, or is only theirs; the refund's sign counts", async () => {
  await recordMessages(database, [
    { networkReference: "a-same" },
    { networkReference: "a-differs", settledAmount: 999n },
    { networkReference: "a-refund", settledAmount: -500n },
    { networkReference: "a-sign", settledAmount: 700n },
  ]);
  const { file, repeat } = await imported(
    settlement,
    fileOf([
      row({ networkReference: "a-same" }),
      row({ networkReference: "a-differs" }),
      row({ networkReference: "a-refund", kind: "refund", settledAmount: -500n }),
      row({ networkReference: "a-sign", kind: "refund", settledAmount: -700n }),
      row({ networkReference: "a-unknown", settledAmount: 12_345n }),
    ]),
  );
  expect(repeat).toBe(false);
  expect(file).toMatchObject({
    state: "imported",
    rowsRead: 5,
    malformed: 0,
    matched: 2,
    amountDiffers: 2,
    onlyTheirs: 1,
    namedTwice: 0,
    openItems: 3,
    debits: 14_345n,
    credits: -1_200n,
    begunBy: "operator",
  });
  expect(await onlyItem("a-differs")).toMatchObject({
    kind: "amount_differs",
    state: "open",
    lineNo: 3,
    merchantId: 1,
    consumeNo: "O-a-differs",
    theirAmount: 1_000n,
    ourAmount: 999n,
  });
  expect(await onlyItem("a-unknown")).toMatchObject({ kind: "only_theirs", merchantId: null, theirAmount: 12_345n });
  expect(await itemsOf("a-same")).toEqual([]);
});

test("a reference of two merchants is matched with the message that has the row's amount", async () => {
  await recordMessages(database, [
    { networkReference: "b-shared", merchantId: 1, settledAmount: 1n },
    { networkReference: "b-shared", merchantId: 2 },
  ]);
  const { file } = await imported(settlement, fileOf([row({ networkReference: "b-shared" })]));
  expect(file).toMatchObject({ matched: 1, amountDiffers: 0 });
});

test("what is named a second time, in the same file or a later one, is an item and never matched twice", async () => {
  await recordMessages(database, [{ networkReference: "c-twice" }, { networkReference: "c-again" }]);
  const twice = await imported(
    settlement,
    fileOf([
      row({ networkReference: "c-twice" }),
      row({ networkReference: "c-again" }),
      row({ networkReference: "c-twice" }),
    ]),
  );
  expect(twice.file).toMatchObject({ matched: 2, namedTwice: 1 });
  const later = await imported(settlement, fileOf([row({ networkReference: "c-again" })]));
  expect(later.file).toMatchObject({ matched: 0, namedTwice: 1 });
  const item = await onlyItem("c-again");
  expect(item).toMatchObject({ kind: "named_twice", fileKey: later.file.fileKey, lineNo: 2 });
  const found = await settlement.findItem(item.itemId);
  expect(found?.namings.map(({ fileKey, lineNo }) => [fileKey, lineNo])).toEqual([
    [twice.file.fileKey, 3],
    [later.file.fileKey, 2],
  ]);
});

test("a message that no file has named is only ours once a later day's file has come, and not before", async () => {
  const day = noon + 30 * dayMs;
  await recordMessages(database, [
    { networkReference: "d-named", at: day },
    { networkReference: "d-late", at: day },
    { networkReference: "d-never", at: day, settledAmount: -250n },
    { networkReference: "d-nothing", at: day, settledAmount: 0n },
    { networkReference: "d-next-day", at: day + dayMs },
  ]);
  const first = await imported(
    settlement,
    fileOf([row({ networkReference: "d-named" })], { settlementDate: dateOf(day) }),
  );
  expect(first.file.onlyOurs).toBeNull();
  expect(await itemsOf("d-never")).toEqual([]);

  // Named in the file of the day after: its message came just before our midnight and after theirs.
  await imported(settlement, fileOf([row({ networkReference: "d-late" })], { settlementDate: dateOf(day + dayMs) }));
  expect(await settlement.findFile(first.file.fileKey)).toMatchObject({ onlyOurs: 1 });
  expect(await onlyItem("d-never")).toMatchObject({
    kind: "only_ours",
    settlementDate: dateOf(day),
    fileKey: null,
    merchantId: 1,
    ourAmount: -250n,
    theirAmount: null,
  });
  for (const reference of ["d-named", "d-late", "d-nothing", "d-next-day"]) {
    expect(await itemsOf(reference)).toEqual([]);
  }
});

test("a day without a file of its own is decided with its neighbours, and a gap of more than a week is not", async () => {
  const friday = noon + 60 * dayMs;
  const [saturday, monday, muchLater] = [friday + dayMs, friday + 3 * dayMs, friday + 20 * dayMs];
  await recordMessages(database, [
    { networkReference: "e-saturday", at: saturday },
    { networkReference: "e-in-the-gap", at: monday + dayMs },
  ]);
  for (const day of [friday, monday, muchLater]) {
    await imported(settlement, fileOf([], { settlementDate: dateOf(day) }));
  }
  expect(await onlyItem("e-saturday")).toMatchObject({ kind: "only_ours", settlementDate: dateOf(saturday) });
  expect(await itemsOf("e-in-the-gap")).toEqual([]);
});

test("an open only-ours item settles itself when a later file names it, and a resolved one is opened again", async () => {
  const day = noon + 90 * dayMs;
  await recordMessages(database, [
    { networkReference: "f-open", at: day },
    { networkReference: "f-decided", at: day },
  ]);
  const emptyDay = (offset: number) => fileOf([], { settlementDate: dateOf(day + offset * dayMs) });
  await imported(settlement, emptyDay(0));
  await imported(settlement, emptyDay(1));
  const decided = await onlyItem("f-decided");
  const note = "two weeks old";
  const resolved = await settlement.resolve({ itemId: decided.itemId, resolution: "written_off", note }, by);
  expect(resolved).toMatchObject({ ok: true, value: { state: "resolved" } });

  const names = [row({ networkReference: "f-open" }), row({ networkReference: "f-decided" })];
  const later = await imported(settlement, fileOf(names, { settlementDate: dateOf(day + 2 * dayMs) }));
  expect(later.file).toMatchObject({ matched: 2 });
  expect(await onlyItem("f-open")).toMatchObject({ state: "resolved", resolution: "named_later", resolvedBy: "" });
  expect(await onlyItem("f-decided")).toMatchObject({
    state: "open",
    resolution: "written_off",
    note,
    reopened: 1,
    reopenedByFile: later.file.fileKey,
  });
});

test("a row whose message comes later settles itself, or becomes a difference of amounts", async () => {
  await imported(settlement, fileOf([row({ networkReference: "g-same" }), row({ networkReference: "g-other" })]));
  await recordMessages(database, [
    { networkReference: "g-same", merchantId: 3 },
    { networkReference: "g-other", merchantId: 3, settledAmount: 1n },
  ]);
  expect(await settlement.advance()).toBe(2);
  expect(await onlyItem("g-same")).toMatchObject({ state: "resolved", resolution: "message_came", merchantId: 3 });
  expect(await onlyItem("g-other")).toMatchObject({ kind: "amount_differs", state: "open", ourAmount: 1n });
  expect(await settlement.advance()).toBe(0);
});

test("a decision is written down once, with who and why, and another one of the same item is refused", async () => {
  await imported(settlement, fileOf([row({ networkReference: "h-item" })]));
  const { itemId } = await onlyItem("h-item");
  now += 1_000;
  const decision = { itemId, resolution: "accept_theirs", note: "confirmed by telephone" } as const;
  const answers = await Promise.all([settlement.resolve(decision, by), settlement.resolve(decision, by)]);
  expect(answers[0]).toEqual(answers[1]);
  expect(await onlyItem("h-item")).toMatchObject({
    state: "resolved",
    resolution: "accept_theirs",
    note: "confirmed by telephone",
    resolvedBy: "operator",
    resolvedAt: now,
  });
  expect(await settlement.resolve({ ...decision, resolution: "keep_ours" }, by)).toEqual({
    ok: false,
    reason: "settlement_item_resolved",
  });
  const unknown = "00000000-0000-4000-8000-000000000000";
  expect(await settlement.resolve({ ...decision, itemId: unknown }, by)).toMatchObject({
    reason: "settlement_item_unknown",
  });
  for (const note of ["", " ", "two\nlines", "x".repeat(501)]) {
    expect(await settlement.resolve({ ...decision, note }, by)).toMatchObject({ reason: "note_invalid" });
  }
  const { rows } = await database.ownerPool.query(
    "SELECT merchant_id, actor, detail FROM audit_entry WHERE action = 'settlement.resolve' AND subject = $1",
    [itemId],
  );
  expect(rows).toHaveLength(1);
  expect(await verifyAudit(database.ownerPool)).toMatchObject({ ok: true });
});

test("items are found by state, kind, file, day and merchant, newest first, page by page", async () => {
  const day = dateOf(noon + 200 * dayMs);
  const names = Array.from({ length: 5 }, (_, index) => row({ networkReference: `i-${index}` }));
  const { file } = await imported(settlement, fileOf(names, { settlementDate: day }));
  const of = { ...everyItem, fileKey: file.fileKey };
  const all = await settlement.listItems(of);
  const pages = await Promise.all([0, 1, 2].map((page) => settlement.listItems({ ...of, page, size: 2 })));
  expect(pages.flat()).toEqual(all);
  expect(all).toHaveLength(5);
  expect(await settlement.listItems({ ...of, state: "resolved" })).toEqual([]);
  expect(await settlement.listItems({ ...of, kind: "only_theirs", settlementDate: day })).toHaveLength(5);
  expect(await settlement.listItems({ ...of, merchantId: 1 })).toEqual([]);
});
