import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { signatureTextV1, signV1, verifyV1 } from "./index.ts";

interface Vector {
  readonly name: string;
  readonly appId: string;
  readonly apiSecret: string;
  readonly timestamp: string;
  readonly dataText: string;
  readonly signedText: string;
  readonly signature: string;
}

const vectors: readonly Vector[] = JSON.parse(readFileSync(new URL("../vectors.json", import.meta.url), "utf8"));

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
