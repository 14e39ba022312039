import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { signatureTextV1, signStandard, signV1, splitCallbackBody, verifyStandard, verifyV1 } from "./index.ts";

interface Vector {
  readonly name: string;
  readonly appId: string;
  readonly apiSecret: string;
  readonly timestamp: string;
  readonly dataText: string;
  readonly signedText: string;
  readonly signature: string;
}

interface StandardVector {
  readonly name: string;
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
  readonly secrets: readonly string[];
  readonly signatureHeader: string;
}

/** A request that must not be believed; its body is a text, or Base64 where it is not UTF-8. */
interface RefusedVector {
  readonly name: string;
  readonly scheme: "V1" | "Standard";
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly appId?: string;
  readonly apiSecret?: string;
  readonly secrets?: readonly string[];
  readonly nowMs: number;
}

function textOf(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
}

const vectors: readonly Vector[] = JSON.parse(textOf("vectors.json"));
const standardVectors: readonly StandardVector[] = JSON.parse(textOf("standard-webhooks-vectors.json"));
const refusedVectors: readonly RefusedVector[] = JSON.parse(textOf("refused-vectors.json"));

/** V1 as a merchant would write it after reading the contract: parse, drop null, write again, sort, join. */
function plainSignedText({ appId, timestamp, dataText }: Vector): string {
  const data: Record<string, unknown> = JSON.parse(dataText);
  const pairs = Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)] as const);
  return [...pairs, ["appId", appId] as const, ["timestamp", timestamp] as const]
    .sort(([left], [right]) => Buffer.compare(utf32(left), utf32(right)))
    .map((pair) => pair.join("="))
    .join("&");
}

function utf32(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(character.codePointAt(0) ?? 0);
      return bytes;
    }),
  );
}

function isWrittenAlike(dataText: string): boolean {
  return JSON.stringify(JSON.parse(dataText)) === dataText;
}

test("there are at least 25 vectors, nearly all of which a merchant can check by parsing and writing again", () => {
  expect(vectors.length).toBeGreaterThanOrEqual(25);
  expect(new Set(vectors.map((vector) => vector.name)).size).toBe(vectors.length);
  expect(vectors.filter((vector) => isWrittenAlike(vector.dataText)).length).toBeGreaterThanOrEqual(30);
});

test.each(vectors)("vector: $name", (vector) => {
  expect(signatureTextV1(vector)).toBe(vector.signedText);
  expect(signV1(vector)).toBe(vector.signature);
  expect(verifyV1({ ...vector, nowMs: Number(vector.timestamp) })).toEqual({ ok: true });
});

test.each(vectors)("the file itself is right about: $name", ({ apiSecret, signedText, signature }) => {
  expect(createHmac("sha256", apiSecret).update(signedText, "utf8").digest("hex")).toBe(signature);
});

test.each(vectors.filter((vector) => isWrittenAlike(vector.dataText)))(
  "parsing and writing again gives the same text: $name",
  (vector) => {
    expect(plainSignedText(vector)).toBe(vector.signedText);
  },
);

test("the contract's own vector is among them, digit by digit", () => {
  expect(vectors[0]).toMatchObject({
    appId: "app_demo",
    apiSecret: "secret_demo",
    timestamp: "1716307200000",
    dataText:
      '{"card_no":"C202605220001","before_status":"Activated","after_status":"Frozen","reason":"","time":1716307200000}',
    signature: "63a793f88327f5c8e0adbef583bbb99fa593d7e12706e7a5bc0af6110859b1cb",
  });
});

test.each(standardVectors)("Standard Webhooks vector: $name", (vector) => {
  const nowMs = Number(vector.timestamp) * 1000;
  for (const body of [vector.body, Buffer.from(vector.body)]) {
    expect(verifyStandard({ ...vector, body, nowMs })).toEqual({ ok: true });
  }
});

test.each(standardVectors)(
  "one of the signatures is ours: $name",
  ({ id, timestamp, body, secrets, signatureHeader }) => {
    const ours = secrets.map((secret) => signStandard({ id, timestampSeconds: Number(timestamp), body, secret }));
    expect(ours.some((signature) => signatureHeader.split(" ").includes(signature))).toBe(true);
  },
);

/** What a receiver finds that follows the contract in everything: each vector has one fault, so the order is open. */
function verdictOf(vector: RefusedVector): string {
  const { headers, nowMs } = vector;
  const bytes =
    vector.bodyBase64 === undefined ? Buffer.from(vector.body ?? "") : Buffer.from(vector.bodyBase64, "base64");
  if (vector.scheme === "Standard") {
    const result = verifyStandard({
      id: headers["webhook-id"],
      timestamp: headers["webhook-timestamp"],
      signatureHeader: headers["webhook-signature"],
      body: bytes,
      secrets: vector.secrets ?? [],
      nowMs,
    });
    return result.ok ? "accepted" : result.reason;
  }
  if (headers["Sign-Version"] !== "V1") return "sign_version_unknown";
  const body = splitCallbackBody(decoded(bytes));
  if (!body.ok) return "body_invalid";
  const { appId = "", apiSecret = "" } = vector;
  const { Timestamp: timestamp, Signature: signature } = headers;
  const result = verifyV1({ appId, apiSecret, timestamp, signature, dataText: body.value.dataText, nowMs });
  if (result.ok) return "accepted";
  return result.reason === "data_invalid" ? "body_invalid" : result.reason;
}

/** Bytes that are not UTF-8 are not JSON either. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}

test.each(refusedVectors)("refused, $scheme: $name", (vector) => {
  expect(verdictOf(vector)).toBe(vector.reason);
});

test("the refused vectors have names of their own and show every reason in both schemes", () => {
  expect(new Set(refusedVectors.map(({ scheme, name }) => `${scheme} ${name}`)).size).toBe(refusedVectors.length);
  const inCommon = [
    "signature_mismatch",
    "signature_missing",
    "timestamp_future",
    "timestamp_invalid",
    "timestamp_stale",
  ];
  const reasonsOf = (scheme: RefusedVector["scheme"]) =>
    new Set(refusedVectors.filter((vector) => vector.scheme === scheme).map(({ reason }) => reason));
  expect([...reasonsOf("V1")].toSorted()).toEqual(["body_invalid", "sign_version_unknown", ...inCommon].toSorted());
  expect([...reasonsOf("Standard")].toSorted()).toEqual(["id_invalid", ...inCommon].toSorted());
});
