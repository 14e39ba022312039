import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { newMasterKey } from "../../apps/server/src/vault/index.ts";
import { enrolMerchant, setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Ended, endAll, freePorts, newSecrets, run, runPlatform, scripts } from "../support/processes.ts";
import { listenForCallbacks, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000 });

const [k1, k2] = [newMasterKey("k1"), newMasterKey("k2")];
const secrets = newSecrets();
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await endAll();
  await db.drop();
});

const keys = (masterKeys: string, words: readonly string[] = [], url = db.url): Promise<Ended> =>
  run({ script: scripts.keys, words, env: { DATABASE_URL: url, VAULT_MASTER_KEYS: masterKeys } }).ended;

const platformEnv = (masterKeys: string) => ({ ...secrets, VAULT_MASTER_KEYS: masterKeys, DATABASE_URL: db.url });

async function stopped(platform: Awaited<ReturnType<typeof runPlatform>>): Promise<void> {
  platform.kill("SIGTERM");
  expect((await platform.ended).code).toBe(0);
}

interface Listed {
  readonly wrapped?: number;
  readonly generation?: number;
  readonly keys: readonly { readonly family: string; readonly generation: number; readonly master_key: string }[];
}

const families = ["client_key", "derivation", "pan", "pin", "secret", "webhook"];

async function listed(masterKeys: string, words: readonly string[] = []): Promise<Listed> {
  const { code, stdout, stderr } = await keys(masterKeys, [...words, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

test("a master key is replaced while everything that it protected stays readable, and the old one is of no use afterwards", async () => {
  const first = await runPlatform(platformEnv(k1));
  const desk = { apiUrl: first.api, adminToken: secrets.ADMIN_TOKEN };
  const programme = { cardBinNo: "", packageNo: "" };
  const { merchantNo } = await enrolMerchant(desk, { name: "Old", mode: "AUTHORIZATION", programme });
  await stopped(first);
  expect((await listed(k1)).keys.map(({ family, master_key: by }) => `${family} ${by}`)).toEqual(
    families.map((family) => `${family} k1`),
  );

  const wrapped = await keys(`${k2},${k1}`, ["wrap"]);
  expect({ code: wrapped.code, stderr: wrapped.stderr }).toEqual({ code: 0, stderr: "" });
  expect(wrapped.stdout).toContain("6 data keys were wrapped anew.");
  expect(wrapped.stdout).toContain("No data key is wrapped by k1 any more");
  expect(await listed(`${k2},${k1}`, ["wrap"])).toMatchObject({ wrapped: 0 });
  expect(new Set((await listed(k2)).keys.map(({ master_key: by }) => by))).toEqual(new Set(["k2"]));

  const refused = await run({
    script: scripts.platform,
    env: { CARDWRIGHT_ENV: "sandbox", ...freePorts, ...platformEnv(k1) },
  }).ended;
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^VAULT_MASTER_KEYS do not open the vault .*"k2".*\n$/u);

  const second = await runPlatform(platformEnv(k2));
  const listener = await listenForCallbacks();
  try {
    await setCallbackUrl({ ...desk, apiUrl: second.api }, { merchantNo, callbackUrl: listener.url });
    const path = `${second.api}/operator/v1/merchants/${merchantNo}/callback-endpoint/test`;
    const answer = await postJson(path, { Authorization: `Bearer ${secrets.ADMIN_TOKEN}` }, {});
    // It is signed with secrets that were stored under the old key.
    expect(answer.json).toMatchObject({ delivered: true });
  } finally {
    await listener.close();
  }
  await stopped(second);
});

test("a new data key is made for one family, beside the older ones", async () => {
  const { generation, keys: all } = await listed(k2, ["renew", "pan"]);
  expect(generation).toBe(2);
  expect(all.filter(({ family }) => family === "pan").map((key) => key.generation)).toEqual([1, 2]);
  expect(all).toHaveLength(families.length + 1);
  const { stdout } = await keys(k2, ["renew", "pin"]);
  expect(stdout).toContain("New records are encrypted by generation 2.");
});

test.each([
  ["without a database", "", k1, "DATABASE_URL must be set, as the platform's processes have it.\n"],
  ["without master keys", "there", "", "VAULT_MASTER_KEYS must be set, as the platform's processes have it.\n"],
  ["with a key that is none", "there", "k1:short", "VAULT_MASTER_KEYS entry 1 must be an id"],
  ["with another key of that name", "there", newMasterKey("k2"), "VAULT_MASTER_KEYS do not open the vault"],
  ["with a key that nothing is wrapped by", "there", newMasterKey("k3"), "VAULT_MASTER_KEYS do not open the vault"],
  ["where nobody listens", "postgres://nobody:hidden@127.0.0.1:1/none", k1, "127.0.0.1:1"],
])("%s it says in one sentence what to do, and changes nothing", async (_case, place, masterKeys, sentence) => {
  const before = await listed(k2);
  const url = place === "there" ? db.url : place;
  const refused = await keys(masterKeys, ["renew", "secret"], url);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(sentence);
  expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(refused.stderr).not.toContain("hidden");
  expect(await listed(k2)).toEqual(before);
});

test("a database without a vault is told apart", async () => {
  const empty = await createTestDatabase({ schema: "empty" });
  const refused = await keys(k2, [], empty.url);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toBe("The database has no vault: no process of Cardwright was ever started on it.\n");
  await empty.drop();
});

test.each([["rotate"], ["renew"], ["renew", "derivation"], ["wrap", "pan"], ["list", "pan"], ["--nothing"]])(
  "words that cannot be read are answered with the help: %s",
  async (...words) => {
    const { code, stdout, stderr } = await keys(k2, words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("npm run keys -- renew FAMILY");
  },
);
