import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anyCharacter } from "../test/any-character.ts";
import { apiSecretKey, signatureTextV1, signV1, type VerificationV1, verifyV1 } from "./index.ts";

const nowMs = 1_716_307_200_000;
const dataText = '{"card_no":"C202605220001","before_status":"Activated","after_status":"Frozen"}';
const signing = { appId: "app_demo", apiSecret: "secret_demo", timestamp: String(nowMs), dataText };
const genuine: VerificationV1 = { ...signing, signature: signV1(signing), nowMs };

function outcome(changes: Partial<VerificationV1>): string {
  const result = verifyV1({ ...genuine, ...changes });
  return result.ok ? "verified" : result.reason;
}

const reserved = new Set(["appId", "timestamp", "__proto__"]);
const text = fc.string({ unit: anyCharacter, maxLength: 20 });
const jsonText = fc
  .dictionary(
    text.filter((key) => !reserved.has(key)),
    fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.jsonValue({ stringUnit: anyCharacter })),
    { maxKeys: 8 },
  )
  .map((data) => JSON.stringify(data));
const apiSecret = fc.stringMatching(/^[A-Za-z0-9]{32}$/);

test("whatever JSON data is signed is verified", () => {
  fc.assert(
    fc.property(jsonText, apiSecret, (given, secret) => {
      const own = { ...signing, dataText: given, apiSecret: secret };
      expect(verifyV1({ ...own, signature: signV1(own), nowMs })).toEqual({ ok: true });
    }),
  );
});

test("another secret or app id is refused", () => {
  expect(outcome({})).toBe("verified");
  expect(outcome({ apiSecret: "secret_demo2" })).toBe("signature_mismatch");
  expect(outcome({ appId: "app_demo2" })).toBe("signature_mismatch");
});

/**
 * What V1 covers of data: the members that are not null; a reader sees no difference between the two texts otherwise.
 */
function meaning(given: string): string {
  const data: Record<string, unknown> = JSON.parse(given);
  return JSON.stringify(Object.entries(data).filter(([, value]) => value !== null));
}

/**
 * The text with one byte changed, or `undefined` when it is no longer UTF-8, which a receiver refuses before anything
 * else.
 */
