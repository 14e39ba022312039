import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import type { NewWithdrawal } from "../index.ts";
import { jon, mia, openReserveStand, type ReserveStand, start, value } from "./stand.testing.ts";

let stand: ReserveStand;
let merchantId: number;
let references = 0;

beforeAll(async () => {
  stand = await openReserveStand();
});
afterAll(() => stand.db.drop());
beforeEach(async () => {
  stand.moveTo(start);
  merchantId = (await stand.newMerchant()).merchantId;
  await stand.recharge(merchantId, 10_000n);
});

function withdrawal(more: Partial<NewWithdrawal> = {}): NewWithdrawal {
  references += 1;
  return {
    merchantId,
    amount: 4_000n,
    destination: "DE02 1203 0000 0000 2020 51",
    reference: `w${references}`,
    ...more,
  };
}

const ask = async (more: Partial<NewWithdrawal> = {}) =>
  value(await stand.reserves.askWithdrawal(withdrawal(more), mia));

async function booked(orderNo: string): Promise<number> {
  const { rows } = await stand.db.pool.query("SELECT FROM ledger.transaction WHERE reference = $1", [orderNo]);
  return rows.length;
}

test("a withdrawal holds nothing until another operator approves it, then the money is gone from the reserve", async () => {
  const order = await ask();
  expect(order).toMatchObject({ kind: "withdrawal", direction: "debit", status: "Pending", askedBy: "mia" });
  expect(order.orderNo).toMatch(/^W20261120/u);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 10_000n, held: 0n });
  stand.moveTo(start + 5);
  const approved = value(await stand.reserves.approveOrder(order, jon));
  expect(approved).toEqual({ ...order, status: "Booked", decidedBy: "jon", decidedAt: start + 5 });
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 6_000n, held: 0n });
  const { rows } = await stand.db.pool.query("SELECT kind FROM ledger.transaction WHERE reference = $1", [
    order.orderNo,
  ]);
  expect(rows).toEqual([{ kind: "withdrawal" }]);
});

test("who asked for an order cannot approve it, not even after it is booked, and the database holds that too", async () => {
  const order = await ask();
  expect(await stand.reserves.approveOrder(order, mia)).toEqual({ ok: false, reason: "own_order" });
  expect(await booked(order.orderNo)).toBe(0);
  value(await stand.reserves.approveOrder(order, jon));
  expect(await stand.reserves.approveOrder(order, mia)).toEqual({ ok: false, reason: "own_order" });
  const other = await ask();
  const sql = "UPDATE reserve_order SET status = 'Booked', decided_by = asked_by, decided_at = 1 WHERE order_no = $1";
  await expect(stand.db.pool.query(sql, [other.orderNo])).rejects.toThrow("check constraint");
});

test("of racing approvals one books, the others get the same answer", async () => {
  const order = await ask();
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      stand.reserves.approveOrder(order, { actor: index % 2 === 0 ? "jon" : "kim", requestId: `${index}` }),
    ),
  );
  const answers = outcomes.map(value);
  expect(new Set(answers.map(({ decidedBy }) => decidedBy)).size).toBe(1);
  expect(answers.every(({ status }) => status === "Booked")).toBe(true);
  expect(await booked(order.orderNo)).toBe(1);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 6_000n });
});

test("an approval and a cancellation that race end in one of the two, and the books say the same", async () => {
  for (let round = 0; round < 10; round += 1) {
    const order = await ask({ amount: 100n });
    const [approved, cancelled] = await Promise.all([
      stand.reserves.approveOrder(order, jon),
      stand.reserves.cancelOrder(order, mia),
    ]);
    expect([approved.ok, cancelled.ok].filter(Boolean)).toHaveLength(1);
    expect(await booked(order.orderNo)).toBe(approved.ok ? 1 : 0);
    const state = await stand.reserves.findOrder(order.orderNo);
    expect(state?.status).toBe(approved.ok ? "Booked" : "Cancelled");
  }
});

test("two withdrawals that together exceed the reserve: one is booked, the other stays pending and can be booked later", async () => {
  const orders = [await ask({ amount: 7_000n }), await ask({ amount: 7_000n })];
  const outcomes = await Promise.all(orders.map((order) => stand.reserves.approveOrder(order, jon)));
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  expect(outcomes.find(({ ok }) => !ok)).toEqual({ ok: false, reason: "reserve_too_low" });
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 3_000n });
  await stand.recharge(merchantId, 4_000n);
  for (const order of orders) value(await stand.reserves.approveOrder(order, jon));
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 0n });
});

