import { openProgramme, type Programme, type ReadyCard } from "@cardwright/testing/programme";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

const adminToken = "test-admin-token-of-32-characters";
let programme: Programme;
let app: FastifyInstance;
let card: ReadyCard;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];

beforeAll(async () => {
  programme = await openProgramme();
  const rooms = operatorRooms(programme.db, programme.clock);
  callbacks = rooms.callbacks;
  app = Fastify();
  await app.register(operatorApi({ ...rooms, clock: programme.clock, adminToken }));
  card = await programme.issueCard();
});

afterAll(async () => {
  await app.close();
  await callbacks.stop();
  await programme.close();
});

async function call(
  method: "GET" | "PUT",
  options: { readonly merchantNo?: string; readonly body?: object } = {},
): Promise<readonly [status: number, json: unknown]> {
  const { merchantNo = card.merchantNo, body } = options;
  const answer = await app.inject({
    method,
    url: `/merchants/${merchantNo}/management-exemptions`,
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body === undefined ? {} : { payload: body }),
  });
  return [answer.statusCode, answer.json()];
}

test("an operator exempts one card, then the whole merchant, and takes both back; each change is audited once", async () => {
  const one = { card_no: card.cardNo, exempt: true };
  const all = { card_no: null, exempt: true };
  expect(await call("PUT", { body: one })).toEqual([200, one]);
  expect(await call("PUT", { body: one })).toEqual([200, one]);
  expect(await call("PUT", { body: all })).toEqual([200, all]);
  const created_at = programme.clock.now();
  expect(await call("GET")).toEqual([
    200,
    {
      list: [
        { card_no: null, created_at },
        { card_no: card.cardNo, created_at },
      ],
    },
  ]);
  for (const body of [one, all]) {
    expect(await call("PUT", { body: { ...body, exempt: false } })).toMatchObject([200, { exempt: false }]);
  }
  expect(await call("GET")).toEqual([200, { list: [] }]);
  const { rows } = await programme.db.pool.query(
    "SELECT action, subject, actor FROM audit_entry WHERE action LIKE 'management.%' ORDER BY entry_no",
  );
  expect(rows).toEqual([
    { action: "management.exempt", subject: card.cardNo, actor: "admin" },
    { action: "management.exempt", subject: "every card", actor: "admin" },
    { action: "management.exempt_no_more", subject: card.cardNo, actor: "admin" },
    { action: "management.exempt_no_more", subject: "every card", actor: "admin" },
  ]);
});

test("what does not exist is not exempted", async () => {
  const stranger = await programme.issueCard();
  expect(await call("PUT", { body: { card_no: stranger.cardNo, exempt: true } })).toMatchObject([
    404,
    { error: { code: "card_unknown" } },
  ]);
  const nobody = { merchantNo: "M20260522NOBODY", body: { card_no: null, exempt: true } };
  expect(await call("PUT", nobody)).toMatchObject([404, { error: { code: "merchant_unknown" } }]);
  expect(await call("PUT", { body: { exempt: true } })).toMatchObject([400, { error: { field: "card_no" } }]);
});
