import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ok, refused } from "#kernel/index.ts";
import { createTerminal, type SaidMessage, type Terminal } from "./terminal.ts";

/** A network front that writes down what comes and answers what the test wants: what the messages do is the platform's own tests' business. */
let network: FastifyInstance;
let terminal: Terminal;
let answer: { readonly status: number; readonly body: object };
const received: { readonly path: string; readonly body: unknown }[] = [];
const sent: SaidMessage[] = [];

const now = Date.UTC(2026, 4, 22);
const card = { merchantId: 7, cardNo: "C1" };
const printed = { pan: "4938752000001234", expiry: { year: 2029, month: 5 }, cvv: "123" };
const shop = { name: "Shop", mcc: "5999", city: "Oslo", country: "NO" };
const accepted = { accepted: true, effect: "cleared", consume_no: "O1", repeat: false, elapsed_ms: 1.2 };

beforeAll(async () => {
  network = Fastify();
  network.post("/network/v1/*", (request, reply) => {
    received.push({ path: request.url, body: request.body });
    return reply.code(answer.status).send(answer.body);
  });
  await network.listen({ port: 0, host: "127.0.0.1" });
  terminal = createTerminal({
    networkUrl: () => network.listeningOrigin,
    networkToken: "token",
    clock: { now: () => now },
    reveal: async ({ cardNo }) => (cardNo === "C1" ? ok(printed) : refused("card_unknown")),
    recordSent: async (message) => void sent.push(message),
  });
});

beforeEach(() => {
  received.length = 0;
  sent.length = 0;
  answer = { status: 200, body: accepted };
});

afterAll(async () => {
  await terminal.close();
  await network.close();
});

const clearing = { ...card, kind: "purchase", amount: "12.50", currency: "USD", shop, final: true } as const;

test("a clearing names its authorization, and a forced one names none", async () => {
  const cleared = await terminal.clear({ ...clearing, networkReference: "c1", originalReference: "p1", final: false });
  expect(cleared).toMatchObject({
    ok: true,
    value: { networkReference: "c1", accepted: true, effect: "cleared", consumeNo: "O1", repeat: false },
  });
  await terminal.clear({ ...clearing, networkReference: "c2" });
  const common = { pan: printed.pan, kind: "purchase", amount: "12.50", currency: "USD", merchant: shop };
  expect(received).toEqual([
    {
      path: "/network/v1/clearings",
      body: { network_reference: "c1", original_reference: "p1", final: false, ...common },
    },
    {
      path: "/network/v1/clearings",
      body: { network_reference: "c2", original_reference: "", final: true, ...common },
    },
  ]);
});

test("a reversal of everything has no amount, one of a part has", async () => {
  await terminal.reverse({ ...card, networkReference: "r1", originalReference: "p1" });
  await terminal.reverse({ ...card, networkReference: "r2", originalReference: "p1", amount: "4.00" });
  expect(received.map(({ path, body }) => [path, body])).toEqual([
    ["/network/v1/reversals", { network_reference: "r1", pan: printed.pan, original_reference: "p1" }],
    ["/network/v1/reversals", { network_reference: "r2", pan: printed.pan, original_reference: "p1", amount: "4.00" }],
  ]);
});

test("an authorization leaves out what was not said, and an advice is the same message elsewhere", async () => {
  const purchase = { ...card, kind: "purchase", amount: "10.00", currency: "EUR", wallet: false, shop } as const;
  answer = { status: 200, body: { approved: true, repeat: false, response_code: "10", approved_amount: "4.00" } };
  const receipt = await terminal.purchase({ ...purchase, networkReference: "p1" });
  expect(receipt).toMatchObject({ ok: true, value: { approved: true, approvedAmount: "4.00", consumeNo: "" } });
  answer = { status: 200, body: { ...accepted, effect: "booked" } };
  const more = {
    incrementOf: "p1",
    recurring: true,
    partialAllowed: true,
    exchangeRate: "1.1",
    billingAmount: "11.00",
  };
  await terminal.advise({ ...purchase, ...more, networkReference: "a1" });
  const { pan, cvv, expiry } = printed;
  const common = {
    pan,
    cvv,
    expiry,
    kind: "purchase",
    wallet: false,
    amount: "10.00",
    currency: "EUR",
    merchant: shop,
  };
  expect(received).toEqual([
    { path: "/network/v1/authorizations", body: { network_reference: "p1", ...common } },
    {
      path: "/network/v1/advices",
      body: {
        network_reference: "a1",
        ...common,
        increment_of: "p1",
        recurring: true,
        partial_allowed: true,
        exchange_rate: "1.1",
        billing_amount: "11.00",
      },
    },
  ]);
});

test("the network's books have every accepted message once, with what it settles for", async () => {
  await terminal.clear({ ...clearing, networkReference: "c1", originalReference: "p1" });
  await terminal.clear({
    ...clearing,
    kind: "refund",
    networkReference: "f1",
    currency: "EUR",
    billingAmount: "13.75",
  });
  answer = { status: 200, body: { ...accepted, repeat: true } };
  await terminal.clear({ ...clearing, networkReference: "c1", originalReference: "p1" });
  answer = { status: 200, body: { ...accepted, accepted: false, effect: "duplicate" } };
  await terminal.clear({ ...clearing, networkReference: "c1", amount: "1.00" });
  const common = { merchantId: 7, lastFour: "1234", amount: "12.50", at: now };
  expect(sent).toEqual([
    {
      ...common,
      kind: "clearing",
      effect: "cleared",
      networkReference: "c1",
      originalReference: "p1",
      currency: "USD",
      settledUsd: "12.50",
    },
    {
      ...common,
      kind: "refund",
      effect: "cleared",
      networkReference: "f1",
      originalReference: "",
      currency: "EUR",
      settledUsd: "13.75",
    },
  ]);
});

test("what the front does not understand, does not answer, or answers for an unknown card is told apart", async () => {
  expect(await terminal.clear({ ...clearing, cardNo: "C2" })).toEqual({ ok: false, reason: { kind: "card_unknown" } });
  answer = { status: 400, body: { error: { code: "invalid_field", field: "currency", message: "must be a code" } } };
  expect(await terminal.clear(clearing)).toEqual({
    ok: false,
    reason: { kind: "not_accepted", field: "currency", message: "must be a code" },
  });
  answer = { status: 503, body: {} };
  expect(await terminal.clear(clearing)).toEqual({ ok: false, reason: { kind: "network_unavailable" } });
  answer = { status: 200, body: { something: "else" } };
  expect(await terminal.clear(clearing)).toEqual({ ok: false, reason: { kind: "network_unavailable" } });
  expect(sent).toEqual([]);
});