function withByteChanged(given: string, at: number, change: number): string | undefined {
  const bytes = Buffer.from(given);
  const index = at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ change;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

test("data in which any one byte was changed is refused unless it still says the same", () => {
  fc.assert(
    fc.property(jsonText, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
      const own = { ...signing, dataText: given };
      const changed = withByteChanged(given, at, change);
      fc.pre(changed !== undefined);
      const verified = verifyV1({ ...own, dataText: changed ?? "", signature: signV1(own), nowMs }).ok;
      expect(verified && meaning(changed ?? "") !== meaning(given)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test("each single byte of a callback's data matters, whatever it is changed to", () => {
  for (let at = 0; at < dataText.length; at += 1) {
    for (let change = 1; change < 128; change += 1) {
      expect(outcome({ dataText: withByteChanged(dataText, at, change) ?? "" })).not.toBe("verified");
    }
  }
});

test("each single byte of timestamp and signature matters, whatever it is changed to", () => {
  const signature = genuine.signature ?? "";
  for (let change = 1; change < 128; change += 1) {
    for (let at = 0; at < 13; at += 1) {
      const timestamp = withByteChanged(signing.timestamp, at, change);
      expect(outcome({ timestamp, toleranceMs: Number.POSITIVE_INFINITY })).not.toBe("verified");
    }
    for (let at = 0; at < signature.length; at += 1) {
      expect(outcome({ signature: withByteChanged(signature, at, change) })).toBe("signature_mismatch");
    }
  }
});

test("a signature that is cut, longer, in upper case or padded is refused", () => {
  const signature = genuine.signature ?? "";
  for (const given of [signature.slice(0, -1), `${signature}0`, signature.toUpperCase(), ` ${signature}`, "é"]) {
    expect(outcome({ signature: given })).toBe("signature_mismatch");
  }
});

test("a missing signature or timestamp is named", () => {
  expect(outcome({ signature: undefined })).toBe("signature_missing");
  expect(outcome({ signature: "" })).toBe("signature_missing");
  for (const timestamp of [
    undefined,
    "",
    "1716307200",
    "17163072000000",
    "1716307200000 ",
    "1.71630720000",
    "-716307200000",
  ]) {
    expect(outcome({ timestamp })).toBe("timestamp_invalid");
  }
});

test("a signature is good for five minutes before and after, to the millisecond", () => {
  expect(outcome({ nowMs: nowMs + 300_000 })).toBe("verified");
  expect(outcome({ nowMs: nowMs + 300_001 })).toBe("timestamp_stale");
  expect(outcome({ nowMs: nowMs - 300_000 })).toBe("verified");
  expect(outcome({ nowMs: nowMs - 300_001 })).toBe("timestamp_future");
});

test("the tolerance can be chosen, but not so that every time passes by mistake", () => {
  expect(outcome({ nowMs: nowMs + 1_001, toleranceMs: 1_000 })).toBe("timestamp_stale");
  expect(outcome({ nowMs, toleranceMs: 0 })).toBe("verified");
  for (const toleranceMs of [Number.NaN, -1]) expect(() => outcome({ toleranceMs })).toThrow(RangeError);
});

test.each([
  ["no JSON", "{"],
  ["nothing", ""],
  ["an array", "[]"],
  ["a text", '"{}"'],
  ["null", "null"],
  ["a second value after the first", "{}{}"],
  ["a trailing comma", '{"a":1,}'],
  ["a key twice", '{"a":1,"a":1}'],
  ["a key twice, once escaped", '{"a":1,"\\u0061":1}'],
  ["a member named like the app id's pair", '{"appId":"app_demo"}'],
  ["a member named like the time's pair, even null", '{"timestamp":null}'],
  ["half a surrogate pair in a text", '{"a":"\\ud800"}'],
  ["half a surrogate pair in a key", '{"\\udc00":"a"}'],
  ["half a surrogate pair in a nested text, unescaped", '{"a":["\ud800"]}'],
  ["a byte order mark", '\ufeff{"a":1}'],
  ["a megabyte and more", `{"a":"${"x".repeat(1_048_576)}"}`],
  ["a million open brackets", "[".repeat(1_000_000)],
])("data is invalid: %s", (_, given) => {
  expect(outcome({ dataText: given })).toBe("data_invalid");
  expect(() => signV1({ ...signing, dataText: given })).toThrow(TypeError);
  expect(() => signatureTextV1({ ...signing, dataText: given })).toThrow(TypeError);
});

test("deep nesting within the size is signed", () => {
  const deep = `{"a":${"[".repeat(1_000)}${"]".repeat(1_000)}}`;
  const own = { ...signing, dataText: deep };
  expect(outcome({ dataText: deep, signature: signV1(own) })).toBe("verified");
});

test("a key that was made once signs as the text of its secret does", () => {
  const signed = { appId: "app_demo", timestamp: "1716307200000", dataText: '{"card_no":"C1"}' };
  for (const apiSecret of ["secret_demo", "gemäß"]) {
    expect(signV1({ ...signed, apiSecret: apiSecretKey(apiSecret) })).toBe(signV1({ ...signed, apiSecret }));
  }
  expect(() => apiSecretKey("")).toThrow(TypeError);
});

test("an empty secret neither signs nor verifies", () => {
  expect(() => signV1({ ...signing, apiSecret: "" })).toThrow(TypeError);
  expect(() => outcome({ apiSecret: "" })).toThrow(TypeError);
});

test("errors never quote the data", () => {
  expect(() => signV1({ ...signing, dataText: '{"pan":"4111111111111111"' })).toThrow(
    /^data cannot be signed: not_json$/,
  );
});
