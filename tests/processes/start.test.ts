import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { becomes, endAll, ownData, run, scripts } from "../support/processes.ts";
import { getJson, postJson } from "../support/sandbox-merchant.ts";
import { leftBy, nothingLeft, postmasterOf, shownBy } from "../support/started.ts";

vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  ({ directory, env } = await ownData());
});

afterAll(endAll);

const start = () => run({ script: scripts.start, env });

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

test("start sets itself up, shows where everything is, and Ctrl-C leaves nothing behind but the data", async () => {
  const first = start();
  const shown = await shownBy(first);
  const postmaster = postmasterOf(directory);
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

  const metrics = await (await fetch(`${shown.operations}/metrics`)).text();
  expect(metrics).toContain('cardwright_callbacks_open{place="outbox"} ');

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
  expect(await leftBy(first, { directory, postmaster })).toEqual(nothingLeft);
});

test("a second start finds the merchants and their purchases, and sets nothing up again", async () => {
  const second = start();
  const shown = await shownBy(second);
  const postmaster = postmasterOf(directory);
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
  expect(await leftBy(second, { directory, postmaster })).toEqual(nothingLeft);
});
