import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import type { AuthorizationAnswer, AuthorizationRequest } from "#authorization/index.ts";
import { type Availability, authorizationsPath, buildNetworkFront } from "./index.ts";

const token = "network-token-of-the-test-0123456789";
const pan = "4111111111111111";
const cvv = "987";

/** Everything that a test may see of one front: what reached the decision, what was answered, what was logged. */
interface Front {
  readonly server: FastifyInstance;
  readonly url: string;
  readonly requests: AuthorizationRequest[];
  readonly errors: unknown[];
  readonly log: string[];
  answer: AuthorizationAnswer;
  availability: Availability;
}

const open: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function openFront(): Promise<Front> {
  const log: string[] = [];
  const server = Fastify({ logger: { level: "trace", stream: { write: (line: string) => void log.push(line) } } });
  open.push(server);
  const front = {
    server,
    requests: [] as AuthorizationRequest[],
    errors: [] as unknown[],
    log,
    answer: {
      approved: true,
      consumeNo: "O1",
      partialAmount: null,
      balance: null,
      repeat: false,
    } as AuthorizationAnswer,
    availability: "open" as Availability,
  };
  await server.register(
    buildNetworkFront({
      networkToken: token,
      availability: () => front.availability,
      onError: (error) => void front.errors.push(error),
      authorize: async (request) => {
        front.requests.push(request);
        return front.answer;
      },
    }),
  );
  await server.listen({ port: 0, host: "127.0.0.1" });
  return Object.assign(front, { url: `${server.listeningOrigin}${authorizationsPath}` });
}

const message = {
  network_reference: "ref-1",
  pan,
  cvv,
  expiry: { year: 2029, month: 5 },
  kind: "purchase",
  amount: "12.5",
  currency: "USD",
  merchant: { name: "Shop", mcc: "5411", city: "Singapore", country: "SG" },
};

async function post(front: Front, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(front.url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: JSON.parse(text) as Record<string, unknown>,
  };
}

test("an authorization reaches the decision in minor units and its answer carries field 39", async () => {
  const front = await openFront();
  const approved = await post(front, message);
  expect([approved.status, approved.json]).toEqual([
    200,
    {
      approved: true,
      response_code: "00",
      approved_amount: "",
      balance: "",
      reason: "",
      consume_no: "O1",
      repeat: false,
      elapsed_ms: expect.any(Number),
    },
  ]);
  expect(front.requests).toEqual([
    {
      networkReference: "ref-1",
      pan,
      cvv,
      expiry: { year: 2029, month: 5 },
      kind: "purchase",
      wallet: false,
      partialAllowed: false,
      amount: 1250n,
      currency: "USD",
      billingAmount: null,
      exchangeRate: null,
      incrementOf: null,
      recurring: false,
      acceptor: { name: "Shop", mcc: "5411", city: "Singapore", country: "SG" },
    },
  ]);
  front.answer = { approved: false, consumeNo: null, reason: "card_not_found", merchantReason: null, repeat: false };
  const declined = await post(front, message);
  expect(declined.json).toMatchObject({
    approved: false,
    response_code: "14",
    reason: "card_not_found",
    consume_no: "",
  });
});

test("amounts have the decimals of their own currency, and a converted amount has two", async () => {
  const front = await openFront();
  await post(front, { ...message, currency: "JPY", amount: "1000", billing_amount: "6.4" });
  await post(front, { ...message, currency: "KWD", amount: "1.234", billing_amount: "4.02" });
  expect(front.requests.map(({ amount, billingAmount }) => [amount, billingAmount])).toEqual([
    [1000n, 640n],
    [1234n, 402n],
  ]);
  for (const [field, wrong] of [
    ["amount", { currency: "JPY", amount: "1000.5" }],
    ["amount", { amount: "1.234" }],
    ["billing_amount", { currency: "JPY", amount: "1000", billing_amount: "1.234" }],
    ["amount", { amount: "100000000000.00" }],
    ["currency", { currency: "XXX" }],
  ] as const) {
    const refused = await post(front, { ...message, ...wrong });
    expect([refused.status, refused.json["error"]]).toEqual([
      400,
      expect.objectContaining({ code: "invalid_field", field }),
    ]);
  }
  expect(front.requests).toHaveLength(2);
});

test("the shop's texts are cut and cleaned of what JSON libraries escape differently", async () => {
  const front = await openFront();
  await post(front, {
    ...message,
    merchant: { ...message.merchant, name: `A\u2028B\u0007${"x".repeat(300)}`, city: "y".repeat(100) },
  });
  const [request] = front.requests;
  expect(request?.acceptor.name).toBe(`A B ${"x".repeat(124)}`);
  expect(request?.acceptor.city).toHaveLength(64);
});

test("without the right token nothing of a message is looked at", async () => {
  const front = await openFront();
  for (const authorization of ["", "Bearer ", `Bearer ${token}x`, token, `bearer ${token}`]) {
    const refused = await post(front, "not even JSON", { authorization });
    expect([refused.status, refused.json["error"]]).toEqual([401, expect.objectContaining({ code: "unauthorized" })]);
  }
  expect(front.requests).toEqual([]);
});

