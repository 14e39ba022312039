import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  becomes,
  beginCall,
  endAll,
  newSecrets,
  type PlatformProcess,
  portOf,
  run,
  runPlatform,
  scripts,
} from "../support/processes.ts";
import {
  type CardMerchant,
  enrolWithCard,
  getJson,
  listenForCallbacks,
  postJson,
} from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const secrets = newSecrets();
const networkHeaders = { Authorization: `Bearer ${secrets.NETWORK_TOKEN}` };
const authorizations = "/network/v1/authorizations";

let db: TestDatabase;
let ports: Record<string, string> = {};
let network: PlatformProcess;
let api: PlatformProcess;
let worker: PlatformProcess;
let merchant: CardMerchant;

beforeAll(async () => {
  db = await createTestDatabase();
  network = await play("network");
  ports = { NETWORK_PORT: portOf(network.network) };
  api = await play("api");
  ports = { ...ports, API_PORT: portOf(api.api), KYC_SIMULATOR_PORT: portOf(api.kycSimulator) };
  worker = await play("worker");
  const desk = { apiUrl: api.api, adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: api.kycSimulator, mode: "AUTHORIZATION" });
});

afterAll(async () => {
  await merchant.close();
  await endAll();
  await db.drop();
});

const play = (role: "api" | "worker" | "network"): Promise<PlatformProcess> =>
  runPlatform({ ...secrets, ...ports, CARDWRIGHT_ROLE: role, DATABASE_URL: db.url });

async function expectEndsWell(process: PlatformProcess): Promise<void> {
  const { code, signal, stderr } = await process.ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
}

/** What one process has changed the others hear within milliseconds; less than the 2.5 s after which they would look by themselves. */
const untilHeard = (): Promise<void> => sleep(1_000);

const questionsAsked = (): number => merchant.listener.callbacks().filter(({ action }) => action === "Auth").length;

test("each process plays its role and no other", () => {
  expect({ api: network.api, network: network.network !== "" }).toEqual({ api: "", network: true });
  expect({ api: api.api !== "", network: api.network }).toEqual({ api: true, network: "" });
  expect({ api: worker.api, network: worker.network }).toEqual({ api: "", network: "" });
});

test("a purchase that one process decides is pushed by another", async () => {
  const bought = await merchant.buy("10.00");
  expect(bought).toMatchObject({ status: 200, approved: true });
  await becomes("the merchant is told", () => merchant.listener.told(bought.consumeNo).length === 1);
  expect(merchant.listener.told(bought.consumeNo)).toEqual(["Pending"]);
});

test("a changed callback URL is in force at once, also in the processes that ask and that push", async () => {
  // Now both remember where this merchant is.
  const before = await merchant.buy("10.10");
  await becomes("the merchant is told", () => merchant.listener.told(before.consumeNo).length === 1);
  const moved = await listenForCallbacks();
  const desk = { apiUrl: api.api, adminToken: secrets.ADMIN_TOKEN };
  const { merchantNo } = merchant.account;
  const callbackUrl = merchant.listener.url;
  try {
    await setCallbackUrl(desk, { merchantNo, callbackUrl: moved.url });
    await untilHeard();
    const asked = questionsAsked();
    const after = await merchant.buy("10.20");
    expect(after).toMatchObject({ approved: true });
    await becomes("the merchant is told", () => moved.told(after.consumeNo).length === 1);
    expect(moved.callbacks().map(({ action }) => action)).toEqual(["Auth", "Consumption"]);
    expect({ asked: questionsAsked(), told: merchant.listener.told(after.consumeNo) }).toEqual({ asked, told: [] });
  } finally {
    await setCallbackUrl(desk, { merchantNo, callbackUrl });
    await untilHeard();
    await moved.close();
  }
});

test("what waited for a callback URL goes out as soon as there is one", async () => {
  const desk = { apiUrl: api.api, adminToken: secrets.ADMIN_TOKEN };
  const { merchantNo } = merchant.account;
  const callbackUrl = merchant.listener.url;
  await setCallbackUrl(desk, { merchantNo, callbackUrl: "" });
  await untilHeard();
  const bought = await merchant.buy("10.30");
  expect(bought).toMatchObject({ approved: false, reason: "merchant_unreachable" });
  // By then the worker has seen that there is nowhere to push to, and leaves the merchant alone for 30 s.
  await untilHeard();
  await setCallbackUrl(desk, { merchantNo, callbackUrl });
  await vi.waitFor(() => expect(merchant.listener.told(bought.consumeNo)).toEqual(["Fail merchant_unreachable"]), {
    timeout: 20_000,
  });
});

