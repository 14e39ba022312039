import { createHmac } from "node:crypto";
import { splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { uuid7 } from "#kernel/index.ts";
import type { CallbackTarget } from "./ports.ts";
import { type Push, signedPush } from "./push.ts";
import { apiSecret, appId, targetAt } from "./room.testing.ts";

const timestampMs = Date.UTC(2026, 4, 22, 8, 0, 1) + 999;
const webhookSecret = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString("base64")}`;
const [current, previous] = [webhookSecret("c"), webhookSecret("p")];

function targetWith(webhookSecrets: readonly string[]): CallbackTarget {
  return { ...targetAt("https://merchant.example/"), webhookSecrets };
}

function send(push: Push, target: CallbackTarget) {
  const { headers, body } = signedPush(push, { target, timestampMs, extraHeaders: ["Sequence", "7"] });
  const byName = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) byName.set((headers[at] ?? "").toLowerCase(), headers[at + 1] ?? "");
  return { headers: byName, body, names: headers.filter((_, at) => at % 2 === 0) };
}

type Sent = ReturnType<typeof send>;

function verifies({ headers, body }: Pick<Sent, "headers" | "body">, secrets: readonly string[]): boolean {
  return verifyStandard({
    id: headers.get("webhook-id"),
    timestamp: headers.get("webhook-timestamp"),
    signatureHeader: headers.get("webhook-signature"),
    body,
    secrets,
    nowMs: timestampMs,
  }).ok;
}

function verifiesV1({ headers, body }: Sent): boolean {
  const split = splitCallbackBody(body);
  if (!split.ok) return false;
  const [timestamp, signature] = [headers.get("timestamp"), headers.get("signature")];
  const { dataText } = split.value;
  return verifyV1({ appId, apiSecret, timestamp, signature, dataText, nowMs: timestampMs }).ok;
}

const somePush: Push = {
  id: uuid7(timestampMs),
  action: "Auth",
  dataText: '{"card_no":"C1","amount":100,"name":"Café ☕"}',
};

/** Any object that a callback's data could be, Unicode and control characters included. */
const dataText = fc
  .dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 })
  .filter((data) => !("appId" in data) && !("timestamp" in data) && !("__proto__" in data))
  .map((data) => JSON.stringify(data))
  .filter((text) => text.isWellFormed() && !text.includes("\\ud"));

test("a callback carries V1 as ever and, over its whole body, one signature of each webhook secret, the current one first", () => {
  const sent = send(somePush, targetWith([current, previous]));
  expect(sent.names).toEqual([
    "Content-Type",
    "Timestamp",
    "Signature",
    "Sign-Version",
    "Timezone",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "Sequence",
  ]);
  expect(sent.headers.get("webhook-id")).toBe(somePush.id);
  expect(sent.headers.get("webhook-timestamp")).toBe(String(Math.floor(timestampMs / 1000)));
  const expected = ["c", "p"].map((letter) => {
    const signed = `${somePush.id}.${Math.floor(timestampMs / 1000)}.${sent.body}`;
    return `v1,${createHmac("sha256", letter.repeat(32)).update(signed).digest("base64")}`;
  });
  expect(sent.headers.get("webhook-signature")).toBe(expected.join(" "));
  expect(verifiesV1(sent)).toBe(true);
});

test("with one secret there is one signature, without any V1 alone", () => {
  expect(send(somePush, targetWith([current])).headers.get("webhook-signature")).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/u);
  for (const target of [targetWith([]), targetAt("https://merchant.example/")]) {
    const sent = send(somePush, target);
    expect(sent.names.filter((name) => name.startsWith("webhook"))).toEqual([]);
    expect(verifiesV1(sent)).toBe(true);
  }
});

test("whatever a callback says, it is verified with either secret of a rotation and with no other", () => {
  fc.assert(
    fc.property(dataText, (text) => {
      const sent = send({ ...somePush, dataText: text }, targetWith([current, previous]));
      expect(verifies(sent, [current])).toBe(true);
      expect(verifies(sent, [previous])).toBe(true);
      expect(verifies(sent, [webhookSecret("x")])).toBe(false);
      expect(verifiesV1(sent)).toBe(true);
    }),
  );
});

test("a body that was changed by one byte, wherever it is, is never verified", () => {
  const target = targetWith([current, previous]);
  fc.assert(
    fc.property(dataText, fc.nat(), fc.integer({ min: 1, max: 255 }), (text, place, change) => {
      const sent = send({ ...somePush, dataText: text }, target);
      const bytes = Buffer.from(sent.body);
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      const header = sent.headers;
      const outcome = verifyStandard({
        id: header.get("webhook-id"),
        timestamp: header.get("webhook-timestamp"),
        signatureHeader: header.get("webhook-signature"),
        body: bytes,
        secrets: [current, previous],
        nowMs: timestampMs,
      });
      expect(outcome.ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test("the same target signs anew with each time, and another target with its own secrets", () => {
  const target = targetWith([current]);
  const one = signedPush(somePush, { target, timestampMs, extraHeaders: [] });
  const later = signedPush(somePush, { target, timestampMs: timestampMs + 1_000, extraHeaders: [] });
  const other = signedPush(somePush, { target: targetWith([previous]), timestampMs, extraHeaders: [] });
  const signatures = [one, later, other].map(({ headers }) => headers[headers.indexOf("webhook-signature") + 1]);
  expect(new Set(signatures).size).toBe(3);
  expect(new Set([one.body, later.body, other.body]).size).toBe(1);
});
