import fc from "fast-check";
import { expect, test } from "vitest";
import { ipAllowed, parseAllowList } from "./allow-list.ts";

function stored(...entries: string[]): string[] {
  const parsed = parseAllowList(entries);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

test("an empty list lets nobody in", () => {
  expect(ipAllowed([], "127.0.0.1")).toBe(false);
  expect(ipAllowed([], "::1")).toBe(false);
});

test("an address is let in by itself, by its range and in its mapped form", () => {
  const list = stored("203.0.113.7", "10.1.0.0/16", "2001:db8::/32");
  for (const address of ["203.0.113.7", "::ffff:203.0.113.7", "10.1.255.255", "::ffff:10.1.2.3", "2001:db8:1::5"]) {
    expect([address, ipAllowed(list, address)]).toEqual([address, true]);
  }
  for (const address of ["203.0.113.8", "10.2.0.0", "2001:db9::1", "::ffff:10.2.0.1", "", "localhost", "10.1.2.3.4"]) {
    expect([address, ipAllowed(list, address)]).toEqual([address, false]);
  }
});

test("a link-local caller is compared without the name of its interface", () => {
  expect(ipAllowed(stored("fe80::1"), "fe80::1%eth0")).toBe(true);
});

test("a range over one family lets in nobody of the other", () => {
  expect(ipAllowed(stored("0.0.0.0/0"), "2001:db8::1")).toBe(false);
  expect(ipAllowed(stored("::/0"), "203.0.113.7")).toBe(false);
  expect(ipAllowed(stored("0.0.0.0/0"), "203.0.113.7")).toBe(true);
});

test("entries are kept in one form: host bits cleared, mapped addresses as IPv4, repeats left out", () => {
  expect(stored("10.1.2.3/8", "::ffff:192.0.2.1", "192.0.2.1", "2001:DB8:0:0::1/128", "::ffff:10.0.0.0/104")).toEqual([
    "10.0.0.0/8",
    "192.0.2.1",
    "2001:db8::1",
  ]);
});

test.each([
  "",
  " 10.0.0.1",
  "10.0.0.256",
  "127.1",
  "0x7f.0.0.1",
  "2130706433",
  "010.0.0.1",
  "10.0.0.0/33",
  "10.0.0.0/08",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0.0/-1",
  "::/129",
  "::ffff:0:0/95",
  "fe80::1%eth0",
  "example.com",
])("%j is no entry", (entry) => {
  expect(parseAllowList([entry])).toEqual({ ok: false, reason: "allow_list_invalid" });
});

test("a list of more than 200 entries is refused", () => {
  const entries = Array.from({ length: 201 }, (_, index) => `10.0.${index}.1`);
  expect(parseAllowList(entries).ok).toBe(false);
  expect(parseAllowList(entries.slice(1)).ok).toBe(true);
});

test("a range lets in exactly the addresses that share its first bits", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }), (network, caller, bits) => {
      const shared = bits === 0 || network >>> (32 - bits) === caller >>> (32 - bits);
      expect(ipAllowed(stored(`${dotted(network)}/${bits}`), dotted(caller))).toBe(shared);
    }),
  );
});

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
