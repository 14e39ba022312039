import { parseRate, type Rate } from "@cardwright/money";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type PurchaseRates, purchaseFees, sumOfFees } from "./index.ts";

function rate(text: string): Rate {
  const parsed = parseRate(text);
  if (!parsed.ok) {
    throw new Error(`not a rate: ${text}`);
  }
  return parsed.value;
}

const rates: PurchaseRates = { consumeRate: rate("0.05"), atmRate: rate("0.02"), atmMinFee: 300n };

test("a purchase of 100.00 at 5 % costs 5.00 on top", () => {
  expect(purchaseFees({ type: "Consumption", amount: 10_000n }, rates)).toEqual([
    { feeType: "Consume_fee", amount: 500n },
  ]);
});

test("a fee is rounded half up to the cent", () => {
  expect(purchaseFees({ type: "Consumption", amount: 10n }, rates)).toEqual([{ feeType: "Consume_fee", amount: 1n }]);
  expect(purchaseFees({ type: "Consumption", amount: 9n }, rates)).toEqual([]);
});

test("a withdrawal pays its rate, but never less than the minimum", () => {
  expect(purchaseFees({ type: "Atm", amount: 10_000n }, rates)).toEqual([{ feeType: "Atm_fee", amount: 300n }]);
  expect(purchaseFees({ type: "Atm", amount: 100_000n }, rates)).toEqual([{ feeType: "Atm_fee", amount: 2_000n }]);
});

test("an account verification costs nothing, also where a withdrawal has a minimum", () => {
  expect(purchaseFees({ type: "Atm", amount: 0n }, rates)).toEqual([]);
});

test("fee rows are positive and never more than one cent away from the exact product", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.integer({ min: 0, max: 1_000_000 }),
      (amount, millionths) => {
        const rows = purchaseFees(
          { type: "Consumption", amount },
          { ...rates, consumeRate: { units: BigInt(millionths), scale: 6 } },
        );
        expect(rows.every((row) => row.amount > 0n)).toBe(true);
        const exactTimes = amount * BigInt(millionths);
        const difference = sumOfFees(rows) * 1_000_000n - exactTimes;
        expect(difference > -500_001n && difference <= 500_000n).toBe(true);
      },
    ),
  );
});
