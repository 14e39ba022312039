import { readFile } from "node:fs/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createSettlement, type ImportProgress, type Settlement } from "./index.ts";
import { by, everyItem, fileOf, imported, noon, recordMessages, row, sourceOf } from "./settlement.testing.ts";

/** Files that come in wrong, twice, at once, or not to their end. */

let database: TestDatabase;
let settlement: Settlement;

beforeAll(async () => {
  database = await createTestDatabase();
  settlement = createSettlement({ pool: database.pool, clock: { now: () => noon } });
});
afterAll(() => database.drop());

/** After every test: a file that does not count has no rows, one that counts has as many as it says, and none is left half done. */
afterEach(async () => {
  const { rows } = await database.ownerPool.query(
    `SELECT f.file_key, f.state, f.rows_read, count(r.*)::integer AS stored FROM settlement_file f LEFT JOIN settlement_row r USING (file_key)
     GROUP BY f.file_key HAVING count(r.*) <> CASE WHEN f.state = 'imported' THEN f.rows_read ELSE 0 END`,
  );
  if (rows.length > 0) throw new Error(`rows that do not agree with their files: ${JSON.stringify(rows)}`);
});

const rowsOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => row({ networkReference: `${prefix}-${index}` }));
const record = (prefix: string, count: number) =>
  recordMessages(
    database,
    rowsOf(prefix, count).map(({ networkReference }) => ({ networkReference })),
  );
const filesNow = () => settlement.listFiles({ settlementDate: null, state: null, page: 0, size: 100 });
const itemsOfFile = (fileKey: number) => settlement.listItems({ ...everyItem, fileKey });

test("importing a file twice changes nothing and answers the same", async () => {
  await record("twice", 3);
  const file = fileOf([...rowsOf("twice", 3), row({ networkReference: "twice-unknown" })]);
  const first = await imported(settlement, file);
  const second = await imported(settlement, file);
  expect(first.repeat).toBe(false);
  expect(second).toEqual({ file: first.file, repeat: true });
  expect(await itemsOfFile(first.file.fileKey)).toHaveLength(1);
  const { rows } = await database.ownerPool.query("SELECT 1 FROM audit_entry WHERE subject = $1", [
    String(first.file.fileKey),
  ]);
  expect(rows).toHaveLength(1);
});

test("a file with the id of another and other content is refused, and the first one stays as it is", async () => {
  const first = await imported(settlement, fileOf(rowsOf("reused", 1), { fileId: "reused" }));
  for (const other of [
    fileOf(rowsOf("reused-other", 1), { fileId: "reused" }),
    fileOf(rowsOf("reused", 1), { fileId: "reused" }).slice(0, -10),
  ]) {
    expect(await settlement.importFile(sourceOf(other), { by })).toEqual({
      ok: false,
      reason: { kind: "file_id_reused" },
    });
  }
  expect(await settlement.findFile(first.file.fileKey)).toEqual(first.file);
});

test("of two imports of one file at once one takes it in, and both answer it", async () => {
  await record("at-once", 7_000);
  const file = fileOf(rowsOf("at-once", 7_000));
  const answers = await Promise.all([imported(settlement, file), imported(settlement, file)]);
  expect(answers.filter(({ repeat }) => repeat)).toHaveLength(1);
  expect(answers[0].file).toEqual(answers[1].file);
  expect(answers[0].file).toMatchObject({ state: "imported", matched: 7_000, onlyTheirs: 0, namedTwice: 0 });
});

test.each([
  ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
  ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ["no end of the last line", (text: string) => text.trimEnd()],
  ["empty lines at the end", (text: string) => `${text}\n\r\n`],
])("a file with %s is read like any other", async (name, change) => {
  const prefix = `form-${name.replaceAll(" ", "-")}`;
  await record(prefix, 3);
  const { file } = await imported(settlement, change(fileOf(rowsOf(prefix, 3))));
  expect(file).toMatchObject({ state: "imported", matched: 3, malformed: 0 });
});

const good = "D,m-good,auth,clearing,4242,10.00,USD,10.00,2026-05-22T12:00:00.000Z";

