import { createServer, type Server } from "node:http";
import {
  approve,
  type Callback,
  type CallbackHandler,
  type Cardwright,
  decline,
  type HandlerOptions,
  PermissionError,
} from "@cardwright/sdk";
import { eventually, startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { answered, clientOf, day } from "./programme.ts";

let api: TestApi;
let merchant: TestCredential;
let client: Cardwright;
let cardNo: string;
let server: Server;
let handler: CallbackHandler;
let errors: unknown[];
let received: Callback[];

beforeAll(async () => {
  api = await startApi();
  server = createServer((request, response) => handler.node(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  merchant = await api.newMerchant("AUTHORIZATION", { callbackUrl: `http://127.0.0.1:${port}/callback` });
  await api.recharge(merchant, "1000.00");
  client = clientOf(api, merchant);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await api.close();
});
beforeEach(() => {
  errors = [];
  received = [];
  handle({});
});

/** The real clock: callbacks are dated by it, and the client's own clock here is the test's. */
function handle(options: HandlerOptions): void {
  const { callbacks } = clientOf(api, merchant, { now: Date.now });
  handler = callbacks.handler({
    onConsumption: (callback) => void received.push(callback),
    onCardUpdate: (callback) => void received.push(callback),
    onError: (error) => void errors.push(error),
    ...options,
  });
}

async function buy(amount: bigint) {
  const { pan, cvv, exp_year, exp_month } = await client.cards.privateInfo(cardNo);
  return await api.rooms.authorization.authorize({
    networkReference: crypto.randomUUID(),
    pan,
    expiry: { year: Number(exp_year), month: Number(exp_month) },
    cvv,
    kind: "purchase",
    wallet: false,
    partialAllowed: true,
    amount,
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    incrementOf: null,
    recurring: false,
    acceptor: { name: "Café 咖啡 & Söhne", mcc: "5411", city: "Berlin", country: "DE" },
  });
}

test("BINs are listed, and a card is opened on one", async () => {
  const cardBinNo = await api.newBin();
  const [bin] = await client.products.listBins().all();
  expect(bin).toMatchObject({ card_bin_no: cardBinNo, support_virtual: true, currencies: ["USD"] });
  const cardholderNo = await api.approvedCardholder(merchant);
  const application = { card_bin_no: cardBinNo, cardholder_no: cardholderNo, card_unique_no: "card-1" };
  ({ card_no: cardNo } = await client.cards.apply({ ...application, card_type: "Virtual" }));
  expect((await client.cardholders.retrieve(cardholderNo)).card_list).toMatchObject([{ card_no: cardNo }]);
  await expect(client.accounts.retrieve(cardholderNo)).rejects.toBeInstanceOf(PermissionError);
});

test("a purchase of the platform is asked about, verified, and approved in whole or in part", async () => {
  const asked: Callback[] = [];
  handle({
    onAuth: (callback) => {
      asked.push(callback);
      return callback.data.amount > 50 ? approve({ approvedAmount: "50" }) : approve();
    },
  });
  expect(await buy(2_050n)).toMatchObject({ approved: true, partialAmount: null });
  expect(await buy(6_000n)).toMatchObject({ approved: true, partialAmount: 5_000n });
  expect(asked).toMatchObject([
    {
      action: "Auth",
      verifiedBy: ["v1"],
      deadlineMs: 800,
      data: { amount: 20.5, card_no: cardNo, merchant_info: { merchant_name: "Café 咖啡 & Söhne" } },
    },
    { data: { amount: 60 } },
  ]);
  const amounts = (await client.consumptions.list({ ...day, card_no: cardNo }).all()).map((row) => row.amount);
  expect(amounts.slice(0, 2)).toEqual(["50.00", "20.50"]);
  expect(errors).toEqual([]);
});

test("a decline's reason reaches the network", async () => {
  handle({ onAuth: () => decline("suspected_fraud", { message: "looks odd" }) });
  expect(await buy(100n)).toMatchObject({
    approved: false,
    reason: "merchant_declined",
    merchantReason: "suspected_fraud",
  });
});

test("a purchase is answered while onAuth hangs, before the platform gives up", async () => {
  handle({ onAuth: () => new Promise(() => {}), authTimeoutMs: 200, authFallback: decline("insufficient_funds") });
  expect(await buy(100n)).toMatchObject({
    approved: false,
    reason: "merchant_declined",
    merchantReason: "insufficient_funds",
  });
});

test("pushes of the platform arrive verified and in order, and a frozen card is told", async () => {
  await client.cards.updateStatus({ card_no: cardNo, status: "Frozen" });
  await eventually(async () => {
    await api.rooms.callbacks.delivery.runDue();
    return received.some(({ action }) => action === "Card_update");
  });
  expect(errors).toEqual([]);
  const told = received.map((callback) => callback.action);
  expect(told.at(-1)).toBe("Card_update");
  expect(told.filter((action) => action === "Consumption").length).toBeGreaterThanOrEqual(4);
  expect(received.at(-1)?.data).toMatchObject({ before_status: "Activated", after_status: "Frozen" });
});

test("what only authorization mode has was called", () => {
  expect(answered).toContain("card.support_bins");
});
