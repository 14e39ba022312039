import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Answer,
  credentials,
  purchaseData,
  type SeenCall,
  signedCallback,
  startSmallPlatform,
} from "../test/small-platform.ts";
import { type ExampleMerchant, startExampleMerchant } from "./example-merchant.ts";
import type { Mode } from "./users.ts";

const nowMs = 1_716_307_200_000;
let folder = "";
let platform: Awaited<ReturnType<typeof startSmallPlatform>>;
let merchant: ExampleMerchant;
/** Answers of single calls that a test wants different, tried before the usual ones. */
let special: (seen: SeenCall) => Answer | undefined = () => undefined;

beforeEach(async () => {
  special = () => undefined;
  folder = mkdtempSync(join(tmpdir(), "example-merchant-"));
  platform = await startSmallPlatform((seen) => special(seen) ?? usual(seen));
});

afterEach(async () => {
  await merchant.close();
  await platform.close();
  rmSync(folder, { recursive: true });
});

function usual({ call, body }: SeenCall): Answer {
  switch (call) {
    case "GET /merchant/token":
      return { data: { access_token: "token", expired_time: nowMs + 86_400_000 } };
    case "POST /simulator/share-tokens":
      return { raw: JSON.stringify({ token: `${String(body["outcome"])}-1` }) };
    case "POST /cardholder/apply":
      return { data: { cardholder_no: "U1", cardholder_unique_no: body["cardholder_unique_no"] } };
    case "GET /cardholder/U1/info":
      return { data: { cardholder_no: "U1", status: "Approved" } };
    case "POST /card/apply":
      return { data: { card_no: "C1", card_unique_no: body["card_unique_no"] } };
    case "GET /card/C1/detail":
      return { data: { card_no: "C1", status: "Activated", card_last_no: "4242" } };
    case "POST /account/transfer":
      return { data: { transfer_no: "T1" } };
    default:
      throw new Error(`unexpected ${call}`);
  }
}

async function start(mode: Mode): Promise<void> {
  merchant = await startExampleMerchant({
    ...credentials,
    port: 0,
    database: join(folder, "merchant.db"),
    platformUrl: platform.url,
    apiKey: "key",
    mode,
    cardProduct: "product",
    kycUrl: platform.url,
    now: () => nowMs,
  });
}

async function call(path: string, body?: unknown): Promise<{ status: number; json: Record<string, unknown> }> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(merchant.url + path, init);
  const json: unknown = await response.json();
  return { status: response.status, json: Object.fromEntries(Object.entries(json ?? {})) };
}

async function userWithCard(balance: string): Promise<string> {
  const user = await call("/users", { name: "Ada Lovelace", email: "ada@example.com", balance });
  expect(user).toMatchObject({ status: 201, json: { cardholder_status: "Approved", balance } });
  const card = await call(`/users/${String(user.json["id"])}/cards`, { type: "Virtual" });
  expect(card).toMatchObject({ status: 201, json: { card_no: "C1", status: "Activated", card_last_no: "4242" } });
  return String(user.json["id"]);
}

async function push(id: string, action: string, over: Record<string, unknown>): Promise<unknown> {
  const merchant_info = { country: "US", merchant_mcc: "5814", city: "New York", merchant_name: "<b>Shop" };
  const data = purchaseData(action, { amount: 12.5, merchant_info, time: nowMs, ...over });
  const { headers, body } = await signedCallback({ id, action, data, nowMs });
  const response = await fetch(merchant.callbackUrl, { method: "POST", headers, body });
  expect(response.status).toBe(200);
  return await response.json();
}

test("of 32 purchases at once exactly those that the balance covers are approved", async () => {
  await start("AUTHORIZATION");
  const userId = await userWithCard("130.00");
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) => push(`a${i}`, "Auth", { consume_no: `O${i}` })),
  );
  expect(answers.filter((answer) => JSON.stringify(answer) === '{"code":0,"message":""}')).toHaveLength(10);
  expect(answers.filter((answer) => JSON.stringify(answer).includes('"reason":"insufficient_funds"'))).toHaveLength(22);
  const again = await Promise.all(Array.from({ length: 32 }, (_, i) => push(`b${i}`, "Auth", { consume_no: `O${i}` })));
  expect(again).toEqual(answers);
  expect((await call(`/users/${userId}`)).json).toMatchObject({ balance: "130.00", held: "125.00", available: "5.00" });
  expect((await call("/state")).json["callbacks"]).toEqual({
    received: 64,
    verified: 64,
    refused: 0,
    outcomes: { applied: 32, repeated: 32 },
  });
});

test("a callback that the platform did not sign is refused, counted, and changes nothing", async () => {
  await start("AUTHORIZATION");
  await userWithCard("50.00");
  const response = await fetch(merchant.callbackUrl, { method: "POST", body: '{"id":1,"action":"Auth","data":{}}' });
  const refused = { code: 401, message: "not verified" };
  expect([response.status, await response.json()]).toEqual([401, refused]);
  const { headers, body } = await signedCallback({ id: "1", action: "Auth", data: { amount: 1 }, nowMs });
  const forged = { method: "POST", headers: { ...headers, Signature: "0".repeat(64) }, body };
  expect(await (await fetch(merchant.callbackUrl, forged)).json()).toEqual(refused);
  expect((await call("/state")).json["callbacks"]).toMatchObject({ received: 2, verified: 0, refused: 2 });
});

test("a body over 64 KB is answered 413", async () => {
  await start("AUTHORIZATION");
  const response = await fetch(merchant.callbackUrl, { method: "POST", body: "x".repeat(64 * 1024 + 1) });
  expect(response.status).toBe(413);
});