test("neither held money nor a grace can be paid out", async () => {
  await stand.hold(merchantId, 3_000n);
  const change = { zeroPolicy: { kind: "grace", grace: 5_000n } } as const;
  value(await stand.reserves.changeSettings({ merchantId, change }, mia));
  const order = await ask({ amount: 7_001n });
  expect(await stand.reserves.approveOrder(order, jon)).toEqual({ ok: false, reason: "reserve_too_low" });
  expect((await stand.reserves.findOrder(order.orderNo))?.status).toBe("Pending");
  value(await stand.reserves.approveOrder(await ask({ amount: 7_000n }), jon));
});

test("the same reference with the same content is the same order, also in a race; with other content it is refused", async () => {
  const input = withdrawal({ reference: "march" });
  const made = (await Promise.all([mia, jon, mia, jon].map((by) => stand.reserves.askWithdrawal(input, by)))).map(
    value,
  );
  expect(new Set(made.map(({ orderNo }) => orderNo)).size).toBe(1);
  const again = { merchantId, amount: 4_000n, reference: "march" };
  const others = [
    stand.reserves.askWithdrawal({ ...input, amount: 4_001n }, mia),
    stand.reserves.askWithdrawal({ ...input, destination: "elsewhere" }, mia),
    stand.reserves.askAdjustment({ ...again, direction: "debit", category: "goodwill", reason: "x" }, mia),
  ];
  for (const other of others) expect(await other).toEqual({ ok: false, reason: "reference_reused" });
});

test("an adjustment is booked against the account of its category, in its direction", async () => {
  const adjust = async (
    direction: "credit" | "debit",
    category: "goodwill" | "settlement_correction",
    amount: bigint,
  ) => {
    references += 1;
    const input = { merchantId, amount, direction, category, reason: "as agreed", reference: `a${references}` };
    const order = value(await stand.reserves.askAdjustment(input, jon));
    return value(await stand.reserves.approveOrder(order, mia));
  };
  expect(await adjust("credit", "goodwill", 250n)).toMatchObject({ kind: "adjustment", status: "Booked" });
  await adjust("debit", "settlement_correction", 1_000n);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 9_250n });
  const { rows } = await stand.db.pool.query(
    "SELECT kind, available FROM ledger.account WHERE merchant_id = $1 AND kind IN ('platform_income', 'settlement') ORDER BY kind",
    [merchantId],
  );
  expect(rows).toEqual([
    { kind: "platform_income", available: -250n },
    { kind: "settlement", available: 1_000n },
  ]);
  expect(await stand.brokenRules()).toEqual([]);
});

test("a cancelled order cannot be booked, a booked one cannot be cancelled, and repeats of either change nothing", async () => {
  const [first, second] = [await ask({ amount: 1n }), await ask({ amount: 1n })];
  const cancelled = value(await stand.reserves.cancelOrder(first, jon));
  expect(value(await stand.reserves.cancelOrder(first, mia))).toEqual(cancelled);
  expect(await stand.reserves.approveOrder(first, jon)).toEqual({ ok: false, reason: "reserve_order_cancelled" });
  value(await stand.reserves.approveOrder(second, jon));
  expect(await stand.reserves.cancelOrder(second, mia)).toEqual({ ok: false, reason: "reserve_order_booked" });
  expect(await stand.reserves.approveOrder({ orderNo: "W0" }, jon)).toMatchObject({ reason: "reserve_order_unknown" });
});

test("every step is in the audit in the name of who did it, and what cannot be is refused without a trace", async () => {
  const order = await ask();
  value(await stand.reserves.approveOrder(order, jon));
  const { rows } = await stand.db.pool.query(
    "SELECT actor, action, detail::jsonb->>'amount' AS amount FROM audit_entry WHERE subject = $1 ORDER BY entry_no",
    [order.orderNo],
  );
  expect(rows).toEqual([
    { actor: "mia", action: "withdrawal.create", amount: "40.00" },
    { actor: "jon", action: "withdrawal.approve", amount: "40.00" },
  ]);
  expect(await verifyAudit(stand.db.pool)).toMatchObject({ ok: true });
  const attempts = [
    [{ amount: 0n }, "amount_invalid"],
    [{ amount: 1_000_000_000_001n }, "amount_invalid"],
    [{ destination: " " }, "destination_invalid"],
    [{ reference: "two\nlines" }, "reference_invalid"],
    [{ merchantId: 2_000_000_000 }, "merchant_unknown"],
  ] as const;
  for (const [wrong, reason] of attempts) {
    expect(await stand.reserves.askWithdrawal(withdrawal(wrong), mia)).toEqual({ ok: false, reason });
  }
  const list = await stand.reserves.listOrders({ merchantId, kind: "withdrawal", status: "Booked", page: 0, size: 10 });
  expect(list.map(({ orderNo }) => orderNo)).toEqual([order.orderNo]);
  expect(await stand.reserves.listOrders({ merchantId, kind: "adjustment", page: 0, size: 10 })).toEqual([]);
});
