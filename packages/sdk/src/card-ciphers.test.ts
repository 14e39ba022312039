import { createCipheriv, createDecipheriv } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CardwrightError, decryptForCard, decryptPrivateInfo, encryptForCard } from "./index.ts";

const secret = "Zk3Qm8Xw1Rt6Yp9Lb4Nc7Vd2Hs5Jf0Ga";

/** AES/ECB/PKCS5Padding as every other language has it. */
function plainEncrypt(text: string): string {
  const cipher = createCipheriv("aes-256-ecb", secret, null);
  return Buffer.concat([cipher.update(text, "utf8"), cipher.final()]).toString("base64");
}

test("what is encrypted without ECB is what ECB encrypts, both ways, of any length", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 200 }), async (text) => {
      const encrypted = await encryptForCard(text, secret);
      expect(encrypted).toBe(plainEncrypt(text));
      expect(await decryptForCard(encrypted, secret)).toBe(text);
      const decipher = createDecipheriv("aes-256-ecb", secret, null);
      expect(decipher.update(encrypted, "base64", "utf8") + decipher.final("utf8")).toBe(text);
    }),
  );
});

test("private data is read from its cipher text", async () => {
  const info = {
    card_no: "C1",
    card_unique_no: "c-1",
    cvv: "123",
    pan: "4000001234567899",
    exp_year: "2028",
    exp_month: "12",
  };
  expect(await decryptPrivateInfo(plainEncrypt(JSON.stringify(info)), secret)).toEqual(info);
});

test.each([
  ["of another secret", plainEncrypt("4000001234567899"), "x".repeat(32)],
  ["of no Base64", "no!", secret],
  ["of a broken block", "AAAA", secret],
  ["of nothing", "", secret],
  ["of something else than private data", plainEncrypt('{"pan":4000001234567899}'), secret],
  ["of no JSON", plainEncrypt("4000001234567899"), secret],
])("a cipher text %s is an error without a digit of it", async (_, cipherText, own) => {
  const error = await decryptPrivateInfo(cipherText, own).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CardwrightError);
  expect(String(error)).not.toMatch(/4000|pan/u);
});

test("a secret that is not one is refused", async () => {
  await expect(encryptForCard("123", "short")).rejects.toThrow("32 characters");
});