test("a frozen user's purchase is declined, and approved once the user is active again", async () => {
  await start("AUTHORIZATION");
  const userId = await userWithCard("50.00");
  await call(`/users/${userId}/status`, { status: "Frozen" });
  expect(await push("1", "Auth", { consume_no: "O1" })).toMatchObject({ code: 5102, reason: "user_frozen" });
  await call(`/users/${userId}/status`, { status: "Active" });
  expect(await push("2", "Auth", { consume_no: "O2" })).toMatchObject({ code: 0 });
});

test("in credit mode every top-up is granted on the platform, the opening balance too", async () => {
  await start("CREDIT_EXTENSION");
  const userId = await userWithCard("50.00");
  expect(await call(`/users/${userId}/topup`, { amount: "25.10" })).toMatchObject({
    json: { topup: "Done", balance: "75.10" },
  });
  const transfers = platform.calls.filter((seen) => seen.call === "POST /account/transfer").map((seen) => seen.body);
  expect(transfers).toMatchObject([
    { cardholder_no: "U1", type: "In", balance: "50.00", transfer_unique_no: `opening-${userId}` },
    { cardholder_no: "U1", type: "In", balance: "25.10" },
  ]);
  expect(platform.calls.find((seen) => seen.call === "POST /card/apply")?.body).toMatchObject({
    package_no: "product",
  });
});

test("a top-up whose transfer got no answer is finished later with the same number", async () => {
  await start("CREDIT_EXTENSION");
  const userId = await userWithCard("50.00");
  special = (seen) => (seen.call === "POST /account/transfer" ? { raw: "gateway lost" } : undefined);
  expect((await call(`/users/${userId}/topup`, { amount: "10" })).status).toBe(504);
  expect((await call("/state")).json["users"]).toMatchObject([{ balance: "50.00" }]);
  special = () => undefined;
  await Promise.all([call(`/users/${userId}`), call(`/users/${userId}`)]);
  expect((await call(`/users/${userId}`)).json).toMatchObject({ balance: "60.00" });
  const numbers = platform.calls
    .filter((seen) => seen.call === "POST /account/transfer" && seen.body["balance"] === "10.00")
    .map((seen) => seen.body["transfer_unique_no"]);
  expect(numbers.length).toBeGreaterThanOrEqual(2);
  expect(new Set(numbers).size).toBe(1);
});

test("a top-up that the platform refuses is not paid in and answers with the platform's code", async () => {
  await start("CREDIT_EXTENSION");
  const userId = await userWithCard("50.00");
  special = (seen) => (seen.call === "POST /account/transfer" ? { code: 3005, msg: "Reserve too low" } : undefined);
  expect(await call(`/users/${userId}/topup`, { amount: 10 })).toMatchObject({ status: 502, json: { code: 3005 } });
  special = () => undefined;
  expect((await call(`/users/${userId}`)).json).toMatchObject({ balance: "50.00" });
});

test("a user who was rejected is told so and has no credit", async () => {
  await start("CREDIT_EXTENSION");
  special = (seen) => (seen.call === "GET /cardholder/U1/info" ? { data: { status: "Rejected" } } : undefined);
  const user = await call("/users", { name: "Bob", email: "bob@example.com", balance: "5.00", outcome: "reject" });
  expect(user).toMatchObject({ status: 201, json: { cardholder_status: "Rejected", balance: "0.00" } });
  expect(platform.calls.find((seen) => seen.call === "POST /cardholder/apply")?.body["sumsub_share_token"]).toBe(
    "reject-1",
  );
});

test.each([
  ["/users", { name: "", email: "a@b", balance: "1" }],
  ["/users", { name: "A", email: "nobody", balance: "1" }],
  ["/users", { name: "A", email: "a@b", balance: "-1" }],
  ["/users", { name: "A", email: "a@b", balance: 1.005 }],
  ["/users", []],
])("%s with %o is answered 400", async (path, body) => {
  await start("AUTHORIZATION");
  expect((await call(path, body)).status).toBe(400);
  expect((await call("/users/nobody/topup", { amount: 1 })).status).toBe(404);
  expect((await call("/nowhere")).status).toBe(404);
});

test("the pages show the books and let no shop's name become markup", async () => {
  await start("AUTHORIZATION");
  await userWithCard("50.00");
  await push("1", "Consumption", { consume_no: "O1", status: "Success", fee: 0 });
  const page = await (await fetch(merchant.url)).text();
  expect(page).toContain("&lt;b&gt;Shop");
  expect(page).not.toContain("<b>Shop");
  expect(page).toContain("37.50");
  const form = new URLSearchParams({ name: "Grace", email: "grace@example.com", balance: "1.00", outcome: "approve" });
  special = (seen) =>
    seen.call === "POST /cardholder/apply"
      ? { data: { cardholder_no: "U2" } }
      : seen.call === "GET /cardholder/U2/info"
        ? { data: { status: "Approved" } }
        : undefined;
  const signedUp = await fetch(`${merchant.url}/kyc`, { method: "POST", body: form, redirect: "manual" });
  expect([signedUp.status, signedUp.headers.get("location")]).toEqual([303, "/"]);
  const foreign = await fetch(`${merchant.url}/kyc`, {
    method: "POST",
    body: form,
    headers: { "sec-fetch-site": "cross-site" },
  });
  expect(foreign.status).toBe(403);
});

test("a merchant that is started again on its file has its books", async () => {
  await start("AUTHORIZATION");
  const userId = await userWithCard("50.00");
  await push("1", "Auth", { consume_no: "O1" });
  await merchant.close();
  await start("AUTHORIZATION");
  expect((await call(`/users/${userId}`)).json).toMatchObject({ balance: "50.00", held: "12.50" });
});
