import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { inTransaction } from "#database/index.ts";
import { isBelowFloor, lockAvailable } from "#ledger/index.ts";
import type { ReserveSettingsChange } from "../index.ts";
import { dayMs, jon, mia, openReserveStand, type ReserveStand, start, value } from "./stand.testing.ts";

let stand: ReserveStand;
let merchantId: number;

beforeAll(async () => {
  stand = await openReserveStand();
});
afterAll(() => stand.db.drop());
beforeEach(async () => {
  stand.moveTo(start);
  merchantId = (await stand.newMerchant()).merchantId;
});

const change = async (settings: ReserveSettingsChange) =>
  value(await stand.reserves.changeSettings({ merchantId, change: settings }, mia));
const grace = (amount: bigint) => change({ zeroPolicy: { kind: "grace", grace: amount } });
const decline = () => change({ zeroPolicy: { kind: "decline", grace: 0n } });

/** One look of the worker; the thresholds that have been warned about since the last one. */
let seen = 0;
async function warnings(): Promise<string[]> {
  while ((await stand.reserves.warnOfLowReserves()) > 0);
  const { rows } = await stand.db.pool.query<{ threshold: string }>(
    "SELECT detail->>'threshold' AS threshold FROM merchant_event WHERE merchant_id = $1 AND kind = 'reserve_low' ORDER BY event_id",
    [merchantId],
  );
  const fresh = rows.slice(seen).map(({ threshold }) => threshold);
  seen = rows.length;
  return fresh;
}
beforeEach(() => {
  seen = 0;
});

test("falling below a threshold warns once, and again only after the reserve was above it", async () => {
  await stand.recharge(merchantId, 20_000n);
  await change({ thresholds: [5_000n, 10_000n] });
  expect(await warnings()).toEqual([]);
  await stand.clear({ merchantId, holdId: null, amount: 10_000n });
  expect(await warnings()).toEqual([]);
  await stand.hold(merchantId, 1n);
  expect(await warnings()).toEqual(["100.00"]);
  await stand.hold(merchantId, 1n);
  expect(await warnings()).toEqual([]);
  await stand.recharge(merchantId, 2n);
  expect(await warnings()).toEqual([]);
  await stand.clear({ merchantId, holdId: null, amount: 9_000n });
  expect(await warnings()).toEqual(["100.00", "50.00"]);
});

test("however many workers look at once, a crossing makes one event", async () => {
  await change({ thresholds: [1_000n] });
  await Promise.all(Array.from({ length: 8 }, () => stand.reserves.warnOfLowReserves()));
  expect(await warnings()).toEqual(["10.00"]);
});

test("a threshold that is taken away and set again warns again", async () => {
  await change({ thresholds: [1_000n] });
  expect(await warnings()).toEqual(["10.00"]);
  await change({ thresholds: [] });
  expect(await warnings()).toEqual([]);
  await change({ thresholds: [1_000n] });
  expect(await warnings()).toEqual(["10.00"]);
});

test("a grace lets purchases go down to its end and no further; without one nothing goes below zero", async () => {
  await stand.recharge(merchantId, 100n);
  const belowFloor = async (amount: bigint) => {
    try {
      await stand.hold(merchantId, amount);
      return false;
    } catch (error) {
      return isBelowFloor(error);
    }
  };
  const spendable = async () => {
    const reserve = await stand.idOf(merchantId, "reserve");
    const locked = await inTransaction(stand.db.pool, (sql) =>
      lockAvailable(sql, { merchantId, accountIds: [reserve] }),
    );
    return locked.get(reserve);
  };
  expect([await belowFloor(101n), await spendable()]).toEqual([true, 100n]);
  await grace(50n);
  expect(await spendable()).toBe(150n);
  expect([await belowFloor(151n), await belowFloor(150n)]).toEqual([true, false]);
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ available: -50n, spendable: 0n, overdraft: 0n });
  expect(await stand.brokenRules()).toEqual([]);
});

test("a grace that ends below zero leaves the balance, blocks purchases, and the next money covers it first", async () => {
  await stand.recharge(merchantId, 100n);
  await grace(500n);
  await stand.hold(merchantId, 300n);
  await decline();
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: -200n, held: 300n, overdraft: 200n });
  await expect(stand.hold(merchantId, 1n)).rejects.toSatisfy(isBelowFloor);
  await stand.recharge(merchantId, 250n);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 50n, overdraft: 0n });
  await stand.hold(merchantId, 50n);
  await expect(stand.hold(merchantId, 1n)).rejects.toSatisfy(isBelowFloor);
  expect(await stand.brokenRules()).toEqual([]);
});

