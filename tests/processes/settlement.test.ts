import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { run } from "@cardwright/testing/processes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { headerLine, rowLine, trailerLine } from "../../apps/server/src/settlement/index.ts";

/** `npm run settlement -- import`: as an operator types it, killed and typed again. */

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), "cardwright-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.drop();
});

const script = join(import.meta.dirname, "../../scripts/settlement.ts");
const settle = (...words: string[]) => run({ script, words, env: { DATABASE_URL: database.url } });

async function fileOf(fileId: string, rows: number): Promise<string> {
  const path = join(folder, `${fileId}.csv`);
  const lines = Array.from({ length: rows }, (_, index) =>
    rowLine({
      networkReference: `${fileId}-${index}`,
      originalReference: "",
      kind: "clearing",
      lastFour: "4242",
      amount: 100n,
      currency: "USD",
      settledAmount: 100n,
      at: Date.UTC(2026, 4, 22),
    }),
  );
  const header = headerLine({ fileId, network: "testnet", settlementDate: "2026-05-22", rows });
  await writeFile(path, [header, ...lines, trailerLine({ rows, debits: BigInt(rows) * 100n, credits: 0n })].join(""));
  return path;
}

async function recordMessages(prefix: string, rows: number): Promise<void> {
  await database.pool.query(
    `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, card_no, settled_amount, effect, at)
     SELECT 1, $1 || '-' || i, 'clearing', '\\x00', 'C1', 100, 'cleared', 0 FROM generate_series(0, $2::integer - 1) AS i`,
    [prefix, rows],
  );
}

test("a file is imported with exit code 0, and again with the same result", async () => {
  await recordMessages("whole", 3);
  const path = await fileOf("whole", 3);
  const first = await settle("import", path, "--json").ended;
  expect(first).toMatchObject({ code: 0 });
  expect(JSON.parse(first.stdout)).toMatchObject({ ok: true, repeat: false, rows: 3, matched: 3, open_items: 0 });
  const again = await settle("import", path).ended;
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing was changed[\s\S]*matched +3/u) });
});

test("what is refused or rejected ends with exit code 1, and words that cannot be read with 2", async () => {
  const garbage = join(folder, "garbage.csv");
  await writeFile(garbage, "hello\n");
  const refused = await settle("import", garbage, "--json").ended;
  expect(refused).toMatchObject({ code: 1 });
  expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, error: "header_invalid" });
  expect(await settle("import", join(folder, "nothing.csv")).ended).toMatchObject({ code: 1 });
  expect(await settle("export", garbage).ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("import FILE"),
  });
});

test("an import that is killed in the middle is begun anew by the next one, and each row counts once", async () => {
  const rows = 150_000;
  await recordMessages("killed", 1);
  const path = await fileOf("killed", rows);
  const killed = settle("import", path);
  let left = 0;
  for (let looks = 0; looks < 1_500 && left < 10_000; looks += 1) {
    await sleep(20);
    const found = await database.ownerPool.query<{ rows_read: number }>(
      "SELECT rows_read FROM settlement_file WHERE file_id = 'killed'",
    );
    left = found.rows[0]?.rows_read ?? 0;
  }
  killed.kill("SIGKILL");
  expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
  expect(left).toBeGreaterThanOrEqual(10_000);

  const { rows: states } = await database.ownerPool.query("SELECT state FROM settlement_file WHERE file_id = 'killed'");
  expect(states).toEqual([{ state: "importing" }]);
  // It waits until the dead one's lease has run out, so it may be typed at once.
  const again = await settle("import", path, "--json").ended;
  expect(again).toMatchObject({ code: 0 });
  expect(JSON.parse(again.stdout)).toMatchObject({
    state: "imported",
    rows,
    matched: 1,
    only_theirs: rows - 1,
    named_twice: 0,
    open_items: rows - 1,
  });
  const stored = await database.ownerPool.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM settlement_row JOIN settlement_file USING (file_key) WHERE file_id = 'killed'",
  );
  expect(stored.rows[0]?.count).toBe(rows);
}, 240_000);
