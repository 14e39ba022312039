import { expect, test } from "vitest";
import { authorization as bounds } from "../limits.ts";
import { createFailingMerchants } from "./failing-merchants.ts";

test.each(["timeout", "unreachable", "bad_answer"] as const)(
  "a merchant is failing from a question that ended with %s until one is answered, with yes or no",
  (end) => {
    const failing = createFailingMerchants();
    for (const answer of ["approved", "declined"] as const) {
      failing.note(1, end);
      expect([failing.has(1), failing.has(2)]).toEqual([true, false]);
      failing.note(1, answer);
      expect(failing.has(1)).toBe(false);
    }
  },
);

test.each(["busy", "circuit_open"] as const)("a merchant that was not asked (%s) is what it was", (end) => {
  const failing = createFailingMerchants();
  failing.note(1, end);
  expect(failing.has(1)).toBe(false);
  failing.note(1, "timeout");
  failing.note(1, end);
  expect(failing.has(1)).toBe(true);
});

test("of more than are remembered the one is forgotten that has failed for longest", () => {
  const failing = createFailingMerchants();
  for (let merchantId = 0; merchantId <= bounds.failingMerchantsMax; merchantId += 1) {
    failing.note(merchantId, "timeout");
  }
  expect([failing.has(0), failing.has(1), failing.has(bounds.failingMerchantsMax)]).toEqual([false, true, true]);
});
