import { startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
let credit: TestCredential;
let authorization: TestCredential;

const operator = { actor: "operator" };
const balance = "/open-api/v1/account/U202605220001/info";
const token = "/open-api/v1/merchant/token";

beforeAll(async () => {
  api = await startApi({ trustedProxies: ["127.0.0.1"] });
  credit = await api.newMerchant("CREDIT_EXTENSION");
  authorization = await api.newMerchant("AUTHORIZATION");
});
afterAll(() => api.close());

async function codeOf(path: string, headers: Record<string, string | undefined>): Promise<number> {
  return (await api.call({ path, headers })).code;
}

/** A way to spoil a good call, from the first check to the last; each leaves the others as they are. */
interface Fault {
  readonly code: number;
  readonly spoil: (call: Spoilable) => Promise<void>;
}

interface Spoilable {
  credential: TestCredential;
  headers: Record<string, string | undefined>;
}

/** In the order of contract section 1; 1009 has its own tests, because it needs a server with small limits. */
const faults: readonly Fault[] = [
  { code: 1002, spoil: async (call) => void (call.headers["Api-Key"] = undefined) },
  { code: 1008, spoil: async (call) => void (call.headers["Api-Key"] = "ck_unknown") },
  { code: 1010, spoil: async ({ credential }) => changeCredential(credential, { status: "Disabled" }) },
  { code: 1011, spoil: async ({ credential }) => changeCredential(credential, { expiresAt: api.clock.now() }) },
  { code: 1003, spoil: async (call) => void (call.headers["X-Forwarded-For"] = "192.0.2.1") },
  { code: 1022, spoil: async ({ credential }) => changeMerchant(credential, "Disabled") },
  { code: 1005, spoil: async (call) => void (call.headers["Timestamp"] = "1") },
  { code: 1006, spoil: async (call) => void (call.headers["Access-Token"] = undefined) },
  { code: 1012, spoil: async () => {} },
];

async function changeCredential(
  { merchant, credentialId }: TestCredential,
  change: { status?: "Disabled" | "Enabled"; expiresAt?: number },
): Promise<void> {
  const { merchantId } = merchant;
  expect((await api.rooms.merchants.updateCredential({ merchantId, credentialId, change }, operator)).ok).toBe(true);
}

async function changeMerchant({ merchant }: TestCredential, status: "Active" | "Disabled" | "Closed"): Promise<void> {
  const { merchantId } = merchant;
  expect((await api.rooms.merchants.update({ merchantId, change: { status } }, operator)).ok).toBe(true);
}

const pairs = faults.flatMap((first, index) => faults.slice(index + 1).map((second) => ({ first, second })));

test.each(pairs.map(({ first, second }) => [first.code, second.code, { first, second }] as const))(
  "%i is told before %i",
  async (_first, _second, { first, second }) => {
    // Authorization mode, so that an endpoint of credit mode is always the last fault.
    const credential = await api.newMerchant("AUTHORIZATION");
    const call: Spoilable = { credential, headers: await api.headersOf(credential) };
    await second.spoil(call);
    await first.spoil(call);
    expect(await codeOf(balance, call.headers)).toBe(first.code);
  },
);

test("a wrong body is told after all of them, a wrong Timezone before it", async () => {
  const broken = { "Api-Key": undefined };
  expect((await api.post(credit, "/card/list", "{", { headers: broken })).code).toBe(1002);
  expect((await api.post(authorization, "/account/transfer", "{")).code).toBe(1012);
  const zone = await api.post(credit, "/card/list", "{", { headers: { Timezone: "UTC+15" } });
  expect(zone.msg).toBe("timezone invalid parameter");
  expect((await api.post(credit, "/card/list", "{")).msg).toBe("body invalid parameter");
});

test("a deleted credential does not exist, a closed merchant neither", async () => {
  const second = await api.newCredential(credit.merchant);
  const headers = await api.headersOf(second);
  expect(await codeOf(token, headers)).toBe(0);
  const { merchantId } = second.merchant;
  await api.rooms.merchants.deleteCredential({ merchantId, credentialId: second.credentialId }, operator);
  expect(await codeOf(token, headers)).toBe(1008);

  const closed = await api.newMerchant("CREDIT_EXTENSION");
  const closedHeaders = await api.headersOf(closed);
  await changeMerchant(closed, "Closed");
  expect(await codeOf(token, closedHeaders)).toBe(1021);
});

test("a blank header counts as none", async () => {
  const headers = await api.headersOf(credit);
  expect(await codeOf(token, { ...headers, "Api-Key": "  " })).toBe(1002);
  expect(await codeOf(balance, { ...headers, "Access-Token": "" })).toBe(1006);
  expect(await codeOf(balance, { ...headers, Timestamp: "" })).toBe(1005);
});

test("a Timestamp is 13 digits, at most 60 s old and never in the future", async () => {
  const headers = await api.headersOf(credit);
  const now = api.clock.now();
  const codes = async (timestamp: string | undefined) => [
    await codeOf(balance, { ...headers, Timestamp: timestamp }),
    await codeOf(token, { ...headers, Timestamp: timestamp }),
  ];
  // 2002: let in, and the cardholder does not exist.
  expect(await codes(String(now))).toEqual([2002, 0]);
  expect(await codes(String(now - 60_000))).toEqual([2002, 0]);
  expect(await codes(undefined)).toEqual([1005, 0]);
  for (const wrong of [
    now - 60_001,
    now + 1,
    `${Math.floor(now / 1000)}`,
    `${now}0`,
    `+${now}`,
    `${now}.0`,
    "now",
    "0x18f9ab3c700",
    now * -1,
  ]) {
    expect(await codes(String(wrong))).toEqual([1005, 1005]);
  }
  expect(await codes(`${now}`.replaceAll(/\d/gu, "9"))).toEqual([1005, 1005]);
});

test("two calls with one Timestamp are legal", async () => {
  const headers = await api.headersOf(credit);
  expect(await codeOf(balance, headers)).toBe(2002);
  expect(await codeOf(balance, headers)).toBe(2002);
});

test("an Access-Token belongs to its credential, lives 24 hours, and a new one leaves it valid", async () => {
  const second = await api.newCredential(credit.merchant);
  const first = await api.headersOf(credit);
  const other = await api.headersOf(second);
  expect(await codeOf(balance, { ...first, "Access-Token": other["Access-Token"] })).toBe(1007);

  const issued = textAt((await api.call({ path: token, headers: first })).data, "access_token");
  expect(issued).not.toBe(first["Access-Token"]);
  expect(await codeOf(balance, first)).toBe(2002);
  expect(await codeOf(balance, { ...first, "Access-Token": issued })).toBe(2002);

  api.clock.advance(86_400_000 - 1);
  expect(await codeOf(balance, { ...first, Timestamp: String(api.clock.now()) })).toBe(2002);
  api.clock.advance(1);
  expect(await codeOf(balance, { ...first, Timestamp: String(api.clock.now()) })).toBe(1007);
});

test("an Access-Token is refused when any of its characters is another", async () => {
  const headers = await api.headersOf(credit);
  const good = headers["Access-Token"] ?? "";
  for (let at = 0; at < good.length; at += 1) {
    const changed = `${good.slice(0, at)}${good[at] === "A" ? "B" : "A"}${good.slice(at + 1)}`;
    expect(await codeOf(balance, { ...headers, "Access-Token": changed })).toBe(1007);
  }
  for (const wrong of ["at_", "x", good.slice(0, -1), `${good}A`, good.toUpperCase(), "a".repeat(5_000)]) {
    expect(await codeOf(balance, { ...headers, "Access-Token": wrong })).toBe(1007);
  }
});

test("tokens from before a credential was disabled stay dead when it is enabled again", async () => {
  const second = await api.newCredential(credit.merchant);
  const headers = await api.headersOf(second);
  await changeCredential(second, { status: "Disabled" });
  expect(await codeOf(balance, headers)).toBe(1010);
  await changeCredential(second, { status: "Enabled" });
  expect(await codeOf(balance, headers)).toBe(1007);
  const fresh = textAt((await api.call({ path: token, headers })).data, "access_token");
  expect(await codeOf(balance, { ...headers, "Access-Token": fresh })).toBe(2002);
});

test("a credential expires on the millisecond", async () => {
  const expiresAt = api.clock.now() + 1_000;
  const second = await api.newCredential(credit.merchant, { expiresAt });
  expect(await codeOf(token, { "Api-Key": second.apiKey })).toBe(0);
  api.clock.advance(999);
  expect(await codeOf(token, { "Api-Key": second.apiKey })).toBe(0);
  api.clock.advance(1);
  expect(await codeOf(token, { "Api-Key": second.apiKey })).toBe(1011);
});

test("the caller's address must be in the credential's list, as a trusted proxy tells it", async () => {
  const listed = await api.newCredential(credit.merchant, { allowList: ["192.0.2.0/24", "2001:db8::/32"] });
  const from = (address: string) => codeOf(token, { "Api-Key": listed.apiKey, "X-Forwarded-For": address });
  expect(await from("192.0.2.7")).toBe(0);
  expect(await from("::ffff:192.0.2.7")).toBe(0);
  expect(await from("2001:db8:1::9")).toBe(0);
  expect(await from("198.51.100.1")).toBe(1003);
  expect(await from("garbage")).toBe(1003);
  // The nearest address that no proxy of ours wrote counts: a caller cannot put a listed one in front.
  expect(await from("192.0.2.7, 198.51.100.1")).toBe(1003);
  expect(await codeOf(token, { "Api-Key": listed.apiKey })).toBe(1003);
  const nobody = await api.newCredential(credit.merchant, { allowList: [] });
  expect(await codeOf(token, { "Api-Key": nobody.apiKey })).toBe(1003);
});

test("the Timezone header has the form UTC+8 or UTC+05:30 within UTC-12 and UTC+14, on every endpoint", async () => {
  const headers = await api.headersOf(credit);
  for (const good of ["UTC+8", "UTC-5", "UTC+05:30", "UTC+14", "UTC-12", "UTC+0", undefined]) {
    expect(await codeOf(balance, { ...headers, Timezone: good })).toBe(2002);
  }
  for (const wrong of [
    "UTC+15",
    "UTC-13",
    "UTC+14:30",
    "UTC+8:60",
    "utc+8",
    "GMT+8",
    "+8",
    "Asia/Shanghai",
    "UTC+008",
  ]) {
    expect(await codeOf(balance, { ...headers, Timezone: wrong })).toBe(1004);
    expect(await codeOf(token, { ...headers, Timezone: wrong })).toBe(1004);
  }
});

test("msg is Chinese for zh_CN and English for everything else", async () => {
  const headers = await api.headersOf(credit);
  const msg = async (path: string, language: string | undefined) =>
    (await api.call({ path, headers: { ...headers, Language: language } })).msg;
  expect(await msg(balance, "zh_CN")).toBe("持卡人不存在");
  expect(await msg(token, "zh_CN")).toBe("成功");
  for (const other of ["en_US", "zh-CN", "ZH_CN", "fr_FR", "", undefined]) {
    expect(await msg(balance, other)).toBe("cardholder does not exist");
    expect(await msg(token, other)).toBe("Success");
  }
  expect(await msg("/open-api/v1/nothing", "zh_CN")).toBe("path 参数无效");
});