test("what a killed worker has left, under way or not begun, is pushed by the next", async () => {
  merchant.listener.answerAfterMs = ({ action }) => (action === "Auth" ? 0 : null);
  const underWay = await merchant.buy("11.00");
  await becomes("the push is under way", () => merchant.listener.told(underWay.consumeNo).length === 1);
  worker.kill("SIGKILL");
  await worker.ended;
  merchant.listener.answerAfterMs = () => 0;
  const notBegun = await merchant.buy("12.00");
  expect(merchant.listener.told(notBegun.consumeNo)).toEqual([]);

  worker = await play("worker");
  // The dead worker's claim runs out by the sandbox's clock.
  const moved = await postJson(
    `${api.api}/sandbox/v1/clock`,
    { "Api-Key": merchant.account.apiKey },
    { advance: "PT16S" },
  );
  expect(moved.status).toBe(200);
  await becomes("both are told", () => merchant.listener.told(notBegun.consumeNo).length > 0);
  expect(merchant.listener.told(underWay.consumeNo)).toEqual(["Pending", "Pending"]);
  const ids = merchant.listener
    .callbacks()
    .filter(({ action, data }) => action === "Consumption" && data["consume_no"] === underWay.consumeNo)
    .map(({ id }) => id);
  expect(new Set(ids).size).toBe(1);
});

test("a worker that is stopped writes down what it has just pushed", async () => {
  merchant.listener.answerAfterMs = ({ action }) => (action === "Auth" ? 0 : 500);
  const bought = await merchant.buy("13.00");
  await becomes("the push is under way", () => merchant.listener.told(bought.consumeNo).length === 1);
  worker.kill("SIGTERM");
  await expectEndsWell(worker);
  merchant.listener.answerAfterMs = () => 0;
  const { rows } = await db.pool.query<{ state: string }>(
    "SELECT state FROM any_callback WHERE data LIKE '%' || $1 || '%'",
    [bought.consumeNo],
  );
  expect(rows).toEqual([{ state: "Delivered" }]);
  worker = await play("worker");
});

test("a network process that is stopped still answers the purchase whose merchant is thinking", async () => {
  const held = await beginCall(`${network.network}${authorizations}`, networkHeaders);
  const asked = questionsAsked();
  merchant.listener.answerAfterMs = ({ action }) => (action === "Auth" ? 500 : 0);
  const buying = merchant.buy("14.00");
  await becomes("the question is with the merchant", () => questionsAsked() > asked);
  network.kill("SIGTERM");

  await becomes("new messages are refused", async () => {
    const refused = await postJson(`${network.network}${authorizations}`, networkHeaders, {});
    return refused.status === 503 && refused.headers.get("retry-after") !== null;
  });
  const ready = await getJson(`${network.operations}/readyz`);
  expect(ready).toMatchObject({ status: 503, json: { reason: "stopping" } });
  expect(await getJson(`${network.operations}/healthz`)).toMatchObject({ status: 200 });

  const bought = await buying;
  expect(bought).toMatchObject({ status: 200, approved: true });
  // It was begun before the signal, so it is read to its end and answered for what it says.
  expect(await held.end()).toBe(400);
  await expectEndsWell(network);
  merchant.listener.answerAfterMs = () => 0;
  await becomes("the merchant is told", () => merchant.listener.told(bought.consumeNo).length === 1);
  expect(merchant.listener.told(bought.consumeNo)).toEqual(["Pending"]);

  expect(await merchant.buy("15.00")).toMatchObject({ status: 503 });
  network = await play("network");
  expect(await merchant.buy("15.00")).toMatchObject({ status: 200, approved: true });
});

test("an API process that is stopped finishes the calls under way and refuses new ones in its envelope", async () => {
  const tokenPath = `${api.api}/open-api/v1/merchant/token`;
  const apiKey = { "Api-Key": merchant.account.apiKey };
  const token = await getJson(tokenPath, apiKey);
  const data: unknown = token.json["data"];
  const accessToken =
    typeof data === "object" && data !== null && "access_token" in data ? String(data.access_token) : "";
  const held = await beginCall(`${api.api}/open-api/v1/card/support/bins`, {
    ...apiKey,
    "Access-Token": accessToken,
    Timestamp: String(Date.now()),
  });
  api.kill("SIGTERM");

  await becomes("new calls are refused", async () => (await getJson(tokenPath, apiKey)).status === 503);
  const refused = await getJson(tokenPath, { ...apiKey, Language: "zh_CN" });
  expect(refused.status).toBe(503);
  expect(refused.json["code"]).toBe(1001);
  expect(refused.json).not.toHaveProperty("data");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  const operator = await getJson(`${api.api}/operator/v1/merchants`, {
    Authorization: `Bearer ${secrets.ADMIN_TOKEN}`,
  });
  expect(operator).toMatchObject({ status: 503, json: { error: { code: "stopping" } } });
  expect(Number(operator.headers.get("retry-after"))).toBeGreaterThan(0);

  expect(await held.end()).toBe(200);
  await expectEndsWell(api);
  api = await play("api");
  expect(await getJson(tokenPath, apiKey)).toMatchObject({ status: 200, json: { code: 0 } });
});

test("a caller that never ends its call keeps no process for longer than ten seconds", async () => {
  const held = await beginCall(`${network.network}${authorizations}`, networkHeaders);
  network.kill("SIGTERM");
  await expectEndsWell(network);
  expect(await held.end()).toBe("no answer");
  network = await play("network");
});

test("after all of this the books are clean", async () => {
  const env = { DATABASE_URL: db.url };
  expect(await run({ script: scripts.verify, env }).ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^clean: .*, digest [0-9a-f]{64}\n$/u),
  });
});
