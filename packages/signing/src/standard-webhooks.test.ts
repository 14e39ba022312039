import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anyCharacter } from "../test/any-character.ts";
import { signStandard, type VerificationStandard, verifyStandard, webhookKey } from "./index.ts";

/** The example that the Standard Webhooks libraries test themselves with. */
const known = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampSeconds: 1_614_265_330,
  body: '{"test": 2432232314}',
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
};
const knownSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const nowMs = known.timestampSeconds * 1000;
const genuine: VerificationStandard = {
  id: known.id,
  timestamp: String(known.timestampSeconds),
  signatureHeader: knownSignature,
  body: known.body,
  secrets: [known.secret],
  nowMs,
};

function outcome(changes: Partial<VerificationStandard>): string {
  const result = verifyStandard({ ...genuine, ...changes });
  return result.ok ? "verified" : result.reason;
}

test("the public example of Standard Webhooks is signed and verified", () => {
  expect(signStandard(known)).toBe(knownSignature);
  expect(outcome({})).toBe("verified");
});

test("whatever is signed is verified, as text and as bytes, with both kinds of secret", () => {
  const secret = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((key) => `whsec_${Buffer.from(key).toString("base64")}`),
    fc.string({ minLength: 1 }).filter((text) => !text.startsWith("whsec_")),
  );
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), secret, (body, own) => {
      const signatureHeader = signStandard({ ...known, body, secret: own });
      expect(outcome({ body: Buffer.from(body), secrets: [own], signatureHeader })).toBe("verified");
      expect(outcome({ body: `${body} `, secrets: [own], signatureHeader })).toBe("signature_mismatch");
    }),
  );
});

test("a plain secret is its UTF-8 bytes", () => {
  const key = Buffer.from("geheim_ü");
  const plain = signStandard({ ...known, secret: "geheim_ü" });
  expect(signStandard({ ...known, secret: `whsec_${key.toString("base64")}` })).toBe(plain);
});

test("a key that was made once signs as the text of its secret does", () => {
  for (const secret of [known.secret, "plain", "gemäß"]) {
    const key = webhookKey(secret);
    expect(signStandard({ ...known, secret: key })).toBe(signStandard({ ...known, secret }));
    expect(signStandard({ ...known, body: "{}", secret: key })).toBe(signStandard({ ...known, body: "{}", secret }));
  }
  for (const secret of ["", "whsec_", "whsec_not Base64"]) expect(() => webhookKey(secret)).toThrow(TypeError);
});

test("each single byte of the body matters", () => {
  for (let at = 0; at < known.body.length; at += 1) {
    for (const change of [1, 2, 32, 128]) {
      const body = Buffer.from(known.body);
      body[at] = (body[at] ?? 0) ^ change;
      expect(outcome({ body })).toBe("signature_mismatch");
    }
  }
});

test("another id, time or secret is refused", () => {
  expect(outcome({ id: "msg_other" })).toBe("signature_mismatch");
  expect(outcome({ timestamp: "1614265331" })).toBe("signature_mismatch");
  expect(outcome({ timestamp: "01614265330" })).toBe("signature_mismatch");
  expect(outcome({ secrets: ["whsec_AAAA"] })).toBe("signature_mismatch");
});

test("while a secret is being changed either side may already have the new one", () => {
  const newSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const both = `${signStandard({ ...known, secret: newSecret })} ${knownSignature}`;
  expect(outcome({ signatureHeader: both })).toBe("verified");
  expect(outcome({ signatureHeader: both, secrets: [newSecret] })).toBe("verified");
  expect(outcome({ secrets: [newSecret, known.secret] })).toBe("verified");
  expect(outcome({ secrets: [newSecret] })).toBe("signature_mismatch");
});

test("signatures of other schemes are passed over, and a good one counts among the first ten only", () => {
  const digest = knownSignature.slice("v1,".length);
  expect(outcome({ signatureHeader: `v1a,${digest} ${knownSignature}` })).toBe("verified");
  for (const given of [`v2,${digest}`, `v1a,${digest}`, digest, `v1 ${digest}`, "v1,", knownSignature.slice(0, -1)]) {
    expect(outcome({ signatureHeader: given })).toBe("signature_mismatch");
  }
  expect(outcome({ signatureHeader: `${"v1,x ".repeat(9)}${knownSignature}` })).toBe("verified");
  expect(outcome({ signatureHeader: `${"v1,x ".repeat(10)}${knownSignature}` })).toBe("signature_mismatch");
});

test("what is missing or malformed is named", () => {
  expect(outcome({ id: undefined })).toBe("id_invalid");
  expect(outcome({ id: "" })).toBe("id_invalid");
  expect(outcome({ signatureHeader: undefined })).toBe("signature_missing");
  expect(outcome({ signatureHeader: "" })).toBe("signature_missing");
  for (const timestamp of [undefined, "", "-1", "1e9", "1614265330.5", "1614265330000000", " 1614265330"]) {
    expect(outcome({ timestamp })).toBe("timestamp_invalid");
  }
});

test("a signature is good for five minutes before and after", () => {
  expect(outcome({ nowMs: nowMs + 300_000 })).toBe("verified");
  expect(outcome({ nowMs: nowMs + 300_001 })).toBe("timestamp_stale");
  expect(outcome({ nowMs: nowMs - 300_001 })).toBe("timestamp_future");
});

test("a dot cannot be moved from the time into the id", () => {
  const signature = signStandard({ ...known, id: "a", timestampSeconds: 1, body: "2.x" });
  const moved = { id: "a.1", timestamp: "2", body: "x", signatureHeader: signature, nowMs: 2_000 };
  expect(outcome(moved)).toBe("id_invalid");
  expect(() => signStandard({ ...known, id: "a.1" })).toThrow(TypeError);
});

test("a secret that is empty or not Base64, and a list without secrets, are mistakes of the caller", () => {
  for (const secret of ["", "whsec_", "whsec_???", "whsec_="]) {
    expect(() => signStandard({ ...known, secret })).toThrow(TypeError);
    expect(() => outcome({ secrets: [known.secret, secret], id: undefined })).toThrow(TypeError);
  }
  expect(() => outcome({ secrets: [] })).toThrow(RangeError);
  expect(() => outcome({ secrets: Array.from({ length: 11 }, () => known.secret) })).toThrow(RangeError);
  for (const timestampSeconds of [-1, 1.5, Number.NaN]) {
    expect(() => signStandard({ ...known, timestampSeconds })).toThrow(TypeError);
  }
});
