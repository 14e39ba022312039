import fc from "fast-check";
import { expect, test } from "vitest";
import { shareOf } from "./allocation.ts";
import { partsOf } from "./reversal-parts.ts";

const one = [{ left: 1_920n, localLeft: 3_000n }];

test("everything is reversed when no amount is named", () => {
  expect(partsOf([...one, { left: 5n, localLeft: 7n }], null)).toEqual([
    { amount: 1_920n, localAmount: 3_000n },
    { amount: 5n, localAmount: 7n },
  ]);
});

test("an amount in the transaction's currency takes the same share of what was billed", () => {
  expect(partsOf(one, { in: "transaction", amount: 1_000n })).toEqual([{ amount: 640n, localAmount: 1_000n }]);
  expect(partsOf(one, { in: "card", amount: 640n })).toEqual([{ amount: 640n, localAmount: 1_000n }]);
});

test("more than is left takes what is left, and goes on to the next", () => {
  const two = [...one, { left: 100n, localLeft: 156n }];
  expect(partsOf(one, { in: "transaction", amount: 3_001n })).toEqual([{ amount: 1_920n, localAmount: 3_000n }]);
  expect(partsOf(two, { in: "card", amount: 1_970n }).map(({ amount }) => amount)).toEqual([1_920n, 50n]);
});

test("nothing is left of nothing", () => {
  expect(partsOf([{ left: 0n, localLeft: 0n }], { in: "transaction", amount: 1n })).toEqual([
    { amount: 0n, localAmount: 0n },
  ]);
  expect(shareOf(10n, { part: 1n, of: 0n })).toBe(0n);
});

test("partial reversals whose local amounts add up to the purchase add up to it in the card's currency as well", () => {
  const pieces = fc.array(fc.bigInt({ min: 1n, max: 10_000n }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.bigInt({ min: 1n, max: 10n ** 12n }), (local, billed) => {
      let left = billed;
      let localLeft = local.reduce((sum, piece) => sum + piece, 0n);
      for (const amount of local) {
        const [part] = partsOf([{ left, localLeft }], { in: "transaction", amount });
        left -= part?.amount ?? 0n;
        localLeft -= part?.localAmount ?? 0n;
        expect(left >= 0n).toBe(true);
      }
      expect([left, localLeft]).toEqual([0n, 0n]);
    }),
  );
});
