import { approve, type Callback, Cardwright, ConflictError, decline, NotFoundError } from "@cardwright/sdk";
import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readConfig } from "../../apps/server/src/config.ts";
import { type Platform, startPlatform } from "../../apps/server/src/platform.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { becomes, endAll, freePorts, newSecrets } from "../support/processes.ts";
import { type CardMerchant, enrolWithCard } from "../support/sandbox-merchant.ts";

/** The sandbox's own API through the client: a platform with all its roles, everything over HTTP. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let db: TestDatabase;
let platform: Platform;
let merchant: CardMerchant;
let client: Cardwright;

beforeAll(async () => {
  db = await createTestDatabase();
  const secrets = newSecrets();
  platform = await startPlatform({
    config: readConfig({ CARDWRIGHT_ENV: "sandbox", DATABASE_URL: db.url, ...freePorts, ...secrets }),
    log: pino({ level: "silent" }),
  });
  const desk = { apiUrl: platform.urls.api ?? "", adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: platform.urls.kycSimulator ?? "", mode: "AUTHORIZATION" });
  const { apiKey, apiSecret, appId } = merchant.account;
  client = new Cardwright({ baseUrl: desk.apiUrl, apiKey, apiSecret, appId });
});
afterAll(async () => {
  await merchant.close();
  await platform.stop();
  await endAll();
  await db.drop();
});

test("purchases are asked about through the relay, and their pushes arrive, without an address of one's own", async () => {
  const pushed: Callback[] = [];
  const errors: unknown[] = [];
  const handler = client.callbacks.handler({
    onAuth: ({ data }) => (data.amount > 50 ? decline("exceeds_limit") : approve()),
    onConsumption: (callback) => void pushed.push(callback),
    onError: (error) => void errors.push(error),
  });
  const stop = new AbortController();
  const listening = Promise.withResolvers<string>();
  const listened = client.sandbox.listen({
    signal: stop.signal,
    handle: async (request) => ({ ...(await handler.handle(request)), content_type: "application/json" }),
    onListening: ({ callback_url }) => listening.resolve(callback_url),
    onError: (error) => void errors.push(error),
  });
  const relayUrl = await Promise.race([listening.promise, listened.then(() => "ended")]);
  expect((await client.developer.merchant()).callback_url).toBe(relayUrl);
  // The platform keeps a merchant's address for 5 s at most.
  await becomes("a purchase is asked about here", async () => {
    const { approved, reason } = await client.sandbox.purchase({ card_no: merchant.cardNo, amount: "60.00" });
    return !approved && reason === "merchant_declined";
  });
  const bought = await client.sandbox.purchase({ card_no: merchant.cardNo, amount: "12.50" });
  expect(bought).toMatchObject({ approved: true, response_code: "00" });
  const original_reference = bought.network_reference;
  const cleared = await client.sandbox.clear({ card_no: merchant.cardNo, amount: "12.50", original_reference });
  expect(cleared).toMatchObject({ accepted: true, consume_no: bought.consume_no });
  await becomes("the clearing is told", () =>
    pushed.some(({ data }) => "fee" in data && data.consume_no === bought.consume_no && data.status === "Success"),
  );
  expect(errors).toEqual([]);
  stop.abort();
  await listened;
  expect((await client.developer.merchant()).callback_url).toBe(merchant.listener.url);
});

test("time is shown and moved, and scenarios are listed", async () => {
  const { now } = await client.sandbox.clock();
  const moved = await client.sandbox.advanceClock("PT1H");
  expect(moved.now - now).toBeGreaterThanOrEqual(3_600_000);
  const { list } = await client.sandbox.listScenarios();
  expect(list.map(({ name }) => name)).toContain("purchase-approved");
});

test("what the sandbox refuses is told by its word", async () => {
  const unknown = client.sandbox.startScenario("no-such-scenario");
  await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
  await expect(unknown).rejects.toMatchObject({ reason: "scenario_unknown", httpStatus: 404 });
  await expect(client.sandbox.makeCard(merchant.cardNo)).rejects.toBeInstanceOf(ConflictError);
  const wrong = client.sandbox.purchase({ card_no: merchant.cardNo, amount: "much" });
  await expect(wrong).rejects.toMatchObject({ name: "InvalidRequestError", field: "amount" });
});
