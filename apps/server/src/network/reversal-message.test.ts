import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import type { Clearing, MessageAnswer, ReversalMessage } from "#clearing/index.ts";
import { ok, refused } from "#kernel/index.ts";
import { buildNetworkFront, reversalRoute, reversalsPath } from "./index.ts";

const token = "network-token-of-the-test-0123456789";
const pan = "4111111111111111";
const open: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const reversed: MessageAnswer = { accepted: true, effect: "reversed", consumeNo: "O1", repeat: false };
const message = { network_reference: "r-1", original_reference: "a-1", pan };

/** A front whose reversals are answered by `reverse`, and what reached it. */
async function openFront(reverse: Clearing["reverse"] = async () => ok(reversed)) {
  const seen: ReversalMessage[] = [];
  const log: string[] = [];
  const server = Fastify({ logger: { level: "trace", stream: { write: (line: string) => void log.push(line) } } });
  open.push(server);
  await server.register(
    buildNetworkFront({
      networkToken: token,
      availability: () => "open",
      onError: () => undefined,
      authorize: () => Promise.reject(new Error("not an authorization")),
      messages: [
        reversalRoute((said) => {
          seen.push(said);
          return reverse(said);
        }),
      ],
    }),
  );
  await server.listen({ port: 0, host: "127.0.0.1" });
  const post = async (body: unknown, authorization = `Bearer ${token}`) => {
    const response = await fetch(`${server.listeningOrigin}${reversalsPath}`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json() };
  };
  return { seen, log, post };
}

test("a reversal is answered with what became of it, and reaches the room as the network said it", async () => {
  const front = await openFront();
  expect(await front.post(message)).toMatchObject({
    status: 200,
    body: { accepted: true, effect: "reversed", consume_no: "O1", repeat: false },
  });
  await front.post({ ...message, amount: "12.50", billing_amount: "13.1" });
  expect(front.seen).toEqual([
    { networkReference: "r-1", originalReference: "a-1", pan, amount: null, billingAmount: null },
    { networkReference: "r-1", originalReference: "a-1", pan, amount: "12.50", billingAmount: 1_310n },
  ]);
  expect(front.log.join("")).not.toContain(pan);
});

test("a card that is not known and a reference with other content are answered, not refused", async () => {
  const front = await openFront(async () => ok({ accepted: false, effect: "card_not_found" }));
  expect(await front.post(message)).toMatchObject({
    status: 200,
    body: { accepted: false, effect: "card_not_found", consume_no: "" },
  });
});

test("the network is told to come again while the merchant of the original is being asked", async () => {
  const front = await openFront(async () => ok({ accepted: false, effect: "authorization_under_way" }));
  expect(await front.post(message)).toMatchObject({
    status: 200,
    body: { accepted: false, effect: "authorization_under_way", consume_no: "" },
  });
});

test.each([
  ["original_reference", { ...message, original_reference: "" }],
  ["original_reference", { network_reference: "r-1", pan }],
  ["amount", { ...message, amount: "1,00" }],
  ["billing_amount", { ...message, billing_amount: "1.001" }],
  ["pan", { ...message, pan: "4111" }],
])("a message whose %s cannot be understood is told so, and nothing of it is repeated", async (field, body) => {
  const front = await openFront();
  const answer = await front.post(body);
  expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_field", field } } });
  expect(front.seen).toEqual([]);
  expect(JSON.stringify(answer.body)).not.toContain("4111");
});

test("an amount with more decimals than the transaction's currency is told as an invalid amount", async () => {
  const front = await openFront(async () => refused("amount"));
  expect(await front.post({ ...message, amount: "0.50" })).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_field", field: "amount" } },
  });
});

test("without the network's token nothing is reversed", async () => {
  const front = await openFront();
  expect(await front.post(message, "Bearer wrong")).toMatchObject({ status: 401 });
  expect(front.seen).toEqual([]);
});
