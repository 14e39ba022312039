import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { signStandard, signV1, verifyStandard, verifyV1 } from "@cardwright/signing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { authData, cardUpdateData, consumptionData, credentials, webhookSecret } from "../../test/pushes.ts";
import { type CallbackOptions, type CallbackRequest, createCallbacks, SignatureError } from "../index.ts";

const nowMs = 1_716_307_200_000;
const now = (): number => nowMs;
const both = createCallbacks({ ...credentials, webhookSecrets: [webhookSecret], now });
const v1Only = createCallbacks({ ...credentials, now });
const standardOnly = createCallbacks({ webhookSecrets: [webhookSecret], now });

const signed = await both.sign({ action: "Consumption", id: "push_1", data: consumptionData, sequence: 3, attempt: 2 });

async function outcome(request: CallbackRequest, callbacks = both): Promise<string> {
  try {
    return (await callbacks.verify(request)).action;
  } catch (error) {
    if (error instanceof SignatureError) return error.reason;
    throw error;
  }
}

const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(signed.headers).filter(([name]) => !names.includes(name)));

test("a callback is verified in every form that a server has for it", async () => {
  const bytes = new TextEncoder().encode(signed.body);
  const lower = Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const forms: CallbackRequest[] = [
    signed,
    { headers: lower, body: bytes },
    { headers: new Headers(signed.headers), body: Buffer.from(bytes) },
    new Request("https://merchant.example/callback", signed),
    Object.assign(Readable.from([bytes.slice(0, 7), bytes.slice(7)]), { headers: lower }),
  ];
  for (const form of forms) {
    expect(await both.verify(form)).toEqual({
      action: "Consumption",
      id: "push_1",
      data: consumptionData,
      dataText: JSON.stringify(consumptionData),
      timestampMs: nowMs,
      verifiedBy: ["v1", "standard_webhooks"],
      sequence: 3,
      attempt: 2,
      deadlineMs: null,
      isTest: false,
      lateAnswer: null,
    });
  }
});

test("what is signed here is what the platform signs", async () => {
  const dataText = JSON.stringify(consumptionData);
  expect(signed.headers["Signature"]).toBe(signV1({ ...credentials, timestamp: String(nowMs), dataText }));
  expect(signed.headers["webhook-signature"]).toBe(
    signStandard({ id: "push_1", timestampSeconds: nowMs / 1_000, body: signed.body, secret: webhookSecret }),
  );
});

test.each<[string, CallbackRequest]>([
  ["signature_missing", { ...signed, headers: without("Signature") }],
  ["sign_version_unknown", { ...signed, headers: { ...signed.headers, "Sign-Version": "V2" } }],
  ["sign_version_unknown", { ...signed, headers: without("Sign-Version") }],
  ["timestamp_invalid", { ...signed, headers: without("Timestamp") }],
  ["timestamp_stale", { ...signed, headers: { ...signed.headers, Timestamp: String(nowMs - 300_001) } }],
  ["timestamp_future", { ...signed, headers: { ...signed.headers, Timestamp: String(nowMs + 300_001) } }],
  ["signature_mismatch", { ...signed, headers: { ...signed.headers, Timestamp: String(nowMs + 1) } }],
  ["signature_mismatch", { ...signed, headers: { ...signed.headers, Signature: "0".repeat(64) } }],
  ["signature_mismatch", { ...signed, headers: { ...signed.headers, Signature: `${signed.headers["Signature"]}0` } }],
  ["webhook_signature_missing", { ...signed, headers: without("webhook-signature") }],
  ["webhook_id_invalid", { ...signed, headers: without("webhook-id") }],
  ["webhook_timestamp_invalid", { ...signed, headers: without("webhook-timestamp") }],
  ["webhook_timestamp_stale", { ...signed, headers: { ...signed.headers, "webhook-timestamp": "1" } }],
  ["webhook_signature_mismatch", { ...signed, headers: { ...signed.headers, "webhook-id": "push_2" } }],
  ["webhook_signature_mismatch", { ...signed, body: signed.body.replace("push_1", "push_2") }],
  [
    "webhook_signature_mismatch",
    { ...signed, body: signed.body.replace('"action":"Consumption"', '"action":"consumption"') },
  ],
  ["signature_mismatch", { ...signed, body: signed.body.replace("12.5", "12.50") }],
  ["body_invalid", { ...signed, body: "" }],
  ["body_invalid", { ...signed, body: `\uFEFF${signed.body}` }],
  ["body_not_utf8", { ...signed, body: Buffer.concat([Buffer.from(signed.body), Buffer.from([0xff])]) }],
  ["body_not_utf8", { ...signed, body: signed.body.replace("Köln", "K\ud800") }],
  ["body_too_large", { ...signed, body: `${signed.body}${" ".repeat(70_000)}` }],
])("%s", async (reason, request) => {
  expect(await outcome(request)).toBe(reason);
});

test("each key alone will do where only that one is known", async () => {
  expect(await outcome(signed, v1Only)).toBe("Consumption");
  expect(await outcome({ ...signed, headers: without("Signature", "Sign-Version") }, standardOnly)).toBe("Consumption");
  const lenient = createCallbacks({
    ...credentials,
    webhookSecrets: [webhookSecret],
    requireStandardWebhooks: false,
    now,
  });
  expect(await outcome({ ...signed, headers: without("webhook-signature") }, lenient)).toBe("Consumption");
  const wrong = { ...signed, headers: { ...signed.headers, "webhook-signature": "v1,AAAA" } };
  expect(await outcome(wrong, lenient)).toBe("webhook_signature_mismatch");
});

