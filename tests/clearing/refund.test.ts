import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { dayMs, openProgramme, type Programme, presentmentWith, type ReadyCard } from "../support/programme.ts";
import { authorized, balanceOf, modes, mustBeClean, numberIn, potsOf, toldAbout } from "./books.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  await mustBeClean(programme);
});

afterAll(() => programme.close());

const by = { actor: "operator" };
/** 2 % of a refund is the cardholder's fee, 0.5 % the reserve's. */
const wishes = {
  rates: { consume_rate: "0.05", refund_rate: "0.02" },
  costs: { consume_rate: "0.01", refund_rate: "0.005" },
};

const clear = (card: ReadyCard, amount: string, changed: Parameters<typeof presentmentWith>[2] = {}) =>
  programme.clearing.clear(presentmentWith(card, amount, changed));
const refund = (card: ReadyCard, amount: string, originalReference = "") =>
  clear(card, amount, { kind: "refund", originalReference });

async function bought(card: ReadyCard, amount: string) {
  const purchase = await authorized(programme, card, amount);
  await clear(card, amount, purchase);
  return purchase;
}

const parkedOf = async ({ merchantId }: ReadyCard) =>
  programme.clearing.listParkedRefunds({ merchantId, page: 0, size: 10 });

for (const mode of modes) {
  const shownFee = (cardholder: bigint, reserve: bigint) => (mode === "AUTHORIZATION" ? reserve : cardholder);

  test(`a refund gives the amount back on both sides, keeps the purchase's fees and charges its own (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference, consumeNo } = await bought(card, "100.00");
    const answer = await refund(card, "100.00", originalReference);
    expect(answer).toMatchObject({ accepted: true, effect: "refunded", repeat: false });
    // 1000.00 − 105.00 + 100.00 − 2.00; 10000.00 − 101.00 + 100.00 − 0.50.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["993.00", "0.00"], ["9998.50", "0.00"]));
    expect(await programme.consumption(card, numberIn(answer))).toMatchObject({
      type: "Refund",
      status: "Success",
      consumeRelateNo: consumeNo,
      amount: 10_000n,
      fee: shownFee(200n, 50n),
      feeRows: [{ feeType: "Refund_fee", amount: shownFee(200n, 50n) }],
      localAmount: "100.00",
      localCurrency: "USD",
    });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", remark: "" });
    expect(await toldAbout(programme, card, numberIn(answer))).toEqual(["Success"]);
    expect(await balanceOf(programme, card, "settlement")).toBe("0.00");
  });

  test(`several partial refunds are booked up to the purchase's amount, one beyond it is parked (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference, consumeNo } = await bought(card, "100.00");
    expect(await refund(card, "30.00", originalReference)).toMatchObject({ effect: "refunded" });
    expect(await refund(card, "70.00", originalReference)).toMatchObject({ effect: "refunded" });
    const before = await programme.pots(card);
    const message = presentmentWith(card, "0.01", { kind: "refund", originalReference });
    expect(await programme.clearing.clear(message)).toEqual({
      accepted: true,
      effect: "parked",
      consumeNo: "",
      repeat: false,
    });
    expect(await programme.clearing.clear(message)).toMatchObject({ effect: "parked", repeat: true });
    expect(await programme.pots(card)).toEqual(before);
    expect(await parkedOf(card)).toMatchObject([
      { amount: 1n, refundable: 0n, purchaseNo: consumeNo, status: "Open", networkReference: message.networkReference },
    ]);
  });

  test(`a refund before the clearing of its purchase is booked, and the clearing after it too (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    expect(await refund(card, "40.00", originalReference)).toMatchObject({ effect: "refunded" });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["934.20", "105.00"], ["9938.80", "101.00"]));
    expect(await clear(card, "100.00", { originalReference })).toMatchObject({ effect: "cleared", consumeNo });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["934.20", "0.00"], ["9938.80", "0.00"]));
    expect(await refund(card, "60.01", originalReference)).toMatchObject({ effect: "parked" });
  });

  test(`a refund without its purchase is booked all the same and points to nothing (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    for (const reference of ["", "never-seen"]) {
      const answer = await refund(card, "10.00", reference);
      expect(answer).toMatchObject({ accepted: true, effect: "refunded" });
      expect(await programme.consumption(card, numberIn(answer))).toMatchObject({
        consumeRelateNo: "",
        type: "Refund",
      });
    }
    expect(await programme.pots(card)).toEqual(potsOf(card, ["1019.60", "0.00"], ["10019.90", "0.00"]));
  });

  test(`a refund of a purchase that never took anything is parked (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference } = await authorized(programme, card, "100.00");
    programme.clock.advance(7 * dayMs);
    expect(await programme.clearing.releaseExpired()).toBe(1);
    expect(await refund(card, "100.00", originalReference)).toMatchObject({ effect: "parked" });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["1000.00", "0.00"], ["10000.00", "0.00"]));
  });

  test(`a refund may be as much as the purchase with its increments (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference } = await authorized(programme, card, "100.00");
    await authorized(programme, card, "50.00", { incrementOf: originalReference });
    await clear(card, "150.00", { originalReference });
    expect(await refund(card, "120.00", originalReference)).toMatchObject({ effect: "refunded" });
    expect(await refund(card, "30.01", originalReference)).toMatchObject({ effect: "parked" });
    expect(await refund(card, "30.00", originalReference)).toMatchObject({ effect: "refunded" });
    expect(await refund(card, "0.01", originalReference)).toMatchObject({ effect: "parked" });
  });

  test(`a refund of a forced purchase finds it by its clearing (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const forced = presentmentWith(card, "25.00", { originalReference: `lost-${mode}` });
    const made = await programme.clearing.clear(forced);
    for (const reference of [forced.networkReference, forced.originalReference]) {
      const answer = await refund(card, "10.00", reference);
      expect(await programme.consumption(card, numberIn(answer))).toMatchObject({ consumeRelateNo: numberIn(made) });
    }
    expect(await refund(card, "10.00", forced.networkReference)).toMatchObject({ effect: "parked" });
  });

  test(`an authorized refund becomes a success when it is presented (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference, consumeNo: purchaseNo } = await bought(card, "100.00");
    const pending = await authorized(programme, card, "40.00", { kind: "refund" });
    await programme.db.pool.query(
      "UPDATE consumption SET consume_relate_no = $3 WHERE merchant_id = $1 AND consume_no = $2",
      [card.merchantId, pending.consumeNo, purchaseNo],
    );
    const { consumeNo } = pending;
    expect(await refund(card, "35.00", pending.originalReference)).toMatchObject({ effect: "refunded", consumeNo });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      type: "Refund",
      status: "Success",
      amount: 3_500n,
      localAmount: "35.00",
      fee: shownFee(70n, 18n),
    });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["929.30", "0.00"], ["9933.82", "0.00"]));
    // It counts against the purchase.
    expect(await refund(card, "65.01", originalReference)).toMatchObject({ effect: "parked" });
    // Presented once more, it is a refund of its own.
    const second = await refund(card, "5.00", pending.originalReference);
    expect(numberIn(second)).not.toBe(consumeNo);
    expect(await programme.consumption(card, numberIn(second))).toMatchObject({ consumeRelateNo: purchaseNo });
  });

  test(`a parked refund is released to the cardholder, once (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference, consumeNo: purchaseNo } = await bought(card, "100.00");
    await refund(card, "150.00", originalReference);
    const [parked] = await parkedOf(card);
    const { parkedNo = "" } = parked ?? {};
    const release = { parkedNo, resolution: "release", note: "goodwill" } as const;
    const [first, second] = await Promise.all([
      programme.clearing.resolveParkedRefund(release, by),
      programme.clearing.resolveParkedRefund(release, by),
    ]);
    expect([first?.ok, second?.ok]).toEqual([true, true]);
    expect(second).toEqual(first);
    // 895.00 + 150.00 − 3.00; 9899.00 + 150.00 − 0.75.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["1042.00", "0.00"], ["10048.25", "0.00"]));
    const { consumeNo = "", status } = first?.ok ? first.value : {};
    expect(status).toBe("Released");
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      type: "Refund",
      status: "Success",
      amount: 15_000n,
      consumeRelateNo: purchaseNo,
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual(["Success"]);
    const other = { ...release, resolution: "keep_for_merchant" } as const;
    expect(await programme.clearing.resolveParkedRefund(other, by)).toEqual({
      ok: false,
      reason: "parked_refund_resolved",
    });
    const { rows } = await programme.db.pool.query<{ action: string; subject: string }>(
      "SELECT action, subject FROM audit_entry WHERE merchant_id = $1 AND action LIKE 'parked%'",
      [card.merchantId],
    );
    expect(rows).toEqual([{ action: "parked_refund.resolve", subject: parkedNo }]);
  });

  test(`a parked refund can be kept in the reserve or as the platform's income, and the merchant's cards see nothing of it (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    const { originalReference } = await bought(card, "100.00");
    await refund(card, "150.00", originalReference);
    await refund(card, "160.00", originalReference);
    const [second, first] = await parkedOf(card);
    const consumptions = await programme.consumptionsOf(card);
    const keep = (parkedNo: string | undefined, resolution: "keep_for_merchant" | "keep_for_platform") =>
      programme.clearing.resolveParkedRefund({ parkedNo: parkedNo ?? "", resolution, note: "" }, by);
    expect(await keep(first?.parkedNo, "keep_for_merchant")).toMatchObject({ value: { status: "KeptForMerchant" } });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "0.00"], ["10049.00", "0.00"]));
    expect(await keep(second?.parkedNo, "keep_for_platform")).toMatchObject({ value: { status: "KeptForPlatform" } });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "0.00"], ["10049.00", "0.00"]));
    expect(await balanceOf(programme, card, "platform_income")).toBe("161.00");
    expect(await programme.consumptionsOf(card)).toBe(consumptions);
    expect(await keep("K0", "keep_for_platform")).toEqual({ ok: false, reason: "parked_refund_unknown" });
  });
}

test("what the merchant's income has borne of a purchase comes back to it, after what the cardholder has paid", async () => {
  const card = await programme.issueCard({ credit: "110.00", ...wishes });
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId: card.merchantId, change }, { actor: "operator" });
  const { originalReference } = await authorized(programme, card, "100.00");
  await clear(card, "130.00", { originalReference });
  // The cardholder has paid 110.00 of 130.00 and of 6.50 fees; the merchant's income bears 20.00.
  expect(await programme.pots(card)).toMatchObject({ credit: ["0.00", "0.00"] });
  expect(await balanceOf(programme, card, "merchant_income")).toBe("-20.00");
  await refund(card, "100.00", originalReference);
  expect(await programme.pots(card)).toMatchObject({ credit: ["98.00", "0.00"] });
  await refund(card, "30.00", originalReference);
  // 10.00 are left of what the cardholder has paid, less 0.20; 20.00 are the merchant's.
  expect(await programme.pots(card)).toMatchObject({ credit: ["107.80", "0.00"] });
  expect(await balanceOf(programme, card, "merchant_income")).toBe("2.20");
  expect(await balanceOf(programme, card, "spending")).toBe("0.00");
});
