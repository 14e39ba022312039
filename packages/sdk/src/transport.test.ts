import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  refusal,
  type SeenCall,
  type SmallPlatform,
  startSmallPlatform,
  success,
} from "../test/small-platform.ts";
import { type Cardwright, ConnectionError, RateLimitError, ServerError, TimeoutError } from "./index.ts";

let platform: SmallPlatform | undefined;
afterEach(async () => {
  await platform?.close();
  platform = undefined;
});

async function start(answer: (seen: SeenCall, count: number) => Answer | "hang" | "break"): Promise<SmallPlatform> {
  platform = await startSmallPlatform(answer);
  return platform;
}

const approved = (): Answer => success({ status: "Approved", list: [] });

test("a call carries key, token, time, language, zone and body", async () => {
  const { clientOf, made } = await start(() => success({ transfer_no: "T1" }));
  const client = clientOf({ language: "zh_CN", timezone: "UTC-5" });
  await client.accounts.transfer({ cardholder_no: "U1", transfer_unique_no: "t-1", type: "In", balance: "5.00" });
  const [call] = made();
  expect(call?.call).toBe("POST /account/transfer");
  expect(JSON.parse(call?.body ?? "")).toEqual({
    cardholder_no: "U1",
    transfer_unique_no: "t-1",
    type: "In",
    balance: "5.00",
  });
  expect(call?.headers).toMatchObject({
    "api-key": "key-of-the-test",
    "access-token": "token-1",
    "content-type": "application/json",
    language: "zh_CN",
    timezone: "UTC-5",
    timestamp: expect.stringMatching(/^\d{13}$/u),
  });
});

test("fifty first calls at once fetch one token, and later calls none", async () => {
  const { clientOf, tokens } = await start(approved);
  const client = clientOf();
  await Promise.all(Array.from({ length: 50 }, () => client.cardholders.retrieve("U1")));
  await client.cardholders.retrieve("U1");
  expect(tokens()).toBe(1);
  expect(await client.accessToken()).toBe("token-1");
});

test("fifty calls that meet an ended token fetch one new one", async () => {
  const { clientOf, tokens, ended } = await start(approved);
  const client = clientOf();
  await client.cardholders.retrieve("U1");
  ended.add("token-1");
  await Promise.all(Array.from({ length: 50 }, () => client.cardholders.retrieve("U1")));
  expect(tokens()).toBe(2);
});

test("a token is renewed a minute before it runs out, by the platform's clock", async () => {
  const small = await start(approved);
  let movedMs = 0;
  const client = small.clientOf({ now: () => Date.now() + movedMs });
  await client.cardholders.retrieve("U1");
  movedMs = small.aheadMs = 86_400_000 - 30_000;
  await client.cardholders.retrieve("U1");
  expect(small.tokens()).toBe(2);
});

test("a platform that takes no token at all is asked twice and no more", async () => {
  const { clientOf, made } = await start(() => refusal(1007, "Access-Token invalid or expired"));
  await expect(clientOf().cardholders.retrieve("U1")).rejects.toMatchObject({
    code: 1007,
    name: "AuthenticationError",
  });
  expect(made()).toHaveLength(2);
});

test("a caller that gives up does not take the token from the others", async () => {
  const { clientOf, tokens } = await start(approved);
  const client = clientOf();
  const giveUp = new AbortController();
  const given = client.cardholders.retrieve("U1", { signal: giveUp.signal });
  const other = client.cardholders.retrieve("U2");
  giveUp.abort(new Error("no longer wanted"));
  await expect(given).rejects.toThrow("no longer wanted");
  expect(await other).toMatchObject({ status: "Approved" });
  expect(tokens()).toBe(1);
});

