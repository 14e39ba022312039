import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../apps/server/src/database/index.ts";
import {
  becomes,
  endAll,
  folderOfTest,
  freePort,
  newSecrets,
  type PlatformProcess,
  run,
  runPlatform,
  scripts,
} from "../support/processes.ts";
import { type CardMerchant, enrolWithCard, getJson, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const secrets = newSecrets();
const network = { Authorization: `Bearer ${secrets.NETWORK_TOKEN}` };

let postgres: EmbeddedPostgres;
let restart: () => Promise<EmbeddedPostgres>;
let platform: PlatformProcess;
let merchant: CardMerchant;

beforeAll(async () => {
  const dataDirectory = join(await folderOfTest(), "postgres");
  const port = await freePort();
  restart = () => startEmbeddedPostgres({ dataDirectory, port, settings: { fsync: "off" } });
  postgres = await restart();
  platform = await runPlatform({ ...secrets, DATABASE_URL: postgres.url });
  const desk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: platform.kycSimulator, mode: "AUTHORIZATION" });
});

afterAll(async () => {
  await merchant.close();
  await postgres.stop();
  await endAll();
});

const callToken = () =>
  getJson(`${platform.api}/open-api/v1/merchant/token`, { "Api-Key": merchant.account.apiKey, Language: "en_US" });
const readiness = () => getJson(`${platform.operations}/readyz`);
const advance = (duration: string) =>
  postJson(`${platform.api}/sandbox/v1/clock`, { "Api-Key": merchant.account.apiKey }, { advance: duration });
const authorize = () =>
  postJson(`${platform.network}/network/v1/authorizations`, network, {
    network_reference: `away-${performance.now()}`,
    pan: "4000000000000002",
    kind: "purchase",
    amount: "1.00",
    currency: "USD",
    merchant: { name: "Shop", mcc: "5411", city: "Lisbon", country: "PT" },
  });

test("while the database is away every face says so with 503, and afterwards everything works again", async () => {
  const before = await merchant.buy("10.00");
  expect(before).toMatchObject({ approved: true });
  expect(await authorize()).toMatchObject({ status: 200, json: { reason: "card_not_found" } });

  await postgres.stop();

  // From the first call on: nobody is told anything else before the platform itself has noticed.
  const message = await authorize();
  expect(message).toMatchObject({ status: 503, json: { error: { code: "no_database" } } });
  expect(Number(message.headers.get("retry-after"))).toBeGreaterThan(0);
  const call = await callToken();
  expect(call).toMatchObject({ status: 503, json: { code: 1001 } });
  expect(call.json).not.toHaveProperty("data");
  expect(Number(call.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await readiness()).toMatchObject({ status: 503, json: { reason: "the database cannot be reached" } });
  expect(await getJson(`${platform.operations}/healthz`)).toMatchObject({ status: 200 });
  const operator = await getJson(`${platform.api}/operator/v1/merchants`, {
    Authorization: `Bearer ${secrets.ADMIN_TOKEN}`,
  });
  expect(operator).toMatchObject({ status: 503, json: { error: { code: "unavailable" } } });
  const unsold = await merchant.buy("11.00");
  expect(unsold.approved).toBe(false);
  expect(unsold.status).toBeGreaterThanOrEqual(500);

  postgres = await restart();
  await becomes("the platform is ready again", async () => (await readiness()).status === 200);
  await becomes("the network is served again", async () => (await authorize()).status === 200);
  expect(await callToken()).toMatchObject({ status: 200, json: { code: 0 } });
  const after = await merchant.buy("12.00");
  expect(after).toMatchObject({ status: 200, approved: true });
  // The result of a push that was under way could not be written: its claim runs out by the sandbox's clock.
  await advance("PT16S");
  await becomes("the merchant is told of both", () =>
    [before, after].every(({ consumeNo }) => merchant.listener.told(consumeNo)[0] === "Pending"),
  );
});

test("a database that goes away during purchases leaves each of them approved in the books or released", async () => {
  const earlier = merchant.listener.callbacks().length;
  const questions = () =>
    merchant.listener
      .callbacks()
      .slice(earlier)
      .filter(({ action }) => action === "Auth");
  merchant.listener.answerAfterMs = ({ action }) => (action === "Auth" ? 500 : 0);
  const buying = Promise.all(["20.00", "21.00", "22.00"].map((amount) => merchant.buy(amount)));
  await becomes("the questions are with the merchant", () => questions().length === 3);
  await postgres.stop();
  const bought = await buying;
  merchant.listener.answerAfterMs = () => 0;

  postgres = await restart();
  await becomes("the platform is ready again", async () => (await readiness()).status === 200);
  await advance("PT31S");
  const firstTold = () => questions().map(({ data }) => merchant.listener.told(String(data["consume_no"]))[0] ?? "");
  await becomes("the merchant is told what became of each", () => firstTold().every((told) => told !== ""));
  const approved = bought.filter((receipt) => receipt.approved).map(({ consumeNo }) => consumeNo);
  expect(approved.map((consumeNo) => merchant.listener.told(consumeNo)[0])).toEqual(approved.map(() => "Pending"));
  const released = firstTold().filter((told) => told.startsWith("Fail"));
  expect(released.length).toBeLessThanOrEqual(3 - approved.length);
  expect(await run({ script: scripts.verify, env: { DATABASE_URL: postgres.url } }).ended).toMatchObject({ code: 0 });
});

test("nothing crashed, and the log names no value of a row", async () => {
  platform.kill("SIGTERM");
  const { code, stderr, stdout } = await platform.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain('"msg":"stopped"');
  expect(stdout).not.toContain("4000000000000002");
});