/** The file of one good row and one wrong one, which the trailer counts. */
function fileWith(line: string, trailer: { readonly debits: string; readonly credits?: string; readonly net: string }) {
  const text = fileOf([row({ networkReference: "x" }), row({ networkReference: "y" })]).split("\n");
  const { debits, credits = "0.00", net } = trailer;
  return `${[text[0], good, line, `T,2,${debits},${credits},${net}`].join("\n")}\n`;
}

const both = { debits: "20.00", net: "20.00" };

test.each([
  ["too many decimals for USD", good.replace("USD,10.00", "USD,10.001"), "settled_amount"],
  ["decimals of a currency without", good.replace("10.00,USD", "1000.5,JPY"), "amount"],
  ["an amount with an exponent", good.replace("10.00,USD", "1e3,USD"), "amount"],
  ["a negative amount", good.replace("10.00,USD", "-10.00,USD"), "amount"],
  ["an amount beyond all bounds", good.replace("USD,10.00", "USD,99999999999999999.00"), "settled_amount"],
  ["an unknown currency", good.replace("USD", "XXX"), "currency"],
  ["an unknown kind", good.replace("clearing", "chargeback"), "kind"],
  ["five last digits", good.replace("4242", "42424"), "last_four"],
  ["no reference", good.replace("m-good", ""), "network_reference"],
  ["a reference with a quote", good.replace("m-good", 'm"good'), "network_reference"],
  ["a reference that is not ASCII", good.replace("m-good", "m-göod"), "network_reference"],
  ["a broken original reference", good.replace("auth", "au th"), "original_reference"],
  ["a day that does not exist", good.replace("05-22T", "13-42T"), "time"],
  ["a time without a zone", good.replace("000Z", "000"), "time"],
  ["a field too many", `${good},`, "not_a_row"],
  ["a field too few", good.slice(0, good.lastIndexOf(",")), "not_a_row"],
  ["nothing in it", "", "not_a_row"],
  ["another record", good.replace("D,", "X,"), "not_a_row"],
  ["NUL bytes", good.replace("auth", "\0\0"), "original_reference"],
  ["a million characters", "D,".repeat(500_000), "line_too_long"],
])("a row with %s is kept as an item with its line and the field", async (_name, line, reason) => {
  const { file } = await imported(settlement, fileWith(line, both));
  expect(file).toMatchObject({ state: "imported", rowsRead: 1, malformed: 1, openItems: 2 });
  const items = await itemsOfFile(file.fileKey);
  expect(items.filter(({ kind }) => kind === "malformed")).toEqual([
    expect.objectContaining({ lineNo: 3, reason, state: "open", settlementDate: file.settlementDate }),
  ]);
});

test("what a row without a readable amount is worth is told by the trailer", async () => {
  const broken = good.replace("USD,10.00", "USD,ten").replace("m-good", "m-ten");
  const { file } = await imported(settlement, fileWith(broken, { debits: "10.00", credits: "-7.50", net: "2.50" }));
  expect(file).toMatchObject({ state: "imported", malformed: 1, unreadAmount: -750n });
  const [item] = await settlement.listItems({ ...everyItem, fileKey: file.fileKey, kind: "malformed" });
  expect(item).toMatchObject({ networkReference: "m-ten", theirAmount: null });
});

test("only the first 1,000 malformed rows become items, and all are counted", async () => {
  const [header = ""] = fileOf(rowsOf("many", 1_500)).split("\n");
  const { file } = await imported(settlement, `${header}\n${"garbage\n".repeat(1_500)}T,1500,0.00,0.00,0.00\n`);
  expect(file).toMatchObject({ state: "imported", malformed: 1_500, openItems: 1_000 });
});

const right = fileOf(rowsOf("wrong", 3));
const trailerAt = right.lastIndexOf("T,");

