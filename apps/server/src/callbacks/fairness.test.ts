import fc from "fast-check";
import { expect, test } from "vitest";
import { type MerchantLoad, shareOut } from "./fairness.ts";

const idle: MerchantLoad = { claimed: 0, claimMax: 16 };

test("a lone merchant gets its maximum, and one that still has most of it is passed over", () => {
  const due = [{ merchantId: 1, dueAtMs: 0 }];
  const shareAt = (claimed: number) => shareOut({ due, loadOf: () => ({ claimed, claimMax: 16 }), slotsFree: 512 });
  expect(shareAt(0)).toEqual([{ merchantId: 1, slots: 16 }]);
  expect(shareAt(12)).toEqual([{ merchantId: 1, slots: 4 }]);
  expect(shareAt(13)).toEqual([]);
  expect(shareOut({ due, loadOf: () => ({ claimed: 0, claimMax: 1 }), slotsFree: 512 })).toHaveLength(1);
  expect(shareOut({ due, loadOf: () => ({ claimed: 1, claimMax: 1 }), slotsFree: 512 })).toEqual([]);
});

test("when places are short, those with least come first, then those that waited longest", () => {
  const due = [
    { merchantId: 1, dueAtMs: 0 },
    { merchantId: 2, dueAtMs: 5 },
    { merchantId: 3, dueAtMs: 4 },
  ];
  const loadOf = (merchantId: number): MerchantLoad => (merchantId === 1 ? { claimed: 3, claimMax: 16 } : idle);
  expect(shareOut({ due, loadOf, slotsFree: 2 })).toEqual([
    { merchantId: 3, slots: 1 },
    { merchantId: 2, slots: 1 },
  ]);
});

test("no merchant exceeds its maximum, no place is given twice, and nobody goes empty while places are left for everybody", () => {
  const merchants = fc.array(fc.record({ claimed: fc.nat(70), claimMax: fc.integer({ min: 1, max: 64 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(merchants, fc.nat(600), (loads, slotsFree) => {
      const due = loads.map((_load, merchantId) => ({ merchantId, dueAtMs: merchantId }));
      const loadOf = (merchantId: number): MerchantLoad => loads[merchantId] ?? idle;
      const shares = shareOut({ due, loadOf, slotsFree });
      const waiting = loads.filter((load) => load.claimMax - load.claimed >= load.claimMax / 4).length;
      const total = shares.reduce((sum, share) => sum + share.slots, 0);
      const withinMaxima = shares.every(({ merchantId, slots }) => {
        const load = loadOf(merchantId);
        return slots >= 1 && load.claimed + slots <= load.claimMax;
      });
      expect([withinMaxima, total <= slotsFree, shares.length]).toEqual([true, true, Math.min(waiting, slotsFree)]);
    }),
  );
});
