import { expect, test } from "vitest";
import { orderNumber, uuid7 } from "./index.ts";

const noon = Date.UTC(2026, 4, 22, 12, 0, 0, 7);

test("an order number carries its kind and the UTC date, fits 32 characters and is safe in a URL", () => {
  const number = orderNumber("C", noon);
  expect(number).toMatch(/^C20260522[0-9A-HJKMNP-TV-Z]{16}$/u);
  expect(encodeURIComponent(number)).toBe(number);
});

test("of two numbers of one process the later sorts higher, within a millisecond and across midnight", () => {
  const made = [noon, noon, noon, noon + 1, Date.UTC(2026, 4, 23)].map((ms) => orderNumber("O", ms));
  expect(made.toSorted()).toEqual(made);
  const ids = [noon, noon, noon, noon + 1].map((ms) => uuid7(ms));
  expect(ids.toSorted()).toEqual(ids);
});

test("100,000 numbers of one millisecond are all different", () => {
  const numbers = new Set(Array.from({ length: 100_000 }, () => orderNumber("O", noon)));
  const ids = new Set(Array.from({ length: 100_000 }, () => uuid7(noon)));
  expect([numbers.size, ids.size]).toEqual([100_000, 100_000]);
});

test("a UUID has version 7, the RFC's variant and the time in its first 48 bits", () => {
  const id = uuid7(noon);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(noon);
});
