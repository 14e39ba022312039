import { afterAll, beforeAll, expect, test } from "vitest";
import { createReserves, type Reserves } from "../../apps/server/src/merchants/index.ts";
import { dayMs, openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;
let reserves: Reserves;
const mia = { actor: "mia" };
const jon = { actor: "jon" };

beforeAll(async () => {
  programme = await openProgramme();
  reserves = createReserves({ pool: programme.db.pool, clock: programme.clock });
});
afterAll(() => programme.close());

const outcome = async (card: ReadyCard, amount: string) => {
  const answer = await programme.authorization.authorize(purchaseWith(card, amount, {}));
  return answer.approved ? "approved" : answer.reason;
};
const policy = (card: ReadyCard, grace: bigint) =>
  reserves.changeSettings(
    { merchantId: card.merchantId, change: { zeroPolicy: { kind: grace > 0n ? "grace" : "decline", grace } } },
    mia,
  );

test("purchases use the grace to its last cent and no further, and none once it has ended", async () => {
  // Each purchase of 100.00 costs the reserve 101.00.
  const card = await programme.issueCard({ credit: "5000.00", reserve: "150.00" });
  expect([await outcome(card, "100.00"), await outcome(card, "100.00")]).toEqual(["approved", "insufficient_reserve"]);
  await policy(card, 5_200n);
  expect([await outcome(card, "100.00"), await outcome(card, "0.01")]).toEqual(["approved", "insufficient_reserve"]);
  expect((await programme.pots(card)).reserve).toEqual(["-52.00", "202.00"]);
  await policy(card, 0n);
  expect(await outcome(card, "1.00")).toBe("insufficient_reserve");
  const order = await reserves.askWithdrawal(
    { merchantId: card.merchantId, amount: 1n, destination: "bank", reference: "w" },
    mia,
  );
  if (!order.ok) throw new Error(order.reason);
  expect(await reserves.approveOrder(order.value, jon)).toEqual({ ok: false, reason: "reserve_too_low" });
  // Both holds run out: the overdraft is covered, and purchases go on.
  programme.clock.advance(7 * dayMs);
  while ((await programme.clearing.releaseExpired()) > 0);
  expect((await programme.pots(card)).reserve).toEqual(["150.00", "0.00"]);
  expect(await outcome(card, "100.00")).toBe("approved");
  const today = await reserves.statements({ merchantId: card.merchantId });
  expect(today.at(-1)).toMatchObject({
    closing: { available: 4_900n, held: 10_100n },
    lines: { holds_released: { available: 20_200n }, holds_placed: { available: -10_100n } },
  });
});
