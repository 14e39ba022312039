import fc from "fast-check";
import { expect, test } from "vitest";
import { amounts, card, counters, freeSchedule, moments, schedules } from "./fees.testing.ts";
import {
  type ChargedTransaction,
  type FeeCounters,
  isCrossBorder,
  type SpendingTransaction,
  sumOfFees,
  transactionFees,
  unusedCounters,
} from "./index.ts";

const kinds = fc.constantFrom("purchase", "withdrawal");
const spendings: fc.Arbitrary<SpendingTransaction> = fc.record({
  kind: kinds,
  amount: amounts,
  currency: fc.constantFrom("USD", "TUSDT", "JPY", "KWD"),
  wallet: fc.boolean(),
  small: fc.constantFrom("open", "free", "charged"),
});
const transactions: fc.Arbitrary<ChargedTransaction> = fc.oneof(
  spendings,
  fc.record({ kind: fc.constant("decline"), amount: amounts }),
  fc.record({ kind: fc.constant("cancel"), of: kinds, amount: amounts }),
  fc.record({ kind: fc.constant("refund"), amount: amounts }),
);
const inputs = fc.record({ schedule: schedules, transaction: transactions, counters, card: moments });
const plain: SpendingTransaction = { kind: "purchase", amount: 0n, currency: "USD", wallet: false, small: "open" };

test("the total is the sum of the rows, every row is above zero, and no fee type appears twice", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { rows, total } = transactionFees(input);
      expect(sumOfFees(rows)).toBe(total);
      expect(rows.filter((row) => row.amount <= 0n)).toEqual([]);
      expect(new Set(rows.map((row) => row.feeType)).size).toBe(rows.length);
    }),
  );
});

test("amount zero costs nothing and uses nothing up, whatever the transaction", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const fees = transactionFees({ ...input, transaction: { ...input.transaction, amount: 0n } });
      expect([fees.rows, fees.total, fees.counters]).toEqual([[], 0n, input.counters]);
    }),
  );
});

test("a negative amount is a bug and is not priced", () => {
  expect(() =>
    transactionFees({
      schedule: freeSchedule,
      transaction: { kind: "refund", amount: -1n },
      counters: unusedCounters,
      card,
    }),
  ).toThrow(RangeError);
});

test("a larger amount never costs less where no fee hangs on being small", () => {
  fc.assert(
    fc.property(inputs, amounts, (input, more) => {
      const schedule = { ...input.schedule, smallConsumeFee: 0n };
      const larger = { ...input.transaction, amount: input.transaction.amount + more };
      const fees = transactionFees({ ...input, schedule });
      expect(transactionFees({ ...input, schedule, transaction: larger }).total).toBeGreaterThanOrEqual(fees.total);
    }),
  );
});

test("the small-transaction fee is there exactly below the threshold, and leaves the other rows alone", () => {
  fc.assert(
    fc.property(schedules, spendings, moments, (schedule, spending, at) => {
      const transaction: SpendingTransaction = { ...spending, kind: "purchase", small: "charged" };
      const input = { schedule, transaction, counters: unusedCounters, card: at };
      const { rows } = transactionFees(input);
      const without = transactionFees({ ...input, schedule: { ...schedule, smallConsumeFee: 0n } }).rows;
      const { amount } = transaction;
      const isSmall = amount > 0n && amount < schedule.smallConsumeThreshold && schedule.smallConsumeFee > 0n;
      expect(rows.filter((row) => row.feeType !== "Small_fee")).toEqual(without);
      expect(sumOfFees(rows) - sumOfFees(without)).toBe(isSmall ? schedule.smallConsumeFee : 0n);
    }),
  );
});

