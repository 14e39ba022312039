import Fastify, { type FastifyInstance } from "fastify";
import { request } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Authorization } from "../../apps/server/src/authorization/index.ts";
import { systemClock } from "../../apps/server/src/kernel/index.ts";
import { buildNetworkFront } from "../../apps/server/src/network/index.ts";
import {
  createCardMaker,
  createMovableClock,
  createSandbox,
  type MovableClock,
  type Sandbox,
} from "../../apps/server/src/sandbox/index.ts";
import {
  dayMs,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
  startOfTest,
} from "../support/programme.ts";

/** The sandbox as it runs: its API and the network front each on a server of its own, everything over real HTTP. */
let programme: Programme;
let sandbox: Sandbox;
let clock: MovableClock;
let api: FastifyInstance;
let network: FastifyInstance;
let networkAvailability: "open" | "stopping";
let authorize: Authorization["authorize"];
const errors: unknown[] = [];
const onError = (error: unknown) => void errors.push(error);
const keys = new Map<string, number>();

beforeAll(async () => {
  programme = await openProgramme({ maker: createCardMaker });
  const { pool } = programme.db;
  clock = await createMovableClock({ pool, onError, real: { now: () => startOfTest }, refreshMs: 5 });
  const networkToken = "token-of-the-sandbox-network-0123456789";
  network = Fastify();
  await network.register(
    buildNetworkFront({
      networkToken,
      onError,
      availability: () => networkAvailability,
      authorize: (message) => authorize(message),
    }),
  );
  await network.listen({ port: 0, host: "127.0.0.1" });
  sandbox = createSandbox({
    pool,
    clock,
    machineClock: systemClock,
    merchants: programme.merchants,
    apiUrl: () => api.listeningOrigin,
    networkToken,
    onError,
    networkUrl: () => network.listeningOrigin,
    reveal: (card) => programme.vault.revealForSandboxNetwork(card),
    findCard: (key) => programme.cards.find(key),
    scenarios: {
      adminToken: "",
      call: async () => ({ status: 503, json: {} }),
      merchant: async () => ({ merchantNo: "", mode: "credit" }),
      pushesOf: async () => [],
    },
    merchantOf: async (apiKey, address) => {
      const merchantId = keys.get(apiKey);
      return merchantId === undefined || address !== "127.0.0.1" ? null : { merchantId };
    },
  });
  api = Fastify();
  await api.register(sandbox.api);
  await api.listen({ port: 0, host: "127.0.0.1" });
});

beforeEach(() => {
  networkAvailability = "open";
  authorize = (message) => programme.authorization.authorize(message);
});