test.each([-600_000, -61_000, -1_500, -300, 300, 1_500, 61_000, 600_000, 86_400_000])(
  "with the platform's clock %i ms away every call has a good time from the first on",
  async (aheadMs) => {
    const small = await start(approved);
    small.aheadMs = aheadMs;
    const client = small.clientOf();
    for (let call = 0; call < 3; call += 1) await client.cardholders.retrieve("U1");
    expect(small.made()).toHaveLength(3);
  },
);

test.each([-600_000, 600_000])(
  "a clock that is set by %i ms meanwhile is learned again, at the cost of one call",
  async (stepMs) => {
    const small = await start(approved);
    const client = small.clientOf();
    await client.cardholders.retrieve("U1");
    small.aheadMs = stepMs;
    await client.cardholders.retrieve("U1");
    await client.cardholders.retrieve("U1");
    expect(small.made()).toHaveLength(4);
  },
);

test.each([-1_500, -25_000, 25_000])(
  "without any Date the client learns from refusals that the platform's clock is %i ms away",
  async (aheadMs) => {
    const small = await start(approved);
    small.hasDate = false;
    small.aheadMs = aheadMs;
    const client = small.clientOf();
    await client.cardholders.retrieve("U1");
    await client.cardholders.retrieve("U1");
    expect(small.made().length).toBeLessThanOrEqual(4);
  },
);

test("a clock that cannot be followed ends in the platform's refusal", async () => {
  const small = await start(approved);
  small.hasDate = false;
  small.aheadMs = -600_000;
  await expect(small.clientOf().cardholders.retrieve("U1")).rejects.toMatchObject({ code: 1005 });
  expect(small.made().length).toBeLessThanOrEqual(4);
});

const application = { cardholder_no: "U1", card_unique_no: "c-1", card_type: "Virtual" } as const;
const transfer = { cardholder_no: "U1", transfer_unique_no: "t-1", type: "In", balance: "1.00" } as const;
const encrypted = { card_no: "C1", cardholder_no: "U1" };
const calls: readonly [name: string, isSafe: boolean, (client: Cardwright) => PromiseLike<unknown>][] = [
  ["cardholders.retrieve", true, (client) => client.cardholders.retrieve("U1")],
  ["cards.list", true, (client) => client.cards.list({ start_time: "2026-05-22", end_time: "2026-05-22" })],
  ["cards.apply", true, (client) => client.cards.apply(application)],
  [
    "cardholders.apply",
    true,
    (client) => client.cardholders.apply({ cardholder_unique_no: "u", sumsub_share_token: "t" }),
  ],
  ["accounts.transfer", true, (client) => client.accounts.transfer(transfer)],
  ["cards.updateStatus", false, (client) => client.cards.updateStatus({ card_no: "C1", status: "Frozen" })],
  ["cards.setPin", false, (client) => client.cards.setPin({ ...encrypted, pin: "193756" })],
  ["cards.activate", false, (client) => client.cards.activate({ ...encrypted, cvv: "123", card_last_no: "4242" })],
  ["developer.rotateWebhookSecret", false, (client) => client.developer.rotateWebhookSecret()],
  ["developer.resendCallbacks", false, (client) => client.developer.resendCallbacks({ missed: true })],
];

const unavailable: Answer = refusal(1001, "system error", { status: 503, headers: { "Retry-After": "0" } });
const failures: readonly [string, Answer | "break"][] = [
  ["a connection that breaks", "break"],
  ["503", unavailable],
  ["a gateway's 502", { status: 502, body: "<html>" }],
  ["1001", refusal(1001, "system error")],
];

test.each(
  calls.flatMap(([name, isSafe, call]) => failures.map(([why, answer]) => ({ name, isSafe, call, why, answer }))),
)("after $why $name is repeated: $isSafe", async ({ isSafe, call, answer }) => {
  const { clientOf, made } = await start((_, count) => (count <= 2 ? answer : approved()));
  const outcome = await Promise.resolve(call(clientOf())).then(
    () => "answered",
    (error: unknown) => (error instanceof ConnectionError || error instanceof ServerError ? "failed" : error),
  );
  expect(outcome).toBe(isSafe ? "answered" : "failed");
  expect(made()).toHaveLength(isSafe ? 3 : 1);
});

