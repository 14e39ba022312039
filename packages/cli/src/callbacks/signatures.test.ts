import { signStandard, signV1 } from "@cardwright/signing";
import { expect, test } from "vitest";
import { savedCallback } from "./saved-callback.ts";
import { checkSignatures, trustOf } from "./signatures.ts";

const keys = {
  appId: "app_demo",
  apiSecret: "secret_demo",
  webhookSecrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
};
const timestamp = "1795680795109";
const data = '{"card_no":"C1","amount":12.5,"detail":""}';
const body = `{"id":"push_1","action":"Auth","data":${data}}`;

interface Changes {
  readonly apiSecret?: string;
  readonly timestamp?: string;
  readonly dataText?: string;
}
const v1 = (changes: Changes = {}): string =>
  signV1({ appId: keys.appId, apiSecret: keys.apiSecret, timestamp, dataText: data, ...changes });
const standard = (text = body): string =>
  signStandard({ id: "push_1", timestampSeconds: 1_795_680_795, body: text, secret: keys.webhookSecrets[0] ?? "" });

function found(headers: Readonly<Record<string, string>>, text = body) {
  const genuine = {
    timestamp,
    signature: v1(),
    "webhook-id": "push_1",
    "webhook-timestamp": "1795680795",
    "webhook-signature": standard(),
  };
  return checkSignatures({ headers: { ...genuine, ...headers }, body: text }, { keys, time: null });
}

const whys = (headers: Readonly<Record<string, string>>, text = body): readonly string[] =>
  found(headers, text).map(({ why }) => why);

test("right signatures are right, and one of two during a rotation is enough", () => {
  expect(whys({})).toEqual(["right", "right"]);
  expect(whys({ "webhook-signature": `v1,AAAA ${standard()}` })).toEqual(["right", "right"]);
});

test.each([
  [
    "data was written anew before it was signed",
    v1({ dataText: '{ "card_no": "C1" }' }),
    "differ from what was signed",
  ],
  ["the header came in upper case", v1().toUpperCase(), "it is right in lower case"],
  ["the webhook secret was used", v1({ apiSecret: keys.webhookSecrets[0] ?? "" }), "V1 takes the apiSecret"],
  ["the time was in seconds", v1({ timestamp: "1795680795" }), "V1 takes milliseconds"],
])("when %s, the reason says so", (_, signature, sentence) => {
  const [first, second] = found({ signature });
  expect(first).toMatchObject({ ok: false, why: expect.stringContaining(sentence), expected: v1() });
  expect(second).toMatchObject({ ok: true });
});

test.each([
  ["a line break was added", `${body}\n`, "without the line break at the end"],
  ["it was written anew", JSON.stringify(JSON.parse(body), undefined, 1), "in compact JSON"],
  ["it is another one", body.replace("C1", "C2"), "differ from what was signed"],
])("when %s after the body came, the reason says so", (_, text, sentence) => {
  expect(found({}, text)[1]).toMatchObject({ ok: false, why: expect.stringContaining(sentence) });
});

test("what did not come, or cannot be read, is named", () => {
  expect(whys({ signature: "" })[0]).toBe("the signature did not come");
  expect(whys({ timestamp: "yesterday" })[0]).toBe("the time did not come, or is not of its form");
  expect(whys({}, "{}")[0]).toBe("the body is no callback: id invalid");
  expect(whys({ "webhook-timestamp": "x" })[1]).toBe("the time did not come, or is not of its form");
  expect(whys({ "webhook-id": "a.b" })[1]).toBe("webhook-id did not come");
});

test("age counts only where it is asked for", () => {
  const nowMs = Number(timestamp) + 400_000;
  const time = { nowMs, toleranceMs: 300_000 };
  const headers = { timestamp, signature: v1() };
  const [late] = checkSignatures({ headers, body }, { keys, time });
  expect(late).toMatchObject({ ok: false, why: "the time is too old" });
  expect(checkSignatures({ headers, body }, { keys, time: null })[0]).toMatchObject({ ok: true });
});

test("a receiver is told verified only when nothing is wrong and something was right", () => {
  expect(trustOf(found({}))).toBe("verified");
  expect(trustOf(found({ signature: "0" }))).toBe("WRONG");
  const none = { appId: "", apiSecret: "", webhookSecrets: [] };
  expect(trustOf(checkSignatures({ headers: {}, body }, { keys: none, time: null }))).toBe("unchecked");
});

test("a saved callback is read with its headers in any case, and what curl puts in front of them", () => {
  const text = `POST /hook HTTP/1.1\r\n> Timestamp: ${timestamp}\r\nSIGNATURE: abc:def\r\n\r\n${body}\n`;
  expect(savedCallback(text, "file")).toEqual({ headers: { timestamp, signature: "abc:def" }, body: `${body}\n` });
  expect(savedCallback(JSON.stringify({ headers: { Signature: "x" }, body }), "file")).toEqual({
    headers: { signature: "x" },
    body,
  });
  expect(() => savedCallback(body, "file")).toThrow("its headers are needed too");
  expect(() => savedCallback("Timestamp 1\r\n\r\n{}", "file")).toThrow("a line that is no header");
});
