import { afterEach, expect, test } from "vitest";
import { type Answer, type SeenCall, startSmallPlatform } from "../test/small-platform.ts";
import { NoAnswer } from "./http-json.ts";
import { createPlatformClient, PlatformError } from "./platform-client.ts";

let closePlatform = async (): Promise<void> => {};
afterEach(() => closePlatform());

let nowMs = 1_716_307_200_000;

async function clientOf(answer: (seen: SeenCall) => Answer, timeoutMs = 10_000) {
  let tokens = 0;
  const platform = await startSmallPlatform((seen) => {
    if (seen.call !== "GET /merchant/token") return answer(seen);
    tokens += 1;
    return { data: { access_token: `token-${tokens}`, expired_time: nowMs + 3_600_000 } };
  });
  closePlatform = platform.close;
  const client = createPlatformClient({ url: platform.url, apiKey: "key", now: () => nowMs, timeoutMs });
  return { client, calls: platform.calls };
}

test("a call carries the key, the time, the token and the body", async () => {
  const { client, calls } = await clientOf(() => ({ data: { transfer_no: "T1" } }));
  await client.transferIn({ cardholder_no: "U1", transfer_unique_no: "t-1", balance: "5.00" });
  const call = calls.at(-1);
  expect(call?.call).toBe("POST /account/transfer");
  expect(call?.body).toEqual({ cardholder_no: "U1", transfer_unique_no: "t-1", balance: "5.00", type: "In" });
  expect(call?.headers).toMatchObject({
    "api-key": "key",
    timestamp: String(nowMs),
    "access-token": "token-1",
    "content-type": "application/json",
  });
});

test("twenty first calls at once fetch one token", async () => {
  const { client, calls } = await clientOf(() => ({ data: { status: "Approved" } }));
  const statuses = await Promise.all(Array.from({ length: 20 }, () => client.cardholderStatus("U1")));
  expect(new Set(statuses)).toEqual(new Set(["Approved"]));
  expect(calls.filter(({ call }) => call === "GET /merchant/token")).toHaveLength(1);
});

test("a token is renewed before it runs out", async () => {
  const { client, calls } = await clientOf(() => ({ data: { status: "Approved" } }));
  await client.cardholderStatus("U1");
  nowMs += 3_600_000 - 59_000;
  await client.cardholderStatus("U1");
  expect(calls.map(({ headers }) => headers["access-token"])).toEqual([undefined, "token-1", undefined, "token-2"]);
});

test("a token the platform ended early is replaced and the call made once more", async () => {
  const { client } = await clientOf(({ headers }) =>
    headers["access-token"] === "token-1" ? { code: 1007, msg: "ended" } : { data: { status: "Approved" } },
  );
  expect(await client.cardholderStatus("U1")).toBe("Approved");
});

test("a platform that refuses every token is asked twice and no more", async () => {
  const { client, calls } = await clientOf(() => ({ code: 1007, msg: "ended" }));
  await expect(client.cardholderStatus("U1")).rejects.toMatchObject({ code: 1007 });
  expect(calls.filter(({ call }) => call === "GET /cardholder/U1/info")).toHaveLength(2);
});

test("a refusal is an error with the envelope's code and message", async () => {
  const { client } = await clientOf(() => ({ code: 3005, msg: "Reserve too low" }));
  const refused = client.transferIn({ cardholder_no: "U1", transfer_unique_no: "t-1", balance: "5.00" });
  await expect(refused).rejects.toBeInstanceOf(PlatformError);
  await expect(refused).rejects.toMatchObject({ code: 3005, msg: "Reserve too low" });
});

test.each<[string, Answer]>([
  ["silence", "hang"],
  ["a page that is not JSON", { raw: "<html>" }],
  ["JSON that is no envelope", { raw: "[]" }],
  ["an envelope without the field", { data: {} }],
  ["more than a megabyte", { raw: `{"code":0,"data":{"status":"${"x".repeat(1024 * 1024)}"}}` }],
])("%s is no answer", async (_, answer) => {
  const { client } = await clientOf(() => answer, 300);
  await expect(client.cardholderStatus("U1")).rejects.toBeInstanceOf(NoAnswer);
});

test("a number that is not safe in a URL stays one path segment", async () => {
  const { client, calls } = await clientOf(() => ({ data: { status: "Approved" } }));
  await client.cardholderStatus("../U1?x");
  expect(calls.at(-1)?.call).toBe("GET /cardholder/..%2FU1%3Fx/info");
});