test("a grace that begins while the reserve is overdrawn takes the overdraft in; one that shrinks leaves the rest as overdraft", async () => {
  await stand.clear({ merchantId, holdId: null, amount: 300n });
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: -300n, overdraft: 300n });
  await grace(200n);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: -300n, overdraft: 100n });
  await grace(1_000n);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: -300n, overdraft: 0n });
  await stand.hold(merchantId, 700n);
  await stand.clear({ merchantId, holdId: null, amount: 10n });
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: -1_010n, overdraft: 10n });
  expect(await stand.brokenRules()).toEqual([]);
});

test("settings that cannot be are refused, a change is in the audit, and a floor is the reserve's alone to move", async () => {
  const attempts: [ReserveSettingsChange, string][] = [
    [{ zeroPolicy: { kind: "grace", grace: 0n } }, "grace_invalid"],
    [{ zeroPolicy: { kind: "decline", grace: 1n } }, "grace_invalid"],
    [{ zeroPolicy: { kind: "grace", grace: 1_000_000_000_001n } }, "grace_invalid"],
    [{ thresholds: [0n] }, "thresholds_invalid"],
    [{ thresholds: [5n, 5n] }, "thresholds_invalid"],
    [{ thresholds: Array.from({ length: 11 }, (_, index) => BigInt(index + 1)) }, "thresholds_invalid"],
  ];
  for (const [wrong, reason] of attempts) {
    expect(await stand.reserves.changeSettings({ merchantId, change: wrong }, mia)).toEqual({ ok: false, reason });
  }
  expect(await change({ thresholds: [200n, 100n] })).toMatchObject({ thresholds: [100n, 200n] });
  const { rows } = await stand.db.pool.query(
    "SELECT actor, detail FROM audit_entry WHERE action = 'reserve.settings' AND merchant_id = $1",
    [merchantId],
  );
  expect(rows).toHaveLength(1);
  const settlement = await stand.idOf(merchantId, "settlement");
  const sql = "SELECT ledger.set_floor($1, $2, $3)";
  await expect(stand.db.pool.query(sql, [merchantId, settlement, -1])).rejects.toThrow("no such account");
  await expect(stand.db.pool.query(sql, [merchantId, await stand.idOf(merchantId, "reserve"), 1])).rejects.toThrow(
    "at zero or below",
  );
});

test("the forecast: a week of purchases, holds and costs less refunds, and nothing that the merchant moved itself", async () => {
  await stand.recharge(merchantId, 1_000_000n);
  for (let day = 0; day < 20; day += 1) {
    const at = start + day * dayMs + 3_600_000;
    await stand.clear({ merchantId, holdId: await stand.hold(merchantId, 1_200n, at), amount: 1_000n, cost: 100n, at });
    await stand.move({ merchantId, kind: "refund", from: "settlement", amount: 100n, at });
  }
  stand.moveTo(start + 20 * dayMs);
  const steady = await stand.reserves.outlook(merchantId);
  expect(steady).toMatchObject({ available: 980_000n, burnPerDay: 1_000n, lastsDays: 980 });
  const out = { merchantId, amount: 480_000n, destination: "bank", reference: "w" };
  value(await stand.reserves.approveOrder(value(await stand.reserves.askWithdrawal(out, mia)), jon));
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ burnPerDay: 1_000n, lastsDays: 500 });
  // An open hold burns as well: 700 more in seven days.
  await stand.hold(merchantId, 700n);
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ burnPerDay: 1_100n, lastsDays: 453.9 });
});

test("the forecast of a young reserve looks at its own time, of one that does not burn it is null, of an empty one zero", async () => {
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ burnPerDay: 0n, lastsDays: null });
  await stand.recharge(merchantId, 1_000n);
  stand.moveTo(start + 2 * dayMs);
  await stand.clear({ merchantId, holdId: null, amount: 400n });
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ burnPerDay: 200n, lastsDays: 3 });
  await stand.clear({ merchantId, holdId: null, amount: 700n });
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ available: -100n, overdraft: 100n, lastsDays: 0 });
  stand.moveTo(start + 9 * dayMs + 1);
  expect(await stand.reserves.outlook(merchantId)).toMatchObject({ burnPerDay: 0n, lastsDays: null });
  expect(await stand.reserves.outlook(2_000_000_000)).toBeNull();
});