test("while a secret is being changed either side may already have the new one", async () => {
  const newSecret = `whsec_${Buffer.from("another secret, which is the new").toString("base64")}`;
  const changing = createCallbacks({ ...credentials, webhookSecrets: [newSecret, webhookSecret], now });
  expect(await outcome(signed, changing)).toBe("Consumption");
  const rotated = await changing.sign({ action: "Card_update", data: cardUpdateData });
  expect(rotated.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  expect(await outcome(rotated)).toBe("Card_update");
});

test("a Consumption that somebody has renamed to Auth is refused, which V1 alone would not tell", async () => {
  const pending = await v1Only.sign({ action: "Consumption", data: { ...consumptionData, status: "Pending" } });
  const renamed = { ...pending, body: pending.body.replace('"action":"Consumption"', '"action":"Auth"') };
  expect(await outcome(renamed, v1Only)).toBe("data_not_as_agreed");
  const auth = await v1Only.sign({ action: "Auth", data: authData });
  const asPush = { ...auth, body: auth.body.replace('"action":"Auth"', '"action":"Consumption"') };
  expect(await outcome(asPush, v1Only)).toBe("data_not_as_agreed");
});

test("a field of another type is refused although it is signed, and one that is new is let through", async () => {
  const { amount: _, ...rest } = authData;
  const text = { action: "Auth", dataText: JSON.stringify({ ...rest, amount: "12.50" }) };
  expect(await outcome(await both.sign(text))).toBe("data_not_as_agreed");
  const more = { action: "Auth", dataText: JSON.stringify({ ...authData, wallet: true, type: "Toll" }) };
  expect(await outcome(await both.sign(more))).toBe("Auth");
});

test("the hints of the headers are read, and nonsense in them is none", async () => {
  const headers = { ...signed.headers, "Late-Answer": "code=0; after_ms=950", Sequence: "-1", Attempt: "x" };
  expect(await both.verify({ ...signed, headers })).toMatchObject({
    lateAnswer: { code: 0, afterMs: 950 },
    sequence: null,
    attempt: null,
  });
});

test("a body that was parsed or read before is a mistake of the caller, not a bad signature", async () => {
  const request = new Request("https://merchant.example/callback", signed);
  await request.text();
  await expect(both.verify(request)).rejects.toThrow("was read before");
  const stream = Object.assign(Readable.from([signed.body]), { headers: signed.headers });
  for await (const _ of stream);
  await expect(both.verify(stream)).rejects.toThrow("was read before");
  const parsed = { headers: signed.headers, body: JSON.parse(signed.body) as string };
  await expect(both.verify(parsed)).rejects.toThrow("was parsed before");
});

test.each<[string, CallbackOptions]>([
  ["nothing to verify with", {}],
  ["half of V1", { appId: "app" }],
  ["an empty secret", { appId: "app", apiSecret: "" }],
  ["an empty App ID", { appId: "", apiSecret: "secret" }],
  ["a webhook secret that is no Base64", { webhookSecrets: ["whsec_!"] }],
  ["an endless tolerance", { ...credentials, toleranceMs: Number.POSITIVE_INFINITY }],
  ["eleven secrets", { webhookSecrets: Array.from({ length: 11 }, () => webhookSecret) }],
])("%s is refused at once", (_, options) => {
  expect(() => createCallbacks(options)).toThrow(/[sS]ecret|appId|toleranceMs/u);
});

test("the vectors of the platform are signed and verified alike", async () => {
  const file = new URL("../../../signing/vectors.json", import.meta.url);
  const vectors: { appId: string; apiSecret: string; timestamp: string; dataText: string; signature: string }[] =
    JSON.parse(readFileSync(file, "utf8"));
  expect(vectors.length).toBeGreaterThanOrEqual(25);
  for (const { appId, apiSecret, timestamp, dataText, signature } of vectors) {
    const own = createCallbacks({ appId, apiSecret, now: () => Number(timestamp) });
    const { headers, body } = await own.sign({ action: "News", dataText, timestampMs: Number(timestamp) });
    expect(headers["Signature"]).toBe(signature);
    expect(await outcome({ headers, body }, own)).toBe("other");
  }
});

test("whatever is changed, this verifier and the platform's own agree", async () => {
  const change = fc.record({
    at: fc.nat({ max: signed.body.length - 1 }),
    character: fc.constantFrom(...Array.from('0123456789abc "\\{}[],:.-+eE\u00e9\u{1f600}')),
    header: fc.constantFrom("Signature", "webhook-signature", "Timestamp", "webhook-timestamp", "none"),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, character, header }) => {
      const body = signed.body.slice(0, at) + character + signed.body.slice(at + 1);
      const headers = { ...signed.headers, ...(header !== "none" && { [header]: `${signed.headers[header] ?? ""}0` }) };
      const { Timestamp: timestamp, Signature: signature } = headers;
      const dataText = body.slice(body.indexOf('"data":') + 7, -1);
      const isJson = isJsonObject(body) && isJsonObject(dataText);
      const good =
        isJson &&
        verifyV1({ ...credentials, timestamp, signature, dataText, nowMs }).ok &&
        verifyStandard({
          id: headers["webhook-id"],
          timestamp: headers["webhook-timestamp"],
          signatureHeader: headers["webhook-signature"],
          body,
          secrets: [webhookSecret],
          nowMs,
        }).ok;
      expect((await outcome({ headers, body })) === "Consumption").toBe(good);
    }),
    { numRuns: 300 },
  );
});

function isJsonObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}
