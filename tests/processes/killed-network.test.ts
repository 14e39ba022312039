import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  becomes,
  type Ended,
  endAll,
  newSecrets,
  type PlatformProcess,
  portOf,
  run,
  runPlatform,
  scripts,
} from "../support/processes.ts";
import { type CardMerchant, enrolWithCard, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const secrets = newSecrets();
const purchases = 5;

let db: TestDatabase;
let network: PlatformProcess;
let api: PlatformProcess;
let merchant: CardMerchant;

beforeAll(async () => {
  db = await createTestDatabase();
  network = await play({ CARDWRIGHT_ROLE: "network" });
  api = await play({ CARDWRIGHT_ROLE: "api", NETWORK_PORT: portOf(network.network) });
  await play({ CARDWRIGHT_ROLE: "worker", KYC_SIMULATOR_PORT: portOf(api.kycSimulator) });
  const desk = { apiUrl: api.api, adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: api.kycSimulator, mode: "AUTHORIZATION" });
});

afterAll(async () => {
  await merchant.close();
  await endAll();
  await db.drop();
});

const play = (env: Readonly<Record<string, string>>): Promise<PlatformProcess> =>
  runPlatform({ ...secrets, DATABASE_URL: db.url, ...env });

const verify = (...words: string[]): Promise<Ended> =>
  run({ script: scripts.verify, words, env: { DATABASE_URL: db.url } }).ended;

/** Available and held of the merchant's reserve, minor units. */
async function reserve(): Promise<readonly [available: bigint, held: bigint]> {
  const { rows } = await db.pool.query<{ available: bigint; held: bigint }>(
    "SELECT available, held FROM ledger.account WHERE kind = 'reserve'",
  );
  return [rows[0]?.available ?? 0n, rows[0]?.held ?? 0n];
}

test("purchases whose process was killed while it asked give their money back, and the merchant is told", async () => {
  const before = await reserve();
  const questions = () => merchant.listener.callbacks().filter(({ action }) => action === "Auth");
  // Killed the moment the last question is with the merchant: 800 ms later the process would have decided by itself.
  merchant.listener.answerAfterMs = () => {
    if (questions().length === purchases) network.kill("SIGKILL");
    return null;
  };
  const buying = Array.from({ length: purchases }, (_, index) =>
    merchant.buy("10.00", { networkReference: `orphan-${index}` }),
  );
  await network.ended;
  // 10.00 and 1 % of the BIN's cost.
  expect(await reserve()).toEqual([before[0] - 5_050n, before[1] + 5_050n]);
  expect((await Promise.all(buying)).map(({ status }) => status)).toEqual(Array(purchases).fill(503));
  network = await play({ CARDWRIGHT_ROLE: "network", NETWORK_PORT: portOf(network.network) });
  merchant.listener.answerAfterMs = () => 0;

  const headers = { "Api-Key": merchant.account.apiKey };
  const moved = await postJson(`${api.api}/sandbox/v1/clock`, headers, { advance: "PT31S" });
  expect(moved.status).toBe(200);
  const numbers = questions().map(({ data }) => String(data["consume_no"]));
  await becomes("the merchant is told that each has failed", () =>
    numbers.every((consumeNo) => merchant.listener.told(consumeNo).length > 0),
  );
  expect(numbers.map((consumeNo) => merchant.listener.told(consumeNo))).toEqual(
    numbers.map(() => ["Fail system_error"]),
  );
  expect(await reserve()).toEqual(before);

  // The network's repeat of such a message gets the same answer, and asks nobody.
  const repeated = await merchant.buy("10.00", { networkReference: "orphan-0" });
  expect(repeated).toMatchObject({ status: 200, approved: false, reason: "system_error" });
  expect(numbers).toContain(repeated.consumeNo);
  expect(questions()).toHaveLength(purchases);
  expect(await merchant.buy("10.00")).toMatchObject({ status: 200, approved: true });
});

test("verify finds the books clean after it, and its digest is of the history alone", async () => {
  const first = await verify();
  expect(first.stdout).toMatch(
    /^clean: \d+ accounts, \d+ transactions, \d+ postings, 1 open holds, digest [0-9a-f]{64}\n$/u,
  );
  expect(first.code).toBe(0);
  expect((await verify()).stdout).toBe(first.stdout);
});

test("verify shows a balance that somebody has changed, and fails", async () => {
  const tampered = await db.ownerPool.query<{ account_id: string }>(
    "UPDATE ledger.account SET available = available + 1 WHERE kind = 'reserve' RETURNING account_id",
  );
  const accountId = tampered.rows[0]?.account_id ?? "none";
  const broken = await verify();
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain("BROKEN: a balance is the fold of its postings\n");
  expect(broken.stdout).toContain("BROKEN: balances sum to zero per currency\n");
  expect(broken.stdout).toContain(accountId);
  expect(broken.stdout).toMatch(/\nBROKEN: .* digest [0-9a-f]{64}\n$/u);

  const report = await verify("--json");
  expect(report.code).toBe(1);
  expect(JSON.parse(report.stdout)).toMatchObject({ ok: false, audit: { ok: true } });

  await db.ownerPool.query("UPDATE ledger.account SET available = available - 1 WHERE account_id = $1", [accountId]);
  expect((await verify()).code).toBe(0);
});
