import { afterEach, beforeEach, expect, test } from "vitest";
import { dayMs, openProgramme, type Programme, purchaseWith } from "../support/programme.ts";

let programme: Programme;

beforeEach(async () => {
  programme = await openProgramme();
});

afterEach(() => programme.close());

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  test(`an approval that is not cleared for 7 days fails as expired, is pushed, and gives the money back (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const message = purchaseWith(card, "100.00");
    const answer = await programme.authorization.authorize(message);
    const held = await programme.pots(card);
    expect(held).not.toEqual(before);
    programme.clock.advance(7 * dayMs - 1);
    expect(await programme.authorization.releaseRunOut()).toBe(0);
    expect(await programme.pots(card)).toEqual(held);
    programme.clock.advance(1);
    expect(await programme.authorization.releaseRunOut()).toBe(1);
    expect(await programme.authorization.releaseRunOut()).toBe(0);
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
  const workers = await Promise.all([1, 2, 3, 4].map(() => programme.another().releaseRunOut()));
  expect(workers.reduce((sum, count) => sum + count, 0)).toBe(30);
  // Nothing of the old week's 300.00 comes back into the new week's limit.
  expect(await programme.authorization.authorize(purchaseWith(card, "0.01"))).toMatchObject({ reason: "limit_week" });
  programme.clock.advance(7 * dayMs);
  expect(await programme.authorization.releaseRunOut()).toBe(1);
  expect(await programme.pots(card)).toEqual(before);
  expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
  expect(programme.errors).toEqual([]);
});
