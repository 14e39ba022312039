import { startApi, type TestApi } from "@cardwright/testing/api";
import { afterEach, expect, test } from "vitest";

let api: TestApi;
afterEach(() => api.close());

const token = "/open-api/v1/merchant/token";

test("one address is answered 1009 before anything else is looked at, and let in again after Retry-After", async () => {
  api = await startApi({ limits: { addressPerSecond: 2, addressBurst: 3 }, trustedProxies: ["127.0.0.1"] });
  const from = (address: string) => api.call({ path: token, headers: { "X-Forwarded-For": address } });
  for (let call = 0; call < 3; call += 1) expect((await from("192.0.2.1")).code).toBe(1002);
  const refused = await from("192.0.2.1");
  expect(refused).toMatchObject({ status: 200, code: 1009, msg: "too frequent" });
  expect(refused.headers["retry-after"]).toBe("1");
  expect(refused.text).not.toContain("data");
  // Neighbours are not concerned, but all of an IPv6 customer's own addresses are one.
  expect((await from("192.0.2.2")).code).toBe(1002);
  expect((await from("::ffff:192.0.2.1")).code).toBe(1009);
  for (let call = 0; call < 3; call += 1) expect((await from(`2001:db8::${call}`)).code).toBe(1002);
  expect((await from("2001:db8::ffff:1")).code).toBe(1009);
  expect((await from("2001:db8:0:1::1")).code).toBe(1002);

  api.clock.advance(1_000);
  expect((await from("192.0.2.1")).code).toBe(1002);
  expect((await from("192.0.2.1")).code).toBe(1002);
  expect((await from("192.0.2.1")).code).toBe(1009);
});

test("an unknown path is 404 however often its address has called", async () => {
  api = await startApi({ limits: { addressPerSecond: 1, addressBurst: 1 } });
  expect((await api.call({ path: token })).code).toBe(1002);
  expect((await api.call({ path: token })).code).toBe(1009);
  expect((await api.call({ path: "/open-api/v1/nothing" })).status).toBe(404);
});

test("one key is answered 1009 after its token was checked and before the mode and the body", async () => {
  api = await startApi({ limits: { keyPerSecond: 1, keyBurst: 2 } });
  const merchant = await api.newMerchant("AUTHORIZATION");
  const other = await api.newMerchant("AUTHORIZATION");
  const headers = await api.headersOf(merchant);
  await api.headersOf(other);
  const transfer = (changed: Record<string, string> = {}) =>
    api.call({ method: "POST", path: "/open-api/v1/account/transfer", headers: { ...headers, ...changed }, body: "{" });
  // Get Token took the first of the two.
  expect((await transfer()).code).toBe(1012);
  const refused = await transfer();
  expect(refused.code).toBe(1009);
  expect(refused.headers["retry-after"]).toBe("1");
  expect((await transfer({ "Access-Token": "at_wrong" })).code).toBe(1007);
  expect((await api.post(other, "/account/transfer", "{")).code).toBe(1012);
  api.clock.advance(1_000);
  expect((await transfer({ Timestamp: String(api.clock.now()) })).code).toBe(1012);
});