afterAll(async () => {
  await Promise.all([api.close(), network.close(), sandbox.stop()]);
  await programme.close();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function call(path: string, options: { readonly key?: string; readonly body?: unknown } = {}): Promise<Answer> {
  const response = await request(`${api.listeningOrigin}/sandbox/v1${path}`, {
    method: options.body === undefined ? "GET" : "POST",
    headers: {
      ...(options.key === undefined ? {} : { "api-key": options.key }),
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
    },
    body:
      options.body === undefined
        ? null
        : typeof options.body === "string"
          ? options.body
          : JSON.stringify(options.body),
  });
  return { status: response.statusCode, json: (await response.body.json()) as Record<string, unknown> };
}

/** A card whose merchant has a key. */
async function cardWithKey(
  wishes: Parameters<Programme["issueCard"]>[0] = {},
): Promise<ReadyCard & { readonly key: string }> {
  const card = await programme.issueCard(wishes);
  const key = `key of ${card.merchantNo}`;
  keys.set(key, card.merchantId);
  return { ...card, key };
}

const fault = (code: string, field = "") => ({ error: { code, message: expect.any(String), field } });

test("a purchase that is played goes over the network's front and is answered with its milliseconds", async () => {
  const card = await cardWithKey({ credit: "200.00" });
  const bought = await call("/purchases", { key: card.key, body: { card_no: card.cardNo, amount: "100.00" } });
  expect([bought.status, bought.json]).toEqual([
    200,
    {
      network_reference: expect.stringMatching(/^sandbox-/u),
      approved: true,
      response_code: "00",
      approved_amount: "",
      reason: "",
      detail: "",
      consume_no: expect.stringMatching(/^O/u),
      balance: "",
      repeat: false,
      platform_ms: expect.any(Number),
      terminal_ms: expect.any(Number),
    },
  ]);
  expect(await programme.consumption(card, String(bought.json["consume_no"]))).toMatchObject({
    amount: 10_000n,
    acceptor: { name: "Sandbox Shop", mcc: "5999", city: "Singapore", country: "SG" },
  });
  const again = await call("/purchases", {
    key: card.key,
    body: { card_no: card.cardNo, amount: "100.00", network_reference: bought.json["network_reference"] },
  });
  expect(again.json).toMatchObject({ approved: true, repeat: true, consume_no: bought.json["consume_no"] });
  const declined = await call("/purchases", { key: card.key, body: { card_no: card.cardNo, amount: "100.00" } });
  expect(declined.json).toMatchObject({
    approved: false,
    response_code: "51",
    reason: "insufficient_credit",
    detail: "The cardholder's balance does not cover amount and fees.",
  });
});

test("a developer can play a wrong CVV, a wrong expiry, a withdrawal, another currency and a shop of their own", async () => {
  const card = await cardWithKey();
  const play = async (body: object) =>
    (await call("/purchases", { key: card.key, body: { card_no: card.cardNo, amount: "10.00", ...body } })).json;
  expect(await play({ wrong_cvv: true })).toMatchObject({ approved: false, reason: "cvv_mismatch" });
  expect(await play({ wrong_expiry: true })).toMatchObject({ approved: false, reason: "card_expired" });
  expect(await play({ currency: "EUR" })).toMatchObject({ approved: false, reason: "currency_not_supported" });
  const foreign = await play({ currency: "JPY", amount: "1000", billing_amount: "6.40" });
  const cash = await play({ kind: "atm", merchant: { name: "喫茶店", mcc: "6011", city: "Tokyo", country: "JP" } });
  expect([foreign["approved"], cash["approved"]]).toEqual([true, true]);
  expect(await programme.consumption(card, String(foreign["consume_no"]))).toMatchObject({
    amount: 640n,
    localAmount: "1000",
    localCurrency: "JPY",
  });
  expect(await programme.consumption(card, String(cash["consume_no"]))).toMatchObject({
    type: "Atm",
    acceptor: { name: "喫茶店", mcc: "6011", city: "Tokyo", country: "JP" },
  });
});

test("nobody plays with a key that is missing, unknown or too long, nor with another merchant's card", async () => {
  const [card, stranger] = [await cardWithKey(), await cardWithKey()];
  const body = { card_no: card.cardNo, amount: "1.00" };
  for (const key of [undefined, "", "unknown", "k".repeat(300)]) {
    for (const path of ["/purchases", "/clock", `/cards/${card.cardNo}/make`]) {
      const refused = await call(path, { body, ...(key === undefined ? {} : { key }) });
      expect([refused.status, refused.json]).toEqual([401, fault("unauthorized")]);
    }
  }
  const others = await call("/purchases", { key: stranger.key, body });
  const unknown = await call("/purchases", {
    key: stranger.key,
    body: { ...body, card_no: "C20260522NOBODYHASTHIS0000" },
  });
  expect([others.status, others.json]).toEqual([404, fault("card_unknown", "card_no")]);
  expect(unknown).toEqual(others);
  expect(await call(`/cards/${card.cardNo}/make`, { key: stranger.key, body: {} })).toEqual(others);
  expect(await programme.consumptionsOf(card)).toBe(0);
});

test.each([
  ["card_no", { amount: "1.00" }],
  ["card_no", { card_no: 5, amount: "1.00" }],
  ["amount", { card_no: "C1" }],
  ["amount", { card_no: "C1", amount: 1 }],
  ["amount", { card_no: "C1", amount: "-1.00" }],
  ["kind", { card_no: "C1", amount: "1.00", kind: "void" }],
  ["merchant.name", { card_no: "C1", amount: "1.00", merchant: { name: 1 } }],
  ["", { card_no: "C1", amount: "1.00", ammount: "1.00" }],
  ["", []],
])("a purchase with a wrong %s is refused by name", async (field, body) => {
  const { key } = await cardWithKey();
  const refused = await call("/purchases", { key, body });
  expect([refused.status, refused.json]).toEqual([400, fault("invalid_field", field)]);
});

test("what only the network's front can tell is told with the same field names", async () => {
  const card = await cardWithKey();
  for (const [field, wrong] of [
    ["amount", { amount: "1.234" }],
    ["currency", { currency: "usd" }],
    ["billing_amount", { currency: "JPY", amount: "1", billing_amount: "1.234" }],
    ["merchant.mcc", { merchant: { mcc: "12" } }],
    ["network_reference", { network_reference: "a b" }],
  ] as const) {
    const refused = await call("/purchases", {
      key: card.key,
      body: { card_no: card.cardNo, amount: "1.00", ...wrong },
    });
    expect([refused.status, refused.json]).toEqual([400, fault("invalid_field", field)]);
  }
});

test("bodies that are no JSON, too large or of another type are refused, and unknown paths lead to the list", async () => {
  const { key } = await cardWithKey();
  expect(await call("/purchases", { key, body: "{" })).toMatchObject({ status: 400, json: fault("not_json") });
  const large = { card_no: "x".repeat(20_000) };
  expect(await call("/purchases", { key, body: large })).toMatchObject({ status: 413, json: fault("too_large") });
  expect(await call("/nothing", { key })).toMatchObject({ status: 404, json: fault("not_found") });
  const list = await call("/");
  expect(list.status).toBe(200);
  expect(JSON.stringify(list.json)).toContain("POST /sandbox/v1/purchases");
});

test("a network that stops, or is not there, is 503 and nothing happened", async () => {
  const card = await cardWithKey();
  networkAvailability = "stopping";
  const body = { card_no: card.cardNo, amount: "1.00" };
  expect(await call("/purchases", { key: card.key, body })).toMatchObject({
    status: 503,
    json: fault("network_unavailable"),
  });
  const { pool } = programme.db;
  const nowhere = createSandbox({
    pool,
    clock: await createMovableClock({ pool, onError, real: { now: () => startOfTest } }),
    machineClock: systemClock,
    merchants: programme.merchants,
    apiUrl: () => "http://127.0.0.1:9",
    networkToken: "x",
    onError,
    // Port 9 (discard) has no listener on a test machine.
    networkUrl: () => "http://127.0.0.1:9",
    reveal: (key) => programme.vault.revealForSandboxNetwork(key),
    findCard: (key) => programme.cards.find(key),
    scenarios: {
      adminToken: "",
      call: async () => ({ status: 503, json: {} }),
      merchant: async () => ({ merchantNo: "", mode: "credit" }),
      pushesOf: async () => [],
    },
    merchantOf: async () => null,
  });
  const shop = { name: "Shop", mcc: "", city: "", country: "" };
  const sale = { merchantId: card.merchantId, cardNo: card.cardNo, amount: "1.00", currency: "USD", shop } as const;
  expect(await nowhere.terminal.purchase({ ...sale, kind: "purchase", wallet: false })).toEqual({
    ok: false,
    reason: { kind: "network_unavailable" },
  });
  await nowhere.stop();
  expect(await programme.consumptionsOf(card)).toBe(0);
});

const address = {
  firstName: "Ada",
  lastName: "Lovelace",
  phoneCode: "65",
  phone: "61234567",
  postalCode: "018956",
  country: "SG",
  state: "Singapore",
  city: "Singapore",
  addressLine2: "",
};

async function orderPhysical(card: ReadyCard, addressLine1: string, place = 0): Promise<string> {
  const { merchantId, productNo, cardholderNo } = card;
  const applied = await programme.cards.apply({
    merchantId,
    productNo,
    cardholderNo,
    utcOffsetMinutes: 480,
    cardUniqueNo: `physical ${addressLine1} ${place}`,
    cardType: "Physical",
    address: { ...address, addressLine1 },
  });
  if (!applied.ok) throw new Error(applied.reason);
  return applied.value.cardNo;
}

test("physical cards are made as their address says, or as their merchant says", async () => {
  const card = await cardWithKey();
  const { merchantId, key } = card;
  const tell = (cardNo: string, what: string) => call(`/cards/${cardNo}/${what}`, { key, body: {} });
  const statusOf = async (cardNo: string) => (await programme.cards.find({ merchantId, cardNo }))?.status;
  const [quick, broken, slow, early] = [
    await orderPhysical(card, "1 Raffles Quay"),
    await orderPhysical(card, "2 Fail Street"),
    await orderPhysical(card, "3 Manual Road"),
    await orderPhysical(card, "4 Manual Road"),
  ];
  // Said before the worker has ordered the card: it counts all the same.
  expect(await tell(early, "fail")).toEqual({ status: 200, json: { card_no: early, state: "failed" } });
  expect(await programme.cards.advanceMaking()).toBe(1);
  expect(await programme.cards.advanceMaking()).toBe(2);
  const statuses = async () => [
    await statusOf(quick),
    await statusOf(broken),
    await statusOf(slow),
    await statusOf(early),
  ];
  expect(await statuses()).toEqual(["ToActivate", "Fail", "Pending", "Fail"]);
  expect(await tell(slow, "make")).toEqual({ status: 200, json: { card_no: slow, state: "made" } });
  expect(await tell(slow, "make")).toMatchObject({ status: 200 });
  expect(await tell(slow, "fail")).toEqual({ status: 409, json: fault("state_change_not_allowed") });
  expect(await programme.cards.advanceMaking()).toBe(1);
  expect(await statuses()).toEqual(["ToActivate", "Fail", "ToActivate", "Fail"]);
  expect(await tell(slow, "ship")).toMatchObject({ status: 200 });
  expect(await tell(slow, "make")).toMatchObject({ status: 409 });
  expect(await tell(broken, "ship")).toMatchObject({ status: 409 });
  expect(await tell(card.cardNo, "make")).toEqual({ status: 409, json: fault("card_not_physical") });
});

test("cards that stay with the maker for long do not keep newer ones from being made", async () => {
  const card = await cardWithKey();
  for (let place = 0; place < 99; place += 1) {
    await orderPhysical(card, "5 Manual Road", place);
    programme.clock.advance(1);
  }
  const other = await cardWithKey();
  for (let place = 0; place < 3; place += 1) {
    await orderPhysical(other, "6 Quick Road", place);
  }
  await programme.cards.advanceMaking();
  expect(await programme.cards.advanceMaking()).toBe(3);
});

test("the clock moves forward for the whole sandbox, by lengths that mean the same every time", async () => {
  const { key } = await cardWithKey();
  const before = await call("/clock", { key });
  expect(before.json).toEqual({ now: startOfTest, time: "2026-05-22T04:00:00.000Z", ahead_ms: 0 });
  const moved = await call("/clock", { key, body: { advance: "P7DT1S" } });
  const now = startOfTest + 7 * dayMs + 1_000;
  const clockNow = { now, time: new Date(now).toISOString(), ahead_ms: now - startOfTest };
  expect(moved).toEqual({ status: 200, json: { ...clockNow, steps: 1, ran: {}, finished: true } });
  for (const [advance, code] of [
    ["-P1D", "not_a_duration"],
    ["PT0S", "not_positive"],
    ["P401D", "too_long"],
  ] as const) {
    expect(await call("/clock", { key, body: { advance } })).toEqual({ status: 400, json: fault(code, "advance") });
  }
  expect(await call("/clock", { key, body: { advance: 7 } })).toMatchObject({
    status: 400,
    json: fault("invalid_field", "advance"),
  });
  expect((await call("/clock", { key })).json["now"]).toBe(now);
});

test("the shorter path is the same API", async () => {
  const { key } = await cardWithKey();
  const short = await request(`${api.listeningOrigin}/sandbox/clock`, { headers: { "api-key": key } });
  expect(await short.body.json()).toEqual((await call("/clock", { key })).json);
  const nothing = await request(`${api.listeningOrigin}/sandbox/nothing`, { headers: { "api-key": key } });
  expect([nothing.statusCode, await nothing.body.json()]).toEqual([404, fault("not_found")]);
});

test("a bug behind the API is a 500 that tells nothing of it", async () => {
  const card = await cardWithKey();
  const bug = new Error("number 4111111111111111");
  authorize = () => Promise.reject(bug);
  const failed = await call("/purchases", { key: card.key, body: { card_no: card.cardNo, amount: "1.00" } });
  expect(failed).toEqual({ status: 503, json: fault("network_unavailable") });
  expect(errors.splice(0)).toEqual([bug]);
});

test("512 purchases may be under way at one terminal; more are sent away", async () => {
  const card = await cardWithKey();
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  authorize = async () => {
    await held;
    return { approved: true, consumeNo: "O", partialAmount: null, balance: null, repeat: false };
  };
  const sale = {
    merchantId: card.merchantId,
    cardNo: card.cardNo,
    amount: "1.00",
    currency: "USD",
    wallet: false,
  } as const;
  const play = () =>
    sandbox.terminal.purchase({ ...sale, kind: "purchase", shop: purchaseWith(card, "0.00").acceptor });
  const first = Array.from({ length: 512 }, play);
  expect(await play()).toEqual({ ok: false, reason: { kind: "too_many_messages" } });
  letGo();
  expect((await Promise.all(first)).every((played) => played.ok)).toBe(true);
  expect(await play()).toMatchObject({ ok: true });
});
