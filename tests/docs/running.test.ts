import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../apps/server/src/database/index.ts";
import { systemClock } from "../../apps/server/src/kernel/index.ts";
import { createVault, newMasterKey } from "../../apps/server/src/vault/index.ts";
import { clone, document, fencedBlocks } from "./documents.ts";

/** docs/operations/running.md: what an operator is told to type, typed. */

const blocks = fencedBlocks(document("docs/operations/running.md"));
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

const token = "a token of more than 24 characters";

/** What the operator's secret store would give. */
const values: Readonly<Record<string, () => string>> = {
  DATABASE_URL: () => db.url,
  VAULT_MASTER_KEYS: () => newMasterKey("k1"),
  ADMIN_TOKEN: () => token,
  NETWORK_TOKEN: () => token,
  SUMSUB_APP_TOKEN: () => "app-token",
  SUMSUB_SECRET: () => "secret",
  SUMSUB_WEBHOOK_SECRET: () => "webhook-secret",
};

/** The start block with the operator's values in place of the page's ellipses, and free ports. */
function startScript(): string {
  const block = blocks.find(({ text }) => text.includes("apps/server/src/main.ts"))?.text ?? "";
  const filled = block.replaceAll(/^export ([A-Z_]+)='([^']*)'$/gmu, (line: string, name: string, value: string) =>
    value.includes("…") ? `export ${name}='${values[name]?.() ?? value}'` : line,
  );
  const ports = ["API_PORT", "NETWORK_PORT", "OPERATIONS_PORT"].map((name) => `export ${name}=0\n`).join("");
  // exec, so that the signal of the test reaches the platform itself.
  return ports + filled.replace(/^node_modules/mu, "exec node_modules");
}

/** The settings of this machine must not help a page that forgets one. */
const bareEnvironment = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };

/** Resolves with the log's first line that has the message; null when the process ended before. */
async function logLine(child: ChildProcess, message: string): Promise<Record<string, unknown> | null> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  for (let looks = 0; looks < 1_000 && child.exitCode === null; looks += 1) {
    const line = text.split("\n").find((each) => each.includes(`"msg":"${message}"`));
    if (line !== undefined) {
      return JSON.parse(line) as Record<string, unknown>;
    }
    await sleep(20);
  }
  return null;
}

test("a production process starts with the page's settings, is ready, loads no sandbox, and ends well on SIGTERM", async () => {
  const script = startScript();
  expect(script).not.toContain("…");
  const child = spawn("bash", ["-c", script], {
    cwd: clone,
    env: bareEnvironment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const ready = await logLine(child, "ready");
    expect(ready).not.toBeNull();
    const answer = await fetch(`${String(ready?.["operations"])}/readyz`);
    expect(await answer.json()).toEqual({ status: "ready" });
    expect((await fetch(`${String(ready?.["api"])}/sandbox/v1/`)).status).toBe(404);
    expect(ready?.["kycSimulator"]).toBeNull();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("the page's commands replace a master key", async () => {
  const own = await createTestDatabase();
  try {
    const [k1, k2] = [newMasterKey("k1"), newMasterKey("k2")];
    await createVault({ pool: own.vaultPool, masterKeys: k1, clock: systemClock }).warmUp();
    const block = blocks.find(({ text }) => text.includes("npm run keys -- wrap"))?.text ?? "";
    const script = block
      .replaceAll(/(?<=DATABASE_URL=')[^']*/gu, own.url)
      .replaceAll(/(?<=VAULT_MASTER_KEYS=')[^']*/gu, `${k2},${k1}`);
    expect(script).not.toContain("…");
    const child = spawn("bash", ["-ec", script], {
      cwd: clone,
      env: bareEnvironment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    expect(await once(child, "close")).toEqual([0, null]);
    expect(output).toContain("6 data keys were wrapped anew.");
    expect(output.match(/ k2 /gu)).toHaveLength(12);
    expect(output).not.toMatch(/^.*\d {2}k1 /mu);
  } finally {
    await own.drop();
  }
});

test("the page's commands make a master key and tokens that the platform accepts", async () => {
  const block = blocks.find(({ text }) => text.includes("randomBytes"))?.text ?? "";
  const child = spawn("bash", ["-ec", block], { env: bareEnvironment, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  await once(child, "close");
  const [masterKey = "", made = ""] = output.split("\n");
  expect(masterKey).toMatch(/^k1:[A-Za-z0-9+/]{43}=$/u);
  expect(made.length).toBeGreaterThanOrEqual(24);
});

test("a user without the right to create roles can use a database that was prepared as the page says", async () => {
  const block = blocks.find(({ language, text }) => language === "sql" && text.includes("CREATE ROLE"))?.text ?? "";
  const name = `cardwright_page_${process.pid}`;
  // The platform's own two roles belong to the whole server and are there already.
  const statements = block
    .replaceAll(/^CREATE ROLE cardwright_(?:app|vault) NOLOGIN;$/gmu, "")
    .replaceAll(/\bcardwright\b(?!_)/gu, name)
    .replaceAll("…", "secret")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  expect(statements).toHaveLength(3);
  const { rows } = await db.ownerPool.query<{ major: number }>(
    "SELECT current_setting('server_version_num')::integer / 10000 AS major",
  );
  const isOld = (rows[0]?.major ?? 0) < 16;
  const url = new URL(db.url);
  Object.assign(url, { username: name, password: "secret", pathname: `/${name}` });
  try {
    for (const statement of statements) {
      await db.ownerPool.query(isOld ? statement.replace(/ WITH SET.*$/u, "") : statement);
    }
    const report = await migrate({
      url: url.href,
      directory: `${clone}apps/server/migrations`,
      clock: systemClock,
    });
    expect(report.applied.length).toBeGreaterThan(0);
    const client = new Client({ connectionString: `${url.href}?options=-c%20role%3Dcardwright_app` });
    await client.connect();
    await client.query("SELECT 1 FROM ledger.account");
    await expect(client.query("SELECT 1 FROM vault.card")).rejects.toThrow("permission denied");
    await expect(client.query("DELETE FROM ledger.posting")).rejects.toThrow("permission denied");
    await client.end();
  } finally {
    await db.ownerPool.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await db.ownerPool.query(`DROP ROLE IF EXISTS ${name}`);
  }
});