test.each(calls)("%s comes again when it was too frequent, because nothing was done", async (_, _isSafe, call) => {
  const tooFrequent = refusal(1009, "too frequent", { headers: { "Retry-After": "0" } });
  const { clientOf, made } = await start((_, count) => (count === 1 ? tooFrequent : approved()));
  await call(clientOf());
  expect(made()).toHaveLength(2);
});

test("no call is repeated whose refusal is final", async () => {
  const { clientOf, made } = await start(() => refusal(2002, "cardholder does not exist"));
  await expect(clientOf().cardholders.retrieve("U1")).rejects.toMatchObject({ name: "NotFoundError" });
  expect(made()).toHaveLength(1);
});

test("repeats are bounded by their number", async () => {
  const { clientOf, made } = await start(() => "break");
  await expect(clientOf({ retriesMax: 2 }).cardholders.retrieve("U1")).rejects.toBeInstanceOf(ConnectionError);
  expect(made()).toHaveLength(3);
  await expect(clientOf().cardholders.retrieve("U1", { retriesMax: 0 })).rejects.toBeInstanceOf(ConnectionError);
  expect(made()).toHaveLength(4);
});

test("a wait that is longer than the time that is left is not begun, and the error says how long it is", async () => {
  const { clientOf, made } = await start(() => refusal(1009, "too frequent", { headers: { "Retry-After": "60" } }));
  const failed = clientOf({ totalTimeoutMs: 10_000 }).cardholders.retrieve("U1");
  await expect(failed).rejects.toMatchObject({ retryAfterMs: 60_000, code: 1009 });
  await expect(failed).rejects.toBeInstanceOf(RateLimitError);
  expect(made()).toHaveLength(1);
});

test("what the platform asks to wait is waited", async () => {
  const tooFrequent = refusal(1009, "too frequent", { headers: { "Retry-After": "1" } });
  const { clientOf } = await start((_, count) => (count === 1 ? tooFrequent : approved()));
  const client = clientOf();
  await client.accessToken();
  const startedMs = performance.now();
  await client.cardholders.retrieve("U1");
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(999);
});

test("silence ends at the time-out, of each try and of all together", async () => {
  const { clientOf, made } = await start(() => "hang");
  const client = clientOf({ timeoutMs: 100, retriesMax: 1 });
  await client.accessToken();
  await expect(client.cardholders.retrieve("U1")).rejects.toBeInstanceOf(TimeoutError);
  expect(made()).toHaveLength(2);
  const total = client.cardholders.retrieve("U1", { timeoutMs: 60_000, totalTimeoutMs: 150, retriesMax: 10 });
  await expect(total).rejects.toBeInstanceOf(TimeoutError);
  expect(made()).toHaveLength(3);
});

