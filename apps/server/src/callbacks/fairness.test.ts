import fc from "fast-check";
import { expect, test } from "vitest";
import { type MerchantLoad, shareOut } from "./fairness.ts";

const idle: MerchantLoad = { inFlight: 0, failing: false };

test("a lone merchant gets its cap, a failing one is only probed", () => {
  const due = [{ merchantId: 1, dueAtMs: 0 }];
  expect(shareOut({ due, loadOf: () => idle, slotsFree: 512 })).toEqual([{ merchantId: 1, slots: 16 }]);
  expect(shareOut({ due, loadOf: () => ({ inFlight: 0, failing: true }), slotsFree: 512 })).toEqual([
    { merchantId: 1, slots: 2 },
  ]);
  expect(shareOut({ due, loadOf: () => ({ inFlight: 16, failing: false }), slotsFree: 512 })).toEqual([]);
});

test("when slots are short, those with least in flight come first, then those that waited longest", () => {
  const due = [
    { merchantId: 1, dueAtMs: 0 },
    { merchantId: 2, dueAtMs: 5 },
    { merchantId: 3, dueAtMs: 4 },
  ];
  const loadOf = (merchantId: number): MerchantLoad => (merchantId === 1 ? { inFlight: 3, failing: false } : idle);
  expect(shareOut({ due, loadOf, slotsFree: 2 })).toEqual([
    { merchantId: 3, slots: 1 },
    { merchantId: 2, slots: 1 },
  ]);
});

test("no merchant exceeds its cap, no slot is given twice, and nobody goes empty while slots are left for everybody", () => {
  const merchants = fc.array(fc.record({ inFlight: fc.nat(20), failing: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(merchants, fc.nat(600), (loads, slotsFree) => {
      const due = loads.map((_load, merchantId) => ({ merchantId, dueAtMs: merchantId }));
      const loadOf = (merchantId: number): MerchantLoad => loads[merchantId] ?? idle;
      const shares = shareOut({ due, loadOf, slotsFree });
      const waiting = loads.filter((load) => load.inFlight < (load.failing ? 2 : 16)).length;
      const total = shares.reduce((sum, share) => sum + share.slots, 0);
      const withinCaps = shares.every(({ merchantId, slots }) => {
        const load = loadOf(merchantId);
        return slots >= 1 && load.inFlight + slots <= (load.failing ? 2 : 16);
      });
      expect([withinCaps, total <= slotsFree, shares.length]).toEqual([true, true, Math.min(waiting, slotsFree)]);
    }),
  );
});