test("splitting a purchase moves each rate's row by at most half a cent a part, and never saves a fixed fee", () => {
  const parts = fc.array(fc.bigInt({ min: 1n, max: 100_000n }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(schedules, parts, spendings, (schedule, amounts, spending) => {
      const totalOf = (amount: bigint): { rates: bigint; fixed: bigint } => {
        const transaction: SpendingTransaction = { ...spending, kind: "purchase", amount, small: "charged" };
        const { rows } = transactionFees({ schedule, transaction, counters: unusedCounters, card });
        const isRate = (type: string) => type === "Consume_fee" || type === "Exchange_fee";
        return {
          rates: sumOfFees(rows.filter((row) => isRate(row.feeType))),
          fixed: sumOfFees(rows.filter((row) => !isRate(row.feeType))),
        };
      };
      const whole = totalOf(amounts.reduce((sum, amount) => sum + amount, 0n));
      const split = amounts.map(totalOf);
      const rates = split.reduce((sum, part) => sum + part.rates, 0n);
      const difference = rates > whole.rates ? rates - whole.rates : whole.rates - rates;
      // Two rows, each rounded once per part and once on the whole.
      expect(difference).toBeLessThanOrEqual(BigInt(amounts.length + 1));
      expect(split.reduce((sum, part) => sum + part.fixed, 0n)).toBeGreaterThanOrEqual(whole.fixed);
    }),
  );
});

const isAtmFee = ({ feeType }: { readonly feeType: string }): boolean => feeType === "Atm_fee";

test("splitting a withdrawal saves at most the rounding, because each part pays its minimum", () => {
  const parts = fc.array(fc.bigInt({ min: 1n, max: 100_000n }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(schedules, parts, (schedule, amounts) => {
      const totalOf = (amount: bigint): bigint => {
        const transaction = { ...plain, kind: "withdrawal", amount } as const;
        return sumOfFees(
          transactionFees({ schedule, transaction, counters: unusedCounters, card }).rows.filter(isAtmFee),
        );
      };
      const whole = totalOf(amounts.reduce((sum, amount) => sum + amount, 0n));
      const split = amounts.reduce((sum, amount) => sum + totalOf(amount), 0n);
      expect(split).toBeGreaterThanOrEqual(whole - BigInt(amounts.length + 1) / 2n);
    }),
  );
});

test("cross-border costs at most a cent more or less than the cross-border rate on the whole, and never less than domestic", () => {
  fc.assert(
    fc.property(schedules, amounts, (schedule, amount) => {
      const inCurrency = (currency: string): bigint =>
        transactionFees({
          schedule: { ...schedule, smallConsumeFee: 0n },
          transaction: { ...plain, amount, currency },
          counters: unusedCounters,
          card,
        }).total;
      const { consumeRate, crossConsumeRate } = schedule;
      const higher = crossConsumeRate.units > consumeRate.units ? crossConsumeRate : consumeRate;
      const distance = inCurrency("EUR") * 1_000_000n - amount * higher.units;
      expect(distance >= -1_000_000n && distance <= 1_000_000n).toBe(true);
      expect(inCurrency("EUR")).toBeGreaterThanOrEqual(inCurrency("USD"));
    }),
  );
});

test("rates of different lengths are subtracted exactly", () => {
  const schedule = {
    ...freeSchedule,
    consumeRate: { units: 2n, scale: 2 },
    crossConsumeRate: { units: 20_001n, scale: 6 },
  };
  const transaction = { ...plain, amount: 100_000_000n, currency: "EUR" };
  expect(transactionFees({ schedule, transaction, counters: unusedCounters, card }).rows).toEqual([
    { feeType: "Consume_fee", amount: 2_000_000n },
    { feeType: "Exchange_fee", amount: 100n },
  ]);
});

test("computing a purchase's fees again gives the same rows and uses nothing up, also when all free ones are gone", () => {
  fc.assert(
    fc.property(schedules, spendings, counters, moments, moments, (schedule, spending, before, first, later) => {
      const once = transactionFees({ schedule, transaction: spending, counters: before, card: first });
      const again = transactionFees({
        schedule,
        transaction: { ...spending, small: once.small },
        counters: once.counters,
        card: later,
      });
      expect([again.rows, again.small, again.counters]).toEqual([once.rows, once.small, once.counters]);
    }),
  );
});

test("transactions of different kinds in any order cost the same together and leave the same counters", () => {
  const ordered = fc.array(transactions, { maxLength: 12 });
  fc.assert(
    fc.property(schedules, ordered, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (schedule, list, keys) => {
      const shuffled = list
        .map((transaction, index) => ({ transaction, key: keys[index] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ transaction }) => transaction);
      expect(runAll(schedule, shuffled)).toEqual(runAll(schedule, list));
    }),
  );
});

/** At one moment, so that the order is only the order of arrival; the fee of each kind and the counters at the end. */
function runAll(
  schedule: Parameters<typeof transactionFees>[0]["schedule"],
  list: readonly ChargedTransaction[],
): { readonly total: bigint; readonly counters: FeeCounters } {
  return list.reduce(
    (state, transaction) => {
      const fees = transactionFees({ schedule, transaction, counters: state.counters, card });
      return { total: state.total + fees.total, counters: fees.counters };
    },
    { total: 0n, counters: unusedCounters },
  );
}

test("USD and TUSDT are one currency to a card, any other is cross-border, also the very same shop's", () => {
  expect(isCrossBorder({ transaction: "USD", card: "TUSDT" })).toBe(false);
  expect(isCrossBorder({ transaction: "TUSDT", card: "USD" })).toBe(false);
  expect(isCrossBorder({ transaction: "EUR", card: "EUR" })).toBe(false);
  expect(isCrossBorder({ transaction: "USD", card: "EUR" })).toBe(true);
  expect(isCrossBorder({ transaction: "EUR", card: "USD" })).toBe(true);
});
