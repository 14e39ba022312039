import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  adviceRoute,
  advicesPath,
  buildNetworkFront,
  clearingRoute,
  clearingsPath,
} from "../../apps/server/src/network/index.ts";
import { openProgramme, type Programme, type ReadyCard } from "../support/programme.ts";
import { authorized, mustBeClean, potsOf } from "./books.ts";

const networkToken = "network-token-of-the-test-0123456789";
let programme: Programme;
let card: ReadyCard;
let server: FastifyInstance;
const log: string[] = [];
const errors: unknown[] = [];
const state: { availability: "open" | "stopping" } = { availability: "open" };

beforeAll(async () => {
  programme = await openProgramme();
  card = await programme.issueCard();
  server = Fastify({ logger: { level: "trace", stream: { write: (line: string) => void log.push(line) } } });
  await server.register(
    buildNetworkFront({
      networkToken,
      availability: () => state.availability,
      onError: (error) => void errors.push(error),
      authorize: (request) => programme.authorization.authorize(request),
      messages: [
        clearingRoute((presentment) => programme.clearing.clear(presentment)),
        adviceRoute((advice) => programme.clearing.advise(advice)),
      ],
    }),
  );
  await server.listen({ port: 0, host: "127.0.0.1" });
});

afterAll(async () => {
  await server.close();
  await mustBeClean(programme);
  await programme.close();
});

async function post(path: string, body: unknown, token = networkToken) {
  const response = await fetch(`${server.listeningOrigin}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const json: unknown = await response.json();
  return { status: response.status, json };
}

const merchant = { name: "Shop", mcc: "5411", city: "Singapore", country: "SG" };
let references = 0;
/** With everything that must be there; each call is a new message. */
const messageWith = (changed: Record<string, unknown> = {}) => {
  references += 1;
  return {
    network_reference: `front-${references}`,
    pan: card.printed.pan,
    kind: "purchase",
    amount: "10.00",
    currency: "USD",
    merchant,
    ...changed,
  };
};

test("a clearing is answered with what became of it, and a repeat with the same", async () => {
  const { originalReference, consumeNo } = await authorized(programme, card, "10.00");
  const message = messageWith({ original_reference: originalReference, amount: "4.00", final: false });
  const answer = { accepted: true, effect: "partially_cleared", consume_no: consumeNo, repeat: false };
  const elapsed = { elapsed_ms: expect.any(Number) };
  expect(await post(clearingsPath, message)).toEqual({ status: 200, json: { ...answer, ...elapsed } });
  expect(await post(clearingsPath, message)).toEqual({ status: 200, json: { ...answer, repeat: true, ...elapsed } });
  const rest = messageWith({ original_reference: originalReference, amount: "6.00" });
  expect(await post(clearingsPath, rest)).toMatchObject({ json: { effect: "cleared" } });
  expect(await post(clearingsPath, { ...rest, amount: "7.00" })).toEqual({
    status: 200,
    json: { accepted: false, effect: "duplicate", consume_no: "", repeat: false, ...elapsed },
  });
  expect(await programme.pots(card)).toEqual(potsOf(card, ["989.50", "0.00"], ["9989.90", "0.00"]));
});

test("an advice is booked and a foreign refund converted by the message's own rate", async () => {
  const advice = messageWith({ recurring: true, wallet: false, expiry: card.printed.expiry, cvv: card.printed.cvv });
  expect(await post(advicesPath, advice)).toMatchObject({ status: 200, json: { accepted: true, effect: "booked" } });
  const refund = messageWith({ kind: "refund", amount: "1000", currency: "JPY", exchange_rate: "0.0065" });
  const { json } = await post(clearingsPath, refund);
  expect(json).toMatchObject({ accepted: true, effect: "refunded" });
  expect(await programme.pots(card)).toMatchObject({ credit: ["985.50", "10.50"] });
});

test("a number of no card is answered as such", async () => {
  expect(await post(clearingsPath, messageWith({ pan: "4111111111111111" }))).toMatchObject({
    status: 200,
    json: { accepted: false, effect: "card_not_found", consume_no: "" },
  });
});

test.each([
  [clearingsPath, { network_reference: "" }, "network_reference"],
  [clearingsPath, { original_reference: "a b" }, "original_reference"],
  [clearingsPath, { pan: 5 }, "pan"],
  [clearingsPath, { kind: "balance_inquiry" }, "kind"],
  [clearingsPath, { final: "true" }, "final"],
  [clearingsPath, { amount: "1.234" }, "amount"],
  [clearingsPath, { amount: "1.5", currency: "JPY" }, "amount"],
  [clearingsPath, { amount: "-1" }, "amount"],
  [clearingsPath, { currency: "XXX" }, "currency"],
  [clearingsPath, { billing_amount: "1.234" }, "billing_amount"],
  [clearingsPath, { exchange_rate: "0" }, "exchange_rate"],
  [clearingsPath, { exchange_rate: "1e3" }, "exchange_rate"],
  [clearingsPath, { merchant: { ...merchant, mcc: "54" } }, "merchant.mcc"],
  [clearingsPath, { merchant: undefined }, "merchant"],
  [clearingsPath, { finall: true }, ""],
  [advicesPath, { kind: "refund" }, "kind"],
  [advicesPath, { recurring: 1 }, "recurring"],
  [advicesPath, { increment_of: "a b" }, "increment_of"],
  [advicesPath, { final: true }, ""],
])("%s with %j names the field that is wrong and repeats no value", async (path, changed, field) => {
  const { status, json } = await post(path, messageWith(changed));
  expect(status).toBe(400);
  expect(json).toMatchObject({
    error: { code: "invalid_field", field, message: expect.stringMatching(/^(?:must|there)/u) },
  });
});

test("nobody without the token is heard, and a process that stops sends the network away", async () => {
  expect(await post(clearingsPath, messageWith(), "wrong")).toMatchObject({ status: 401 });
  state.availability = "stopping";
  expect(await post(advicesPath, messageWith())).toMatchObject({ status: 503, json: { error: { code: "stopping" } } });
  state.availability = "open";
});

test("no card number and no CVV has reached the log", () => {
  const text = log.join("\n");
  expect(text).not.toContain(card.printed.pan);
  expect(text).not.toContain(`"${card.printed.cvv}"`);
  expect(errors).toEqual([]);
});
