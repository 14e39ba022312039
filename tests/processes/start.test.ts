import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { becomes, beginCall, endAll, isAlive, ownData, type Running, run, scripts } from "../support/processes.ts";
import { getJson, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  ({ directory, env } = await ownData());
});

afterAll(endAll);

/** What a start has printed, read as a person does. */
interface Shown {
  readonly api: string;
  readonly operations: string;
  readonly adminToken: string;
  readonly apiKeys: readonly string[];
  readonly merchantServers: readonly string[];
  readonly text: string;
}

async function shownBy(start: Running): Promise<Shown> {
  await start.said(/Logs: /u);
  const text = start.stdout();
  const every = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = ""]) => found);
  const one = (pattern: RegExp) => every(pattern)[0] ?? "";
  return {
    api: one(/Reference +(\S+)\/docs/gu),
    operations: one(/Health, metrics +(\S+)\/readyz/gu),
    adminToken: one(/Authorization: Bearer (\S+)/gu),
    apiKeys: every(/^ +Api-Key +(\S+)$/gmu),
    merchantServers: every(/^ +its server +(\S+)\/$/gmu),
    text,
  };
}

const start = () => run({ script: scripts.start, env });

const postmasterPid = (): number =>
  Number(readFileSync(join(directory, "postgres/postmaster.pid"), "utf8").split("\n")[0]);

/** Purchases that a merchant's own books know. */
async function bookings(server: string): Promise<unknown[]> {
  const { json } = await getJson(`${server}/state`);
  return Array.isArray(json["bookings"]) ? json["bookings"] : [];
}

async function counter(operations: string, sample: string): Promise<number> {
  const text = await (await fetch(`${operations}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length));
}

async function expectGone(running: Running, postmaster: number): Promise<void> {
  const { code, stderr } = await running.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(isAlive(running.pid)).toBe(false);
  expect(isAlive(postmaster)).toBe(false);
  const marks = ["postgres.owner", "database-url", "postgres/postmaster.pid"];
  expect(marks.filter((mark) => existsSync(join(directory, mark)))).toEqual([]);
}

test("start sets itself up, shows where everything is, and Ctrl-C leaves nothing behind but the data", async () => {
  const first = start();
  const shown = await shownBy(first);
  const postmaster = postmasterPid();
  expect(shown.text).toContain("The database is empty");
  expect(shown.text.match(/approved \(00\)/gu)).toHaveLength(2);
  expect(shown.text).toContain("all arrived, all signatures verified");
  expect(shown.apiKeys).toHaveLength(2);

  expect(await getJson(`${shown.operations}/healthz`)).toMatchObject({ status: 200, json: { status: "ok" } });
  expect(await getJson(`${shown.operations}/readyz`)).toMatchObject({ status: 200, json: { status: "ready" } });
  const page = await fetch(`${shown.api}/docs`);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(await page.text()).toContain("/open-api/v1/card/apply");

  // The story's four purchases are counted, and another one is counted on top.
  const approvals = 'cardwright_authorizations_total{outcome="approved"}';
  expect(await counter(shown.operations, approvals)).toBe(2);
  expect(await counter(shown.operations, 'cardwright_authorizations_total{outcome="insufficient_credit"}')).toBe(1);
  expect(await counter(shown.operations, "cardwright_authorization_seconds_count")).toBe(4);
  expect(await counter(shown.operations, "process_resident_memory_bytes")).toBeGreaterThan(0);
  const cardNo = /card (C\w+)/u.exec(shown.text)?.[1];
  const headers = { "Api-Key": shown.apiKeys[0] ?? "" };
  const bought = await postJson(`${shown.api}/sandbox/v1/purchases`, headers, { card_no: cardNo, amount: "1.00" });
  expect(bought.json).toMatchObject({ approved: true });
  expect(await counter(shown.operations, approvals)).toBe(3);

  const token = await getJson(`${shown.api}/open-api/v1/merchant/token`, headers);
  expect(token).toMatchObject({ status: 200, json: { code: 0 } });

  // As a terminal does: to every process of the group, so more than once.
  first.kill("SIGINT");
  first.kill("SIGINT");
  first.kill("SIGTERM");
  await expectGone(first, postmaster);
});

test("a second start finds the merchants and their purchases, and sets nothing up again", async () => {
  const second = start();
  const shown = await shownBy(second);
  const postmaster = postmasterPid();
  expect(shown.text).not.toContain("The database is empty");
  expect(shown.text).toContain("all arrived, all signatures verified");
  // The first start's two and one by hand of the credit merchant, and this start's two.
  const [creditServer = "", authorizationServer = ""] = shown.merchantServers;
  await becomes("the books hold the purchases of both starts", async () => (await bookings(creditServer)).length === 5);
  await becomes("those of the other too", async () => (await bookings(authorizationServer)).length === 4);
  const operator = { Authorization: `Bearer ${shown.adminToken}` };
  const merchants = await getJson(`${shown.api}/operator/v1/merchants`, operator);
  expect(merchants.json["list"]).toHaveLength(2);
  expect(readdirSync(join(directory, "merchants")).filter((name) => name.endsWith(".sqlite"))).toHaveLength(2);

  // Another start on the same data is refused, whatever its ports, and the running one does not notice.
  const refused = await start().ended;
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^The database in \S+ is in use by process \d+: stop that one first .*\n$/u);
  expect(refused.stderr).toContain(` ${second.pid}:`);
  expect(await getJson(`${shown.operations}/readyz`)).toMatchObject({ status: 200 });

  // The demo and verify work beside it.
  const verified = await run({ script: scripts.verify, env }).ended;
  expect(verified.stdout).toMatch(/^clean: .* digest [0-9a-f]+\n$/u);
  expect(verified.code).toBe(0);

  second.kill("SIGTERM");
  await expectGone(second, postmaster);
});

test("a start that was killed leaves nothing that keeps the next one from its data", async () => {
  const killed = start();
  await killed.said(/approved/u);
  const postmaster = postmasterPid();
  killed.kill("SIGKILL");
  await killed.ended;

  const next = start();
  const shown = await shownBy(next);
  expect(shown.text).toContain("all arrived, all signatures verified");
  expect(isAlive(postmaster)).toBe(false);
  const last = postmasterPid();
  next.kill("SIGINT");
  await expectGone(next, last);
});

test("Ctrl-C during the start stops what is up by then", async () => {
  const early = start();
  await early.said(/A purchase in each mode/u);
  const postmaster = postmasterPid();
  early.kill("SIGINT");
  await expectGone(early, postmaster);
  expect(early.stdout()).toMatch(/Stopping…\nStopped\.\n$/u);
});

test("a second Ctrl-C ends at once what the first would have waited for", async () => {
  const impatient = start();
  const shown = await shownBy(impatient);
  const postmaster = postmasterPid();
  const held = await beginCall(`${shown.api}/sandbox/v1/purchases`, { "Api-Key": shown.apiKeys[0] ?? "" });
  impatient.kill("SIGINT");
  await impatient.said(/Stopping/u);
  // Later than what still counts as the same Ctrl-C.
  await sleep(1_200);
  expect(isAlive(impatient.pid)).toBe(true);
  impatient.kill("SIGINT");
  expect((await impatient.ended).code).toBe(130);
  expect(impatient.stdout()).not.toContain("Stopped.");
  expect(await held.end()).toBe("no answer");
  await becomes("the database is stopped by its guard", () => !isAlive(postmaster));
});