test.each<[reason: string, text: string]>([
  ["trailer_missing", right.slice(0, trailerAt)],
  ["trailer_invalid", `${right.slice(0, trailerAt)}T,three,30.00,0.00,30.00\n`],
  ["trailer_invalid", `${right.slice(0, trailerAt)}T,3,30.00,0.00,29.00\n`],
  ["rows_differ", `${right.slice(0, trailerAt)}T,4,30.00,0.00,30.00\n`],
  ["rows_differ", right.replace("USD,3\n", "USD,2\n")],
  ["sums_differ", `${right.slice(0, trailerAt)}T,3,30.01,0.00,30.01\n`],
  ["sums_differ", `${right.slice(0, trailerAt)}T,3,40.00,-10.00,30.00\n`],
  ["more_after_trailer", `${right}D,one-more\n`],
])("a file that ends with %s is rejected as a whole, and nothing of it counts", async (reason, text) => {
  const first = await imported(settlement, text);
  expect(first.file).toMatchObject({ state: "rejected", reason, matched: 0, onlyTheirs: 0, openItems: 0 });
  const again = await imported(settlement, text);
  expect(again).toEqual({ file: first.file, repeat: true });
  expect(await settlement.listItems({ ...everyItem, networkReference: "wrong-0" })).toEqual([]);
});

test("a rejected file does not keep its id from the right one", async () => {
  const { file } = await imported(settlement, right);
  expect(file).toMatchObject({ state: "imported", onlyTheirs: 3 });
});

test("what is no settlement file is refused with a sentence, and not written down", async () => {
  const before = await filesNow();
  const header = right.split("\n")[0] ?? "";
  for (const text of [
    "",
    "\n",
    "<html></html>\n",
    "x".repeat(5_000_000),
    "\0".repeat(100),
    header.replace("USD", "EUR"),
    header.replace("2026-05-22", "2026-02-30"),
    header.replace("USD,3", "USD,5000001"),
    header.replace("USD,3", "USD,-1"),
    `${header},`,
    right.slice(right.indexOf("\n") + 1),
  ]) {
    expect(await settlement.importFile(sourceOf(text), { by })).toMatchObject({
      ok: false,
      reason: { kind: "header_invalid", message: expect.stringMatching(/^the (?:first|header|file)/u) },
    });
  }
  expect(await filesNow()).toEqual(before);
});

test("a file cut off at any byte is never taken for a whole one", async () => {
  const text = fileOf([row({ networkReference: "cut-0" }), row({ networkReference: "cut-1", settledAmount: -5n })]);
  // Without the last line's end it is whole.
  for (let bytes = 0; bytes < text.length - 1; bytes += 3) {
    const answer = await settlement.importFile(sourceOf(text.slice(0, bytes), 64), { by });
    expect(answer.ok ? answer.value.file.state : answer.reason.kind).toMatch(/^(?:rejected|header_invalid)$/u);
  }
  expect((await imported(settlement, text)).file.state).toBe("imported");
});

test("the example of the reference page is a right file", async () => {
  const page = await readFile(new URL("../../../../docs/reference/settlement-file.md", import.meta.url), "utf8");
  const [, example = ""] = /^```\n(H,[\s\S]*?)^```$/mu.exec(page) ?? [];
  const { file } = await imported(settlement, example);
  expect(file).toMatchObject({ state: "imported", rowsRead: 3, malformed: 0, debits: 2_210n, credits: -1_250n });
});

const nothing = {
  matched: 0,
  amountDiffers: 0,
  onlyTheirs: 0,
  namedTwice: 0,
  rowsRead: 0,
  malformed: 0,
  rowsExpected: 0,
};

test("garbled files neither throw nor count more than they hold", async () => {
  const base = Buffer.from(fileOf(rowsOf("fuzz", 8)));
  const damage = fc.record({ at: fc.nat(base.length - 1), bytes: fc.uint8Array({ maxLength: 12 }), cut: fc.nat(12) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 300 }),
      async (hits, size) => {
        let bytes = base;
        for (const { at, bytes: added, cut } of hits) {
          bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + cut)]);
        }
        const answer = await settlement.importFile(sourceOf(bytes, size), { by });
        expect(answer.ok ? "" : answer.reason.kind).toMatch(/^(?:|header_invalid|file_id_reused)$/u);
        const file = answer.ok ? answer.value.file : { ...nothing, state: "rejected" };
        const { matched, amountDiffers, onlyTheirs, namedTwice, rowsRead, malformed, rowsExpected } = file;
        const compared = matched + amountDiffers + onlyTheirs + namedTwice;
        expect([compared, rowsExpected]).toEqual(
          file.state === "imported" ? [rowsRead, rowsRead + malformed] : [0, rowsExpected],
        );
      },
    ),
    { numRuns: 150 },
  );
});