test("the caller's signal ends a call under way and one that waits to be repeated", async () => {
  const small = await start((_, count) =>
    count === 1 ? "hang" : refusal(1009, "x", { headers: { "Retry-After": "20" } }),
  );
  const client = small.clientOf();
  for (let call = 0; call < 2; call += 1) {
    const giveUp = new AbortController();
    const made = client.cardholders.retrieve("U1", { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 150);
    await expect(made).rejects.toMatchObject({ name: "AbortError" });
  }
  await expect(client.cardholders.retrieve("U1", { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(small.made()).toHaveLength(2);
});

test.each<[string, Answer]>([
  ["a page that is not JSON", { body: "<html>" }],
  ["JSON that is no envelope", { body: "[]" }],
  ["an envelope without data", { body: { code: 0, msg: "Success" } }],
  ["a redirect", { status: 302, headers: { Location: "https://elsewhere.example/" }, body: "" }],
  ["more than eight megabytes", { body: `{"code":0,"data":"${"x".repeat(8 * 1024 * 1024)}"}` }],
])("%s is no answer", async (_, answer) => {
  const { clientOf } = await start(() => answer);
  await expect(clientOf({ retriesMax: 0 }).cardholders.retrieve("U1")).rejects.toBeInstanceOf(ConnectionError);
});

test("a failure of a gateway is told as one of the server, with its status", async () => {
  const { clientOf } = await start(() => ({ status: 504, body: "Gateway Timeout" }));
  const failed = clientOf({ retriesMax: 0 }).cardholders.retrieve("U1");
  await expect(failed).rejects.toBeInstanceOf(ServerError);
  await expect(failed).rejects.toMatchObject({ httpStatus: 504, code: 0, reason: "unknown" });
});

test("nobody listening is a ConnectionError with the reason", async () => {
  const { clientOf, close } = await start(approved);
  const client = clientOf({ retriesMax: 0 });
  await close();
  platform = undefined;
  await expect(client.cardholders.retrieve("U1")).rejects.toMatchObject({
    name: "ConnectionError",
    message: "GET /open-api/v1/merchant/token got no answer: ECONNREFUSED",
  });
});

test("a number that is not safe in a URL stays one segment, and one that would be another path is refused", async () => {
  const { clientOf, made } = await start(approved);
  await clientOf().cardholders.retrieve("../U1?x#y");
  expect(made()[0]?.call).toBe("GET /cardholder/..%2FU1%3Fx%23y/info");
  for (const number of ["", ".", ".."]) {
    expect(() => clientOf().cardholders.retrieve(number)).toThrow("cardholder_no is needed");
  }
});

test("a base URL may have a path", async () => {
  const { clientOf, calls } = await start(approved);
  const { baseUrl } = clientOf();
  await clientOf({ baseUrl: `${baseUrl}/gateway/`, retriesMax: 0 })
    .accessToken()
    .catch(() => {});
  expect(calls[0]?.call).toBe("GET /gateway/merchant/token");
});

test("nothing secret shows in a client or in an error", async () => {
  const { clientOf } = await start((_, count) => (count === 1 ? refusal(4008, "cvv does not match") : "break"));
  const client = clientOf({ appId: "app", webhookSecrets: ["whsec_c2VjcmV0c2VjcmV0"], retriesMax: 0 });
  const activate = (): Promise<unknown> => client.cards.activate({ ...encrypted, cvv: "917", card_last_no: "4242" });
  const errors = [await activate().catch((error: unknown) => error), await activate().catch((error: unknown) => error)];
  const shown = [client, ...errors].flatMap((each) => [
    JSON.stringify(each),
    String(each),
    inspect(each, { depth: 20, showHidden: true, getters: true }),
  ]);
  // The CVV as a number of its own: a port may have these digits in it.
  for (const secret of [/key-of-the-test/u, /ssssssss/u, /c2VjcmV0/u, /token-1/u, /(?<!\d)917(?!\d)/u]) {
    expect(shown.filter((text) => secret.test(text))).toEqual([]);
  }
  expect(JSON.stringify(client)).toBe(JSON.stringify({ baseUrl: client.baseUrl }));
});

test.each([
  [{ baseUrl: "cards.example.com" }],
  [{ baseUrl: "ftp://cards.example.com" }],
  [{ baseUrl: "https://user:secret@cards.example.com" }],
  [{ baseUrl: "https://cards.example.com/?x" }],
  [{ apiKey: "" }],
  [{ timeoutMs: 0 }],
  [{ timeoutMs: Number.NaN }],
  [{ retriesMax: 11 }],
  [{ totalTimeoutMs: 1_000_000 }],
])("%o is refused before any call", async (options) => {
  const { clientOf } = await start(approved);
  expect(() => clientOf(options)).toThrow(/baseUrl|apiKey|imeoutMs|retriesMax/u);
});
