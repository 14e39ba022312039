import { expect, test } from "vitest";
import { isCallbackUrl, isOneLine, isOrigin } from "./settings.ts";

const anywhere = { requireHttps: false };
const production = { requireHttps: true };

test("a callback URL is an absolute http or https URL, in production https only", () => {
  expect(isCallbackUrl("https://merchant.example/callback?x=1", production)).toBe(true);
  expect(isCallbackUrl("http://127.0.0.1:8080/callback", anywhere)).toBe(true);
  expect(isCallbackUrl("http://merchant.example/callback", production)).toBe(false);
});

test.each([
  "",
  "merchant.example/callback",
  "ftp://merchant.example/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "https://",
  "https://user:password@merchant.example/",
  "https://user@merchant.example/",
  "https://merchant.example/#here",
  "https://merchant.example/#",
  "https://merchant.example/a b",
  " https://merchant.example/",
  "https://merchant.example/\n",
  `https://merchant.example/${"a".repeat(2048)}`,
])("%j is no callback URL", (text) => {
  expect(isCallbackUrl(text, anywhere)).toBe(false);
});

test("an origin is what a browser sends, without a path", () => {
  expect(isOrigin("https://shop.example", production)).toBe(true);
  expect(isOrigin("http://localhost:5173", anywhere)).toBe(true);
  expect(isOrigin("http://localhost:5173", production)).toBe(false);
  for (const text of ["https://shop.example/", "https://Shop.example", "https://shop.example:443", "null", "*", ""]) {
    expect([text, isOrigin(text, anywhere)]).toEqual([text, false]);
  }
});

test("a name is one line that says something", () => {
  expect(isOneLine("蓝色商店 Ltd.", 128)).toBe(true);
  for (const text of ["", "  ", "a\nb", "a\u0000", "a\u2028b", "x".repeat(129)]) {
    expect([text, isOneLine(text, 128)]).toEqual([text, false]);
  }
});
