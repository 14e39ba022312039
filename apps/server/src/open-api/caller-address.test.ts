import { expect, test } from "vitest";
import { addressGroup } from "./caller-address.ts";

test("an IPv4 address counts by itself, also in its mapped form", () => {
  expect(addressGroup("192.0.2.1")).toBe("192.0.2.1");
  expect(addressGroup("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(addressGroup("::ffff:c000:201")).toBe("192.0.2.1");
});

test("IPv6 addresses of one /64 count together", () => {
  expect(addressGroup("2001:db8::1")).toBe(addressGroup("2001:db8:0:0:ffff::2"));
  expect(addressGroup("2001:db8::1")).not.toBe(addressGroup("2001:db8:0:1::1"));
  expect(addressGroup("fe80::1%eth0")).toBe(addressGroup("fe80::2"));
});

test("texts that are no address count together", () => {
  expect(new Set(["", "garbage", "999.1.1.1", "%", "1.2.3", "x".repeat(10_000)].map(addressGroup)).size).toBe(1);
});
