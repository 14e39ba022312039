import fc from "fast-check";
import type { FreeCount, ProductRates } from "#products/index.ts";
import { type FeeCard, type FeeCounters, unusedCounters } from "./index.ts";

/** Nothing costs anything. */
export const freeSchedule: ProductRates = {
  consumeRate: { units: 0n, scale: 0 },
  crossConsumeRate: { units: 0n, scale: 0 },
  refundRate: { units: 0n, scale: 0 },
  atmRate: { units: 0n, scale: 0 },
  openCost: 0n,
  smallConsumeThreshold: 0n,
  smallConsumeFee: 0n,
  smallConsumeFree: { count: 0, type: "None", days: 0 },
  cancelFee: 0n,
  cancelThreshold: 0n,
  declineFee: 0n,
  declineFree: { count: 0, type: "None", days: 0 },
  atmMinFee: 0n,
  walletFee: 0n,
  management: { type: "None", fee: 0n, freeType: "None", freeThreshold: 0n },
};

export const openedAt = Date.UTC(2026, 0, 31, 2);
export const card: FeeCard = { currency: "USD", openedAt, utcOffsetMinutes: 480, at: openedAt };

const rate = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => ({ units: BigInt(millionths), scale: 6 }));
const fee = fc.bigInt({ min: 0n, max: 100_000n });

export const freeCounts: fc.Arbitrary<FreeCount> = fc.record({
  count: fc.integer({ min: 0, max: 5 }),
  type: fc.constantFrom("Forever", "None", "Day"),
  days: fc.integer({ min: 0, max: 40 }),
});

export const schedules: fc.Arbitrary<ProductRates> = fc.record({
  consumeRate: rate,
  crossConsumeRate: rate,
  refundRate: rate,
  atmRate: rate,
  openCost: fee,
  smallConsumeThreshold: fee,
  smallConsumeFee: fee,
  smallConsumeFree: freeCounts,
  cancelFee: fee,
  cancelThreshold: fc.bigInt({ min: 0n, max: 1_000n }),
  declineFee: fee,
  declineFree: freeCounts,
  atmMinFee: fee,
  walletFee: fee,
  management: fc.constant(freeSchedule.management),
});

/** Minor units; half of them near the thresholds of `schedules`. */
export const amounts = fc.oneof(fc.bigInt({ min: 0n, max: 200_000n }), fc.bigInt({ min: 0n, max: 10n ** 13n }));

const counter = fc.record({ used: fc.integer({ min: 0, max: 6 }), period: fc.integer({ min: 0, max: 20 }) });
export const counters: fc.Arbitrary<FeeCounters> = fc.oneof(
  fc.constant(unusedCounters),
  fc.record({ small: counter, decline: counter, cancel: counter }),
);

/** Within two years of the opening. */
export const moments: fc.Arbitrary<FeeCard> = fc
  .integer({ min: 0, max: 730 * 24 })
  .map((hours) => ({ ...card, at: openedAt + hours * 3_600_000 }));
