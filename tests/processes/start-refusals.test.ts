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

/** What a person is told when it is one sentence, with exit code 1 and without a stack or a password. */
function sentenceOf({ code, stderr }: Ended): string {
  const isOneLine = /^[^\n]+\n$/u.test(stderr);
  const isForPeople = !/\bat .*\.ts:\d+|unexpected:|correct-horse|wrong-horse/iu.test(stderr);
  return isOneLine && isForPeople && code === 1 ? stderr.trimEnd() : `exit code ${code} and no sentence: ${stderr}`;
}

const changed = (change: (url: URL) => void): string => {
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
    async () => changed((url) => (url.password = "wrong-horse")),
    /^Postgres at \S+ refused the user name or password in DATABASE_URL/u,
  ],
  [
    "the database does not exist",
    async () => databaseUrl(db.url, "no_such_database"),
    /^The database of \S+\/no_such_database does not exist/u,
  ],
  ["it is no URL", async () => "correct-horse battery staple", /^DATABASE_URL is not a URL of the form /u],
  [
    "it is the URL of something else",
    async () => "http://correct-horse@localhost/",
    /^DATABASE_URL is not a URL of the form /u,
  ],
];

test.each(brokenDatabases)("a DATABASE_URL is refused in one sentence when %s", async (_what, urlOf, sentence) => {
  const settings = { DATABASE_URL: await urlOf() };
  const [started, verified] = await Promise.all([start(settings), verify(settings)]);
  expect(sentenceOf(started)).toMatch(sentence);
  // It shows its progress on stderr too.
  const stderr = verified.stderr.replaceAll(/^ {2}.*\n/gmu, "");
  expect(sentenceOf({ ...verified, stderr })).toMatch(sentence);
});

test("a Postgres that is too old is refused in one sentence", async () => {
  const old = await startOldPostgres(13);
  const sentence = "The database runs Postgres 13; Cardwright needs 15 or newer.";
  expect(sentenceOf(await start({ DATABASE_URL: old.url }))).toBe(sentence);
  expect(sentenceOf(await platform({ DATABASE_URL: old.url }))).toBe(sentence);
  await old.close();
});

test("a database that a newer build has changed is refused in one sentence", async () => {
  const newer = await createTestDatabase();
  await newer.ownerPool.query(
    "INSERT INTO schema_migration (version, name, checksum, applied_at, breaking) VALUES (9001, 'from_the_future', 'x', 0, true)",
  );
  const sentence = /^The database has migration 9001 \(from_the_future\), which this build does not know: /u;
  expect(sentenceOf(await start({ DATABASE_URL: newer.url }))).toMatch(sentence);
  expect(sentenceOf(await platform({ DATABASE_URL: newer.url }))).toMatch(sentence);
  await newer.drop();
});

test.each(["API_PORT", "NETWORK_PORT", "OPERATIONS_PORT", "KYC_SIMULATOR_PORT", "CREDIT_MERCHANT_PORT"])(
  "%s in use is told with its number",
  async (name) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = String(typeof address === "object" && address !== null ? address.port : 0);
    const sentence = `Port ${port} of 127.0.0.1 is in use by another program: stop that, or choose another port.`;
    expect(sentenceOf(await start({ [name]: port }))).toBe(sentence);
    await new Promise((resolve) => other.close(resolve));
  },
);

test("settings that are wrong are all named in one sentence, without their values", async () => {
  expect(sentenceOf(await start({ API_PORT: "99999" }))).toMatch(
    /^API_PORT must be a port from 0 to 65535, not 99999/u,
  );
  const served = await platform({ ADMIN_TOKEN: "wrong-horse", NETWORK_PORT: "x", DATABASE_URL: "" });
  expect(sentenceOf(served)).toMatch(/^the settings .*DATABASE_URL is not set.*NETWORK_PORT.*ADMIN_TOKEN/u);
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
  expect(sentenceOf(await platform({ ...settings, VAULT_MASTER_KEYS }))).toMatch(sentence);
  expect(sentenceOf(await start({ DATABASE_URL: fresh.url }))).toMatch(sentence);
  const malformed = await platform({ ...settings, VAULT_MASTER_KEYS: "correct-horse" });
  expect(sentenceOf(malformed)).toMatch(/^the settings .*VAULT_MASTER_KEYS entry 1 must be /u);
  await fresh.drop();
});
