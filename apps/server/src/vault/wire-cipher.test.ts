import { createCipheriv, createDecipheriv } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decryptFromMerchant, encryptForMerchant, isApiSecret } from "./wire-cipher.ts";

const secret = "0123456789abcdefghijABCDEFGHIJkl";
const refusal = { ok: false, reason: "cannot_be_decrypted" };

/** What a merchant's library does: written without anything of ours. */
function asMerchant(plain: Buffer, options: { padding: boolean } = { padding: true }): string {
  const cipher = createCipheriv("aes-256-ecb", Buffer.from(secret), null).setAutoPadding(options.padding);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
}

test("a known text has the cipher text that OpenSSL's own command line gives", () => {
  // printf 123 | openssl enc -aes-256-ecb -K $(printf 0123456789abcdefghijABCDEFGHIJkl | xxd -p -c 99) -base64
  expect(encryptForMerchant(secret, "123")).toBe("3UR2mDKRK5oAWCq9ONjluQ==");
});

test("what we encrypt, an independent AES-256/ECB/PKCS5 reads; what it encrypts, we read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
      fc.pre(Buffer.byteLength(text) <= 1024);
      const decipher = createDecipheriv("aes-256-ecb", Buffer.from(secret, "ascii"), null);
      const read = Buffer.concat([decipher.update(encryptForMerchant(secret, text), "base64"), decipher.final()]);
      expect(read.toString("utf8")).toBe(text);
      expect(decryptFromMerchant(secret, asMerchant(Buffer.from(text)))).toEqual({ ok: true, value: text });
    }),
  );
});

test("a text in plain, or in anything but strict Base64 of whole blocks, cannot be decrypted", () => {
  const good = asMerchant(Buffer.from("123"));
  const cut = (length: number) => Buffer.from(good, "base64").subarray(0, length).toString("base64");
  for (const text of [
    "",
    "123",
    "123456",
    good.replaceAll("=", ""),
    `${good}\n`,
    ` ${good}`,
    `${good}=`,
    `${good.slice(0, 10)}\n${good.slice(10)}`,
    `${good}${good}`,
    Buffer.from(good, "base64").toString("base64url"),
    Buffer.from(good, "base64").toString("hex"),
    cut(15),
    cut(8),
    "=",
    "A===",
    "\u{1F600}",
    "A".repeat(1_000_000),
  ]) {
    expect({ text, ...decryptFromMerchant(secret, text) }).toEqual({ text, ...refusal });
  }
});

test("bad padding, bad UTF-8 and another key answer alike", () => {
  const block = (last: number[]) => Buffer.from([...Array.from({ length: 16 - last.length }, () => 0x31), ...last]);
  for (const padding of [[0], [17], [1, 2], [3, 2, 3], [255]]) {
    const cipherText = asMerchant(block(padding), { padding: false });
    expect({ padding, ...decryptFromMerchant(secret, cipherText) }).toEqual({ padding, ...refusal });
  }
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    expect({ bytes, ...decryptFromMerchant(secret, asMerchant(Buffer.from(bytes))) }).toEqual({ bytes, ...refusal });
  }
  const other = decryptFromMerchant("Z".repeat(32), asMerchant(Buffer.from("4111111111111111 and some more")));
  expect(other).toEqual(refusal);
});

test("nothing a merchant can send throws, and a byte order mark stays part of the text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 2000 })), (text) => {
      expect([true, false]).toContain(decryptFromMerchant(secret, text).ok);
    }),
  );
  expect(decryptFromMerchant(secret, asMerchant(Buffer.from("\uFEFF123")))).toEqual({ ok: true, value: "\uFEFF123" });
});

test("texts up to 1 KiB pass both ways, longer ones do not", () => {
  const longest = "x".repeat(1024);
  expect(decryptFromMerchant(secret, encryptForMerchant(secret, longest))).toEqual({ ok: true, value: longest });
  expect(() => encryptForMerchant(secret, `${longest}x`)).toThrow("1 KiB");
  expect(decryptFromMerchant(secret, asMerchant(Buffer.alloc(1041, 0x78)))).toEqual(refusal);
});

test("a secret is 32 letters and digits; a wrong one is not repeated in the error", () => {
  expect(isApiSecret(secret)).toBe(true);
  for (const wrong of [
    "",
    secret.slice(1),
    `${secret}0`,
    `${secret.slice(1)}-`,
    `${secret.slice(1)}é`,
    `${secret}\n`,
  ]) {
    expect(isApiSecret(wrong)).toBe(false);
    expect(() => encryptForMerchant(wrong, "123")).toThrow(/^an API secret has the wrong form$/u);
  }
});