test("a message that cannot be understood names the field and repeats no value, and nothing of it is logged", async () => {
  const front = await openFront();
  const wrong: readonly (readonly [string, unknown])[] = [
    ["network_reference", { ...message, network_reference: "a b" }],
    ["network_reference", { ...message, network_reference: "x".repeat(65) }],
    ["pan", { ...message, pan: "4111-1111" }],
    ["pan", { ...message, pan: 4111111111111111 }],
    ["expiry.month", { ...message, expiry: { year: 2029, month: 13 } }],
    ["expiry.year", { ...message, expiry: { month: 5 } }],
    ["cvv", { ...message, cvv: pan }],
    ["kind", { ...message, kind: pan }],
    ["wallet", { ...message, wallet: "true" }],
    ["amount", { ...message, amount: 12.5 }],
    ["amount", { ...message, amount: "-1.00" }],
    ["amount", { ...message, amount: "1e3" }],
    ["merchant", { ...message, merchant: null }],
    ["merchant.mcc", { ...message, merchant: { ...message.merchant, mcc: "54" } }],
    ["merchant.country", { ...message, merchant: { ...message.merchant, country: "sg" } }],
    ["merchant.name", { ...message, merchant: { mcc: "", city: "", country: "" } }],
    ["", { ...message, [pan]: cvv }],
    ["", [message]],
  ];
  for (const [field, body] of wrong) {
    const refused = await post(front, body);
    expect([refused.status, refused.json["error"]]).toEqual([400, expect.objectContaining({ field })]);
    expect(refused.text).not.toContain(pan);
  }
  for (const body of [
    "",
    "{",
    "nonsense",
    `{"pan":"1","pan":"2"}`,
    "null",
    `{"a":${"[".repeat(100)}${"]".repeat(100)}}`,
  ]) {
    expect((await post(front, body)).status).toBe(400);
  }
  await post(front, message);
  expect(front.requests).toHaveLength(1);
  expect(front.log.join("")).toContain(authorizationsPath);
  expect(front.log.join("")).not.toMatch(new RegExp(`${pan}|cvv|Bearer`, "u"));
});

test("a body above 16 KB and another media type are refused", async () => {
  const front = await openFront();
  const large = await post(front, { ...message, merchant: { ...message.merchant, name: "x".repeat(17_000) } });
  expect(large.status).toBe(413);
  expect((await post(front, JSON.stringify(message), { "content-type": "text/plain" })).status).toBe(415);
  expect(front.requests).toEqual([]);
});

test("while the process stops or has no database the network is sent away with 503 and told when to come again", async () => {
  const front = await openFront();
  for (const availability of ["stopping", "no_database"] as const) {
    front.availability = availability;
    const refused = await post(front, message);
    expect([refused.status, refused.json["error"]]).toEqual([503, expect.objectContaining({ code: availability })]);
    expect(refused.headers.get("retry-after")).toMatch(/^[0-9]+$/u);
  }
  expect(front.requests).toEqual([]);
});

test("a decision that was lost with the database is 503, so that the network asks again", async () => {
  const front = await openFront();
  front.answer = { approved: false, consumeNo: null, reason: "system_error", merchantReason: null, repeat: false };
  expect((await post(front, message)).json).toMatchObject({ response_code: "96", reason: "system_error" });
  front.requests.push = (...requests) => {
    front.availability = "no_database";
    return requests.length;
  };
  const lost = await post(front, message);
  expect([lost.status, lost.json["error"]]).toEqual([503, expect.objectContaining({ code: "no_database" })]);
});

test("a bug behind the front is a 500 that tells nothing", async () => {
  const front = await openFront();
  const bug = new Error(`secret ${pan}`);
  Object.defineProperty(front, "answer", {
    get: () => {
      throw bug;
    },
  });
  const failed = await post(front, message);
  expect([failed.status, failed.text.includes("secret")]).toEqual([500, false]);
  expect(front.errors).toEqual([bug]);
});

test("a part that was approved and a merchant's own reason reach the shop in field 39", async () => {
  const front = await openFront();
  front.answer = { approved: true, consumeNo: "O1", partialAmount: 1_000n, balance: null, repeat: false };
  const partial = await post(front, { ...message, network_reference: "ref-partial", partial_allowed: true });
  expect(partial.json).toMatchObject({ approved: true, response_code: "10", approved_amount: "10.00" });
  expect(front.requests.at(-1)?.partialAllowed).toBe(true);
  const refused = { approved: false, consumeNo: "O2", reason: "merchant_declined", repeat: false } as const;
  front.answer = { ...refused, merchantReason: "suspected_fraud" };
  expect((await post(front, message)).json).toMatchObject({ response_code: "59", reason: "merchant_declined" });
  front.answer = { ...refused, merchantReason: "because" };
  expect((await post(front, message)).json).toMatchObject({ response_code: "05", reason: "merchant_declined" });
});
