import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operatorApi } from "../../apps/server/src/console-api/index.ts";
import { operatorRooms } from "../../apps/server/src/console-api/operator-rooms.testing.ts";
import { openProgramme, type Programme, presentmentWith, type ReadyCard } from "../support/programme.ts";
import { authorized, mustBeClean } from "./books.ts";

const adminToken = "test-admin-token-of-32-characters";
let programme: Programme;
let card: ReadyCard;
let app: FastifyInstance;
let rooms: ReturnType<typeof operatorRooms>;

beforeAll(async () => {
  programme = await openProgramme();
  card = await programme.issueCard();
  app = Fastify({ logger: false });
  const { clearing, clock } = programme;
  rooms = operatorRooms(programme.db, clock);
  await app.register(operatorApi({ ...rooms, clearing, clock, adminToken }));
});

afterAll(async () => {
  await app.close();
  await rooms.callbacks.stop();
  await mustBeClean(programme);
  await programme.close();
});

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const headers = { authorization: `Bearer ${adminToken}` };
  const response = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const body: unknown = response.json();
  return { status: response.statusCode, body };
}

test("an operator sees the refunds that are parked and decides, once", async () => {
  const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
  const clear = (amount: string, kind: "purchase" | "refund") =>
    programme.clearing.clear(presentmentWith(card, amount, { kind, originalReference }));
  await clear("100.00", "purchase");
  await clear("150.00", "refund");
  const listed = await call("GET", `/parked-refunds?merchant_no=${card.merchantNo}&status=Open`);
  expect(listed).toEqual({
    status: 200,
    body: {
      list: [
        {
          parked_no: expect.stringMatching(/^K2026/u),
          merchant_no: card.merchantNo,
          card_no: card.cardNo,
          cardholder_no: card.cardholderNo,
          purchase_no: consumeNo,
          consume_no: "",
          network_reference: expect.any(String),
          amount: "150.00",
          refundable: "100.00",
          local_amount: "150.00",
          local_currency: "USD",
          shop: "Corner Shop",
          status: "Open",
          note: "",
          created_at: programme.clock.now(),
          resolved_at: null,
        },
      ],
    },
  });
  const [parked] = await programme.clearing.listParkedRefunds({ page: 0, size: 1 });
  const path = `/parked-refunds/${parked?.parkedNo}/resolve`;
  expect(await call("POST", path, { resolution: "burn" })).toMatchObject({ status: 400 });
  const kept = { status: 200, body: { status: "KeptForMerchant", note: "asked", resolved_at: programme.clock.now() } };
  expect(await call("POST", path, { resolution: "keep_for_merchant", note: "asked" })).toMatchObject(kept);
  expect(await call("POST", path, { resolution: "keep_for_merchant" })).toMatchObject(kept);
  expect(await call("POST", path, { resolution: "release" })).toMatchObject({
    status: 409,
    body: { error: { code: "parked_refund_resolved" } },
  });
  expect(await call("GET", "/parked-refunds?status=Open")).toEqual({ status: 200, body: { list: [] } });
});

test("numbers that do not exist are told as such", async () => {
  expect(await call("POST", "/parked-refunds/K0/resolve", { resolution: "release" })).toMatchObject({
    status: 404,
    body: { error: { code: "parked_refund_unknown" } },
  });
  expect(await call("GET", "/parked-refunds?merchant_no=M0")).toMatchObject({ status: 404 });
});
