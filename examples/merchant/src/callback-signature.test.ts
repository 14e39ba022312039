import { expect, test } from "vitest";
import { credentials, signedCallback } from "../test/small-platform.ts";
import { type CallbackRequest, signatureV1, verifyCallback } from "./callback-signature.ts";
import { rawMembers } from "./raw-json.ts";

const nowMs = 1_716_307_200_000;
const data = {
  card_no: "C202605220001",
  before_status: "Activated",
  after_status: "Frozen",
  reason: "",
  time: nowMs,
};
const good = signedCallback({ id: "1", action: "Card_update", data, nowMs });

function verify(request: CallbackRequest, at = nowMs): string {
  const verified = verifyCallback(request, { ...credentials, nowMs: at });
  return verified.ok ? verified.callback.action : verified.reason;
}

test("the contract's example has the contract's signature", () => {
  const members = rawMembers(JSON.stringify(data)) ?? new Map();
  expect(signatureV1({ data: members, timestamp: String(nowMs), ...credentials })).toBe(
    "63a793f88327f5c8e0adbef583bbb99fa593d7e12706e7a5bc0af6110859b1cb",
  );
});

test("what the platform signed is read", () => {
  expect(verify(good)).toBe("Card_update");
});

test("null is left out, empty text stays, nested values are signed as they were written, keys sort by code point", () => {
  const members =
    rawMembers('{"z":"","n":null,"list":[{"amount":1.5}],"\u{1F600}":1,"\u{FF5E}":2,"A":true}') ?? new Map();
  const plain =
    rawMembers('{"A":"true","list":"[{\\"amount\\":1.5}]","z":"","\u{FF5E}":"2","\u{1F600}":"1"}') ?? new Map();
  const sign = (data: ReadonlyMap<string, string>) => signatureV1({ data, timestamp: "1", ...credentials });
  expect(sign(members)).toBe(sign(plain));
  expect(sign(members)).not.toBe(
    sign(rawMembers('{"A":true,"list":[{"amount":1.5}],"\u{FF5E}":2,"\u{1F600}":1}') ?? new Map()),
  );
});

test("one changed character of the data, the signature or the time refuses the callback", () => {
  const changed = (from: string, to: string) => Buffer.from(good.body.toString("utf8").replace(from, to));
  const headers = good.headers;
  expect(verify({ headers, body: changed("Frozen", "frozen") })).toBe("signature");
  expect(verify({ headers, body: changed(`${nowMs}}`, `${nowMs + 1}}`) })).toBe("signature");
  expect(verify({ ...good, headers: { ...headers, signature: headers["signature"]?.toUpperCase() } })).toBe(
    "signature",
  );
  expect(verify({ ...good, headers: { ...headers, signature: undefined } })).toBe("signature");
  expect(verify({ ...good, headers: { ...headers, timestamp: String(nowMs + 1) } })).toBe("signature");
  expect(verifyCallback(good, { ...credentials, apiSecret: "other", nowMs }).ok).toBe(false);
  expect(verifyCallback(good, { ...credentials, appId: "other", nowMs }).ok).toBe(false);
});

test("a second value for a signed key is refused instead of choosing one", () => {
  const doubled = good.body.toString("utf8").replace('"reason":""', '"reason":"","reason":""');
  expect(verify({ ...good, body: Buffer.from(doubled) })).toBe("body");
});

test.each(['"timestamp":"1716307200000"', '"appId":null', '"half":"\\ud800"'])(
  "the member %s is refused, since the signature would not see it as it is",
  (member) => {
    const added = good.body.toString("utf8").replace('"reason":""', `"reason":"",${member}`);
    expect(verify({ ...good, body: Buffer.from(added) })).toBe("body");
  },
);

test("a callback is good for five minutes and for no clock beyond that", () => {
  const minute = 60_000;
  expect([-5 * minute, 5 * minute].map((away) => verify(good, nowMs + away))).toEqual(["Card_update", "Card_update"]);
  expect([-5 * minute - 1, 5 * minute + 1].map((away) => verify(good, nowMs + away))).toEqual([
    "timestamp",
    "timestamp",
  ]);
});

test.each(["", "17163072000000", "1716307200.00", "now"])("the timestamp %s is refused", (timestamp) => {
  expect(verify({ ...good, headers: { ...good.headers, timestamp } })).toBe("timestamp");
});

test("another signature version is refused, so that nobody can choose a weaker one", () => {
  expect(verify({ ...good, headers: { ...good.headers, "sign-version": "V0" } })).toBe("sign version");
});

test.each([
  "",
  "{}",
  '{"id":1,"action":"Auth"}',
  '{"id":1,"action":"Auth","data":[]}',
  '{"id":1,"action":2,"data":{}}',
])("the body %s is no callback", (body) => {
  expect(verify({ ...good, body: Buffer.from(body) })).toBe("body");
});

test("a body that is not UTF-8 is no callback", () => {
  const body = Buffer.from(good.body);
  body[body.indexOf("Frozen")] = 0xff;
  expect(verify({ ...good, body })).toBe("body");
});
