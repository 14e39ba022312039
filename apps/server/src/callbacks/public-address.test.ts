import { expect, test } from "vitest";
import { isPublicAddress, publicLookup } from "./public-address.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "192.0.2.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "fe80::1",
  "fc00::1",
  "::ffff:10.0.0.1",
  "::ffff:127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::808:808",
  "64:ff9b:1::a00:1",
  "::ffff:0:127.0.0.1",
  "::ffff:a9fe:a9fe",
  "::7f00:1",
  "::a00:1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "192.88.99.1",
  "2002:7f00:1::",
  "2001:db8::1",
  "3fff::1",
  "100::1",
  "100:0:0:1::1",
  "fec0::1",
  "4000::1",
  "5f00::1",
  "2606:4700:4700::1111%eth0",
  "0x7f000001",
  "0x08080808",
  "ff02::1",
  "localhost",
  "",
])("%s is not a public address", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])("%s is a public address", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

function lookUp(addresses: readonly string[], all: boolean): Promise<{ code: string; address: unknown }> {
  const lookup = publicLookup((_name, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    ),
  );
  return new Promise((resolve) => {
    lookup("merchant.example", { all }, (error, address) => resolve({ code: error?.code ?? "", address }));
  });
}

test("a name is refused when any of its addresses is private, and when it has none", async () => {
  expect(await lookUp(["8.8.8.8", "10.0.0.1"], true)).toMatchObject({ code: "ADDRESS_NOT_PUBLIC" });
  expect(await lookUp([], false)).toMatchObject({ code: "ADDRESS_NOT_PUBLIC" });
});

test("a public name resolves to all of its addresses, or to the first where one is asked for", async () => {
  expect(await lookUp(["8.8.8.8", "1.1.1.1"], false)).toEqual({ code: "", address: "8.8.8.8" });
  expect(await lookUp(["8.8.8.8"], true)).toEqual({ code: "", address: [{ address: "8.8.8.8", family: 4 }] });
});
