import { createServer, type Server } from "node:http";
import { type Callback, type CallbackHandler, type Cardwright, ConflictError, NotFoundError } from "@cardwright/sdk";
import { startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientOf } from "./programme.ts";

let api: TestApi;
let merchant: TestCredential;
let client: Cardwright;
let cardNo: string;
let server: Server;
let url: string;
let handler: CallbackHandler;
const received: Callback[] = [];
const repeats: string[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  api = await startApi();
  server = createServer((request, response) => handler.node(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/callback`;
  merchant = await api.newMerchant("AUTHORIZATION", { callbackUrl: url });
  await api.recharge(merchant, "100.00");
  client = clientOf(api, merchant);
  const { secret } = await client.developer.rotateWebhookSecret({ overlap_hours: 0 });
  handler = clientOf(api, merchant, { now: Date.now, webhookSecrets: [secret] }).callbacks.handler({
    onCardUpdate: (callback) => void received.push(callback),
    onRepeat: ({ id }) => void repeats.push(id),
    onError: (error) => void errors.push(error),
  });
  const card_bin_no = await api.newBin();
  const cardholder_no = await api.approvedCardholder(merchant);
  const application = { card_bin_no, cardholder_no, card_unique_no: "card-1", card_type: "Virtual" } as const;
  ({ card_no: cardNo } = await client.cards.apply(application));
  await api.rooms.callbacks.delivery.runDue();
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await api.close();
});

test("the own merchant and its endpoint are shown", async () => {
  expect(await client.developer.merchant()).toMatchObject({
    mode: "AUTHORIZATION",
    app_id: merchant.merchant.appId,
    environment: "sandbox",
    callback_url: url,
  });
  expect(await client.developer.endpoint()).toMatchObject({ state: "Active", paused_by: "", open_count: 0 });
});

test("a test push is taken by a handler that asks for both signatures, and bothers nobody", async () => {
  const before = received.length;
  expect(await client.developer.testEndpoint()).toMatchObject({
    delivered: true,
    http_status: 200,
    answer: '{"code":0,"message":""}',
  });
  expect(received).toHaveLength(before);
  expect(errors).toEqual([]);
});

test("pushes wait while the endpoint is paused, and come signed twice and numbered once it is resumed", async () => {
  const before = received.length;
  expect(await client.developer.pauseEndpoint()).toMatchObject({ state: "Paused", paused_by: "merchant" });
  for (const status of ["Frozen", "Activated", "Frozen"] as const) {
    await client.cards.updateStatus({ card_no: cardNo, status });
  }
  await api.rooms.callbacks.delivery.runDue();
  expect(await client.developer.endpoint()).toMatchObject({ open_count: 3 });
  expect(received).toHaveLength(before);
  expect(await client.developer.resumeEndpoint()).toMatchObject({ state: "Active" });
  await api.rooms.callbacks.delivery.runDue();
  const pushes = received.slice(before);
  expect(pushes.map(({ data }) => "after_status" in data && data.after_status)).toEqual([
    "Frozen",
    "Activated",
    "Frozen",
  ]);
  const first = pushes[0]?.sequence ?? 0;
  expect(pushes.map(({ sequence }) => sequence)).toEqual([first, first + 1, first + 2]);
  expect(pushes[0]).toMatchObject({ attempt: 1, verifiedBy: ["v1", "standard_webhooks"] });
  expect(errors).toEqual([]);
});

test("pushes are walked through page by page and shown with their tries", async () => {
  const ids: string[] = [];
  for await (const push of client.developer.listCallbacks({ card_no: cardNo, size: 2 })) ids.push(push.callback_id);
  expect(ids).toEqual(received.map(({ id }) => id).toReversed());
  expect((await client.developer.listCallbacks({ state: "Delivered", size: 1 })).list).toMatchObject([
    { callback_id: ids[0], action: "Card_update", state: "Delivered" },
  ]);
  const shown = await client.developer.retrieveCallback(ids[0] ?? "");
  expect(shown).toMatchObject({ data: received.at(-1)?.data, attempt_list: [{ attempt: 1, http_status: 200 }] });
  await expect(client.developer.retrieveCallback("nobody")).rejects.toBeInstanceOf(NotFoundError);
});

test("a push that is sent again is taken and not handled again", async () => {
  const last = received.at(-1)?.id ?? "";
  const before = received.length;
  expect(await client.developer.resendCallbacks({ callback_ids: [last, "nobody"] })).toEqual({
    resent: 1,
    unknown: ["nobody"],
  });
  await api.rooms.callbacks.delivery.runDue();
  expect(received).toHaveLength(before);
  expect(repeats).toEqual([last]);
  expect((await client.developer.retrieveCallback(last)).state).toBe("Delivered");
});

test("secrets are listed without themselves, and rotated with an overlap", async () => {
  const { secret, previous_expires_at } = await client.developer.rotateWebhookSecret({ overlap_hours: 2 });
  expect(secret).toMatch(/^whsec_/u);
  expect(previous_expires_at).toBeGreaterThan(0);
  const { list } = await client.developer.listWebhookSecrets();
  expect(list.map(({ expires_at }) => expires_at)).toEqual(expect.arrayContaining([0, previous_expires_at]));
  expect(JSON.stringify(list)).not.toContain("whsec_");
});

test("the callback URL is set, and without one there is nothing to test", async () => {
  const other = clientOf(api, await api.newMerchant("AUTHORIZATION"));
  expect(await other.developer.setCallbackUrl(url)).toEqual({ callback_url: url });
  expect(await other.developer.setCallbackUrl("")).toEqual({ callback_url: "" });
  const tested = other.developer.testEndpoint();
  await expect(tested).rejects.toMatchObject({ code: 6002 });
  await expect(tested).rejects.toBeInstanceOf(ConflictError);
});
