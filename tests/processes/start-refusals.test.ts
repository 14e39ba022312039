import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, databaseUrl, type TestDatabase } from "../support/database.ts";
import { startOldPostgres } from "../support/old-postgres.ts";
import { type Ended, endAll, freePort, freePorts, newSecrets, ownData, run, scripts } from "../support/processes.ts";

vi.setConfig({ testTimeout: 60_000 });

let db: TestDatabase;
let env: Record<string, string>;
/** Of a platform of its own; `start` makes up others. */
const own = newSecrets();

beforeAll(async () => {
  db = await createTestDatabase();
  env = { ...(await ownData()).env, DATABASE_URL: db.url };
});

afterAll(async () => {
  await endAll();
  await db.drop();
});

const start = (settings: Readonly<Record<string, string>>): Promise<Ended> =>
  run({ script: scripts.start, env: { ...env, ...settings } }).ended;
const platform = (settings: Readonly<Record<string, string>>): Promise<Ended> =>
  run({
    script: scripts.platform,
    env: { CARDWRIGHT_ENV: "sandbox", LOG_LEVEL: "silent", ...freePorts, ...own, ...settings },
  }).ended;
const verify = (settings: Readonly<Record<string, string>>): Promise<Ended> =>
  run({ script: scripts.verify, env: { ...env, ...settings } }).ended;

/** One sentence on stderr that tells what to mend, and exit code 1. */
function expectSentence(ended: Ended, sentence: RegExp): void {
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr).toMatch(/^[^\n]+\n$/u);
  expect(ended.stderr).not.toMatch(/\bat .*\.ts:\d+|Unexpected|unexpected|correct-horse|wrong-horse/u);
  expect(ended.code).toBe(1);
}

const with_ = (change: (url: URL) => void): string => {
  const url = new URL(db.url);
  change(url);
  return url.href;
};

/** Each with what has to be said about it. */
const brokenDatabases: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
  [
    "nobody listens",
    async () => `postgresql://someone:correct-horse@127.0.0.1:${await freePort()}/cards`,
    /^No Postgres answers at 127\.0\.0\.1:\d+\/cards \(connection refused\)/u,
  ],
  [
    "the password is wrong",
    async () => with_((url) => (url.password = "wrong-horse")),
    /^Postgres at \S+ refused the user name or password in DATABASE_URL/u,
  ],
  [
    "the database does not exist",
    async () => databaseUrl(db.url, "no_such_database"),
    /^The database of \S+\/no_such_database does not exist/u,
  ],
  ["it is no URL", async () => "correct-horse battery staple", /DATABASE_URL/u],
  ["it is the URL of something else", async () => "http://correct-horse@localhost/", /DATABASE_URL/u],
  ["it has no host", async () => "postgresql://", /DATABASE_URL|Postgres/u],
];

test.each(brokenDatabases)("a DATABASE_URL is refused in one sentence when %s", async (_what, urlOf, sentence) => {
  const settings = { DATABASE_URL: await urlOf() };
  const [started, served, verified] = await Promise.all([start(settings), platform(settings), verify(settings)]);
  expectSentence(started, sentence);
  expectSentence(served, sentence);
  // It shows its progress on stderr too.
  expectSentence({ ...verified, stderr: verified.stderr.replaceAll(/^ {2}.*\n/gmu, "") }, sentence);
});

test("a Postgres that is too old is refused in one sentence", async () => {
  const old = await startOldPostgres(13);
  const sentence = /^The database runs Postgres 13; Cardwright needs 15 or newer\.\n$/u;
  expectSentence(await start({ DATABASE_URL: old.url }), sentence);
  expectSentence(await platform({ DATABASE_URL: old.url }), sentence);
  await old.close();
});

test("a database that a newer build has changed is refused in one sentence", async () => {
  const newer = await createTestDatabase();
  await newer.ownerPool.query(
    "INSERT INTO schema_migration (version, name, checksum, applied_at, breaking) VALUES (9001, 'from_the_future', 'x', 0, true)",
  );
  const sentence = /^The database has migration 9001 \(from_the_future\), which this build does not know: /u;
  expectSentence(await start({ DATABASE_URL: newer.url }), sentence);
  expectSentence(await platform({ DATABASE_URL: newer.url }), sentence);
  await newer.drop();
});

test.each(["API_PORT", "NETWORK_PORT", "OPERATIONS_PORT", "KYC_SIMULATOR_PORT", "CREDIT_MERCHANT_PORT"])(
  "a %s in use is told with its number",
  async (name) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = String(typeof address === "object" && address !== null ? address.port : 0);
    expectSentence(
      await start({ [name]: port }),
      new RegExp(`^Port ${port} of 127.0.0.1 is in use by another program`, "u"),
    );
    await new Promise((resolve) => other.close(resolve));
  },
);

test("settings that are wrong are all named in one sentence, without their values", async () => {
  expectSentence(await start({ API_PORT: "99999" }), /^API_PORT must be a port from 0 to 65535, not 99999/u);
  const served = await platform({ ADMIN_TOKEN: "wrong-horse", NETWORK_PORT: "x", DATABASE_URL: "" });
  expectSentence(
    { ...served, stderr: served.stderr.replace(/\n$/u, ".\n") },
    /DATABASE_URL is not set.*NETWORK_PORT.*ADMIN_TOKEN/u,
  );
});

test("keys that do not open what the database holds are told in one sentence", async () => {
  const fresh = await createTestDatabase();
  const settings = { ...own, DATABASE_URL: fresh.url };
  const first = run({ script: scripts.platform, env: { CARDWRIGHT_ENV: "sandbox", ...freePorts, ...settings } });
  await first.said(/"ready"/u);
  first.kill("SIGTERM");
  expect((await first.ended).code).toBe(0);

  const sentence = /^VAULT_MASTER_KEYS do not open the vault of this database /u;
  const { VAULT_MASTER_KEYS } = newSecrets();
  expectSentence(await platform({ ...settings, VAULT_MASTER_KEYS }), sentence);
  expectSentence(await start({ DATABASE_URL: fresh.url }), sentence);
  expectSentence(
    await platform({ ...settings, VAULT_MASTER_KEYS: "correct-horse" }),
    /VAULT_MASTER_KEYS entry 1 must be /u,
  );
  await fresh.drop();
});