/** The source breaks after so many bytes, as a connection does. */
async function* brokenAfter(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  yield* sourceOf(text.slice(0, bytes), 65_536);
  throw new Error("the connection broke");
}

test("an import that breaks off leaves the file importing, and the next one begins anew, also with other content", async () => {
  await record("broken", 12_000);
  const text = fileOf(rowsOf("broken", 12_000), { fileId: "broken" });
  const longer = fileOf(rowsOf("broken", 12_001), { fileId: "broken" });
  await expect(settlement.importFile(brokenAfter(longer, longer.length - 100), { by })).rejects.toThrow("broke");
  const [left] = await filesNow();
  expect(left).toMatchObject({ fileId: "broken", state: "importing", brokenOff: true, sha256: "" });
  expect(left?.rowsRead).toBeGreaterThan(0);

  const { file, repeat } = await imported(settlement, text);
  expect(repeat).toBe(false);
  expect(file).toMatchObject({ fileKey: left?.fileKey, state: "imported", matched: 12_000, namedTwice: 0 });
});

test("an import that was silent for too long loses its file to the next one, and adds nothing to it", async () => {
  await record("silent", 12_000);
  const text = fileOf(rowsOf("silent", 12_000));
  let goOn = (): void => {};
  const silence = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* stalling(): AsyncGenerator<Uint8Array> {
    const half = text.length / 2;
    yield* sourceOf(text.slice(0, half), 65_536);
    await silence;
    yield* sourceOf(text.slice(half), 65_536);
  }
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const lost = settlement.importFile(stalling(), {
    by,
    leaseMs: 1,
    onProgress: ({ step }) => {
      if (step === "reading") begin();
    },
  });
  await begun;
  const { file } = await imported(settlement, text);
  goOn();
  expect(await lost).toEqual({ ok: false, reason: { kind: "import_taken_over" } });
  expect(await settlement.findFile(file.fileKey)).toEqual(file);
  expect(file).toMatchObject({ state: "imported", matched: 12_000 });
});

test("a file whose importer died while it was compared is ended by the worker, each row once", async () => {
  await record("died", 45_000);
  const text = fileOf([...rowsOf("died", 45_000), row({ networkReference: "died-unknown" })]);
  const dying = settlement.importFile(sourceOf(text, 65_536), {
    by,
    onProgress: ({ step }) => {
      if (step === "matching") throw new Error("killed");
    },
  });
  await expect(dying).rejects.toThrow("killed");
  const [left] = await filesNow();
  expect(left).toMatchObject({
    state: "matching",
    matched: 20_000 - 1,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/u),
  });
  // Two workers at once: each piece is done by one of them.
  await Promise.all([settlement.advance(), settlement.advance()]);
  const again = await imported(settlement, text);
  expect(again).toMatchObject({
    repeat: true,
    file: { state: "imported", matched: 45_000, onlyTheirs: 1, openItems: 1 },
  });
});

test("progress is told from the first row to the last", async () => {
  const told: ImportProgress[] = [];
  await settlement.importFile(sourceOf(fileOf(rowsOf("told", 11_000)), 65_536), {
    by,
    onProgress: (progress) => void told.push(progress),
  });
  const reading = told.filter(({ step }) => step === "reading").map(({ rows }) => rows);
  expect(reading.length).toBeGreaterThanOrEqual(3);
  expect(reading.at(-1)).toBe(11_000);
  expect(told.filter(({ step }) => step === "matching").at(-1)).toEqual({ step: "matching", rows: 11_002, of: 11_002 });
});
