import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clearing } from "../../apps/server/src/clearing/index.ts";
import { mustBeClean } from "../clearing/books.ts";
import { dayMs, openProgramme, type Programme, presentmentWith, purchaseWith } from "../support/programme.ts";

let programme: Programme;
let reversals: Clearing;

beforeEach(async () => {
  programme = await openProgramme();
  reversals = programme.clearing;
});

afterEach(async () => {
  await mustBeClean(programme);
  await programme.close();
});

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  test(`an approval that is not cleared for 7 days fails as expired, is pushed, and gives the money back (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const message = purchaseWith(card, "100.00");
    const answer = await programme.authorization.authorize(message);
    const held = await programme.pots(card);
    expect(held).not.toEqual(before);
    programme.clock.advance(7 * dayMs - 1);
    expect(await reversals.releaseExpired()).toBe(0);
    expect(await programme.pots(card)).toEqual(held);
    programme.clock.advance(1);
    expect(await reversals.releaseExpired()).toBe(1);
    expect(await reversals.releaseExpired()).toBe(0);
    expect(await programme.pots(card)).toEqual(before);
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
      status: "Fail",
      remark: "expired",
      amount: 10_000n,
      fee: 0n,
      feeRows: [],
    });
    const pushes = await programme.pushes(card);
    expect(pushes.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(pushes[2]?.data).toMatchObject({
      consume_no: answer.consumeNo,
      status: "Fail",
      remark: "expired",
      fee: 0,
      time: programme.clock.now(),
    });
    // The network's late repeat still hears what it was told: an approval.
    expect(await programme.authorization.authorize(message)).toEqual({ ...answer, repeat: true });
    expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
  });
}

test("many run-out holds are released by racing workers, each once, and the limits of a past week stay as they are", async () => {
  const card = await programme.issueCard({ credit: "5000.00", limits: { limit_week_balance: "300.00" } });
  const before = await programme.pots(card);
  const bought = await Promise.all(
    Array.from({ length: 30 }, () => programme.authorization.authorize(purchaseWith(card, "10.00"))),
  );
  expect(bought.every(({ approved }) => approved)).toBe(true);
  programme.clock.advance(7 * dayMs);
  expect(await programme.authorization.authorize(purchaseWith(card, "300.00"))).toMatchObject({ approved: true });
  const workers = await Promise.all([1, 2, 3, 4].map(() => programme.clearing.releaseExpired()));
  expect(workers.reduce((sum, count) => sum + count, 0)).toBe(30);
  // Nothing of the old week's 300.00 comes back into the new week's limit.
  expect(await programme.authorization.authorize(purchaseWith(card, "0.01"))).toMatchObject({ reason: "limit_week" });
  programme.clock.advance(7 * dayMs);
  expect(await reversals.releaseExpired()).toBe(1);
  expect(await programme.pots(card)).toEqual(before);
  expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
  expect(programme.errors).toEqual([]);
});

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  test(`the rest of a partly cleared purchase expires into a success with what was cleared (${mode})`, async () => {
    const card = await programme.issueCard({ mode, reserve: "1000.00", credit: "1000.00" });
    const purchase = purchaseWith(card, "100.00");
    const { consumeNo } = await programme.authorization.authorize(purchase);
    const { networkReference: originalReference } = purchase;
    await reversals.clear(presentmentWith(card, "40.00", { originalReference, final: false }));
    programme.clock.advance(7 * dayMs);
    expect(await reversals.releaseExpired()).toBe(1);
    const credit = mode === "CREDIT_EXTENSION";
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["958.00", "0.00"] : ["0.00", "0.00"],
      reserve: ["959.60", "0.00"],
    });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 4_000n,
      fee: credit ? 200n : 40n,
      remark: "",
    });
    expect((await programme.pushes(card)).at(-1)?.data).toMatchObject({ status: "Success", amount: 40 });
    expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
  });
}

test("catching up after a month writes each end as of the moment that it was due, in that order, and pushes it now", async () => {
  const card = await programme.issueCard({ credit: "5000.00" });
  const ends: number[] = [];
  for (const amount of ["10.00", "20.00", "30.00"]) {
    await programme.authorization.authorize(purchaseWith(card, amount));
    ends.push(programme.clock.now() + 7 * dayMs);
    programme.clock.advance(dayMs);
  }
  programme.clock.advance(30 * dayMs);
  expect(await reversals.releaseExpired()).toBe(3);
  const pushes = (await programme.pushes(card)).slice(-3);
  expect(pushes.map(({ data }) => [data["amount"], data["time"]])).toEqual([
    [10, ends[0]],
    [20, ends[1]],
    [30, ends[2]],
  ]);
  const ledger = await programme.db.pool.query<{ created_at: bigint }>(
    "SELECT created_at FROM ledger.transaction WHERE kind = 'expire' ORDER BY created_at",
  );
  expect(ledger.rows.map((row) => Number(row.created_at))).toEqual(ends);
  const queued = await programme.db.pool.query<{ due_at: bigint }>(
    "SELECT due_at FROM any_callback ORDER BY sequence DESC LIMIT 3",
  );
  expect(queued.rows.map((row) => Number(row.due_at))).toEqual([1, 2, 3].map(() => programme.clock.now()));
  expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
});

test("a refund that was authorized and not cleared for 30 days expires, without moving money", async () => {
  const card = await programme.issueCard();
  const pots = await programme.pots(card);
  await programme.authorization.authorize(purchaseWith(card, "50.00"));
  const refund = await programme.authorization.authorize(purchaseWith(card, "20.00", { kind: "refund" }));
  const { consumeNo: refundNo } = refund;
  programme.clock.advance(30 * dayMs - 1);
  expect(await reversals.releaseExpired()).toBe(1);
  expect(await programme.consumption(card, refundNo)).toMatchObject({ status: "Pending" });
  programme.clock.advance(1);
  const workers = await Promise.all([1, 2, 3].map(() => programme.clearing.releaseExpired()));
  expect(workers.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(await programme.consumption(card, refundNo)).toMatchObject({
    status: "Fail",
    remark: "expired",
    amount: 2_000n,
  });
  expect(await programme.pots(card)).toEqual(pots);
  expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
});
