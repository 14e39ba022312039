import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MerchantAnswer } from "../../apps/server/src/authorization/index.ts";
import { cents, dayMs, openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const open = () => programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
const timeout: MerchantAnswer = { kind: "timeout" };
const approve = (approvedAmount: string): MerchantAnswer => ({ kind: "approved", approvedAmount });

const answering = (answer: MerchantAnswer) => programme.another({ ask: async () => answer });

async function allowStandIn(
  card: ReadyCard,
  limits: { readonly purchase: string; readonly cardDay: string; readonly day: string },
): Promise<void> {
  await programme.db.ownerPool.query(
    `UPDATE merchant SET failure_policy = 'stand_in', stand_in_purchase_max = $2, stand_in_card_day_max = $3, stand_in_day_max = $4
     WHERE merchant_id = $1`,
    [card.merchantId, cents(limits.purchase), cents(limits.cardDay), cents(limits.day)],
  );
}

const lastPush = async (card: ReadyCard) => (await programme.pushes(card)).at(-1);

describe("partial approval", () => {
  test("holds what the merchant approved, fees from that amount, and gives the rest back", async () => {
    const card = await open();
    const message = purchaseWith(card, "100.00", { partialAllowed: true });
    const answer = await answering(approve("40.00")).authorize(message);
    expect(answer).toMatchObject({ approved: true, partialAmount: 4_000n, repeat: false });
    // The BIN of the programme charges 1 %.
    expect(await programme.pots(card)).toMatchObject({ reserve: ["959.60", "40.40"] });
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
      status: "Pending",
      amount: 4_000n,
      fee: 40n,
      localAmount: "40.00",
    });
    expect(await lastPush(card)).toMatchObject({ data: { amount: 40, local_amount: 40, fee: 0.4, status: "Pending" } });
    expect(await answering(timeout).authorize(message)).toEqual({ ...answer, repeat: true });
    expect((await programme.verify()).broken).toEqual([]);
  });

  test("counts against the limits with what was approved", async () => {
    const card = await open();
    await answering(approve("40.00")).authorize(purchaseWith(card, "100.00", { partialAllowed: true }));
    const { rows } = await programme.db.pool.query("SELECT week_spent FROM card WHERE card_no = $1", [card.cardNo]);
    expect(rows).toEqual([{ week_spent: 4_000n }]);
  });

  test("of a purchase in another currency keeps the same part of the local amount", async () => {
    const card = await open();
    const message = purchaseWith(card, "0.00", {
      amount: 15_000n,
      currency: "JPY",
      billingAmount: 10_000n,
      partialAllowed: true,
    });
    const answer = await answering(approve("33.33")).authorize(message);
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({ amount: 3_333n, localAmount: "5000" });
  });

  test("is a refusal where the shop cannot take a part", async () => {
    const card = await open();
    const answer = await answering(approve("40.00")).authorize(purchaseWith(card, "100.00"));
    expect(answer).toMatchObject({
      approved: false,
      reason: "merchant_declined",
      merchantReason: "partial_not_possible",
    });
    expect(await programme.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
  });

  test("of the whole amount is a plain approval; of more, of nothing or of no amount it is no answer", async () => {
    const card = await open();
    const whole = await answering(approve("10")).authorize(purchaseWith(card, "10.00"));
    expect(whole).toMatchObject({ approved: true, partialAmount: null });
    for (const amount of ["10.01", "0.00", "-1.00", "10.001", "ten"]) {
      const answer = await answering(approve(amount)).authorize(purchaseWith(card, "10.00", { partialAllowed: true }));
      expect(answer).toMatchObject({ approved: false, reason: "merchant_bad_answer" });
    }
  });
});

test("a merchant's own reason is kept with the consumption and told again to a repeat", async () => {
  const card = await open();
  const message = purchaseWith(card, "10.00");
  const answer = await answering({ kind: "declined", code: 5100, reason: "suspected_fraud" }).authorize(message);
  expect(answer).toMatchObject({ approved: false, reason: "merchant_declined", merchantReason: "suspected_fraud" });
  expect((await programme.consumption(card, answer.consumeNo)).detail).toMatch(/\(suspected_fraud\)$/u);
  expect(await answering(timeout).authorize(message)).toEqual({ ...answer, repeat: true });
});

test("the push of a purchase that timed out waits until a late answer is known", async () => {
  const card = await open();
  const { consumeNo } = await answering(timeout).authorize(purchaseWith(card, "10.00"));
  const { rows } = await programme.db.pool.query(
    "SELECT due_at - created_at AS wait FROM any_callback WHERE merchant_id = $1 AND consume_no = $2",
    [card.merchantId, consumeNo],
  );
  expect(rows).toEqual([{ wait: 1_500n }]);
});

describe("stand-in: the merchant's policy when it gives no answer", () => {
  test.each(["timeout", "unreachable", "bad_answer", "circuit_open"] as const)(
    "%s is approved within the policy, with the remark stand_in, and the money stays held",
    async (kind) => {
      const card = await open();
      await allowStandIn(card, { purchase: "50.00", cardDay: "100.00", day: "100.00" });
      const message = purchaseWith(card, "50.00");
      const answer = await answering({ kind }).authorize(message);
      expect(answer).toMatchObject({ approved: true });
      expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
        status: "Pending",
        remark: "stand_in",
        fee: 50n,
      });
      expect(await programme.pots(card)).toMatchObject({ reserve: ["949.50", "50.50"] });
      expect(await lastPush(card)).toMatchObject({ data: { status: "Pending", remark: "stand_in", fee: 0.5 } });
      expect(await answering(timeout).authorize(message)).toEqual({ ...answer, repeat: true });
    },
  );

  test("a merchant that says no, or has too many questions open, is not stood in for", async () => {
    const card = await open();
    await allowStandIn(card, { purchase: "50.00", cardDay: "100.00", day: "100.00" });
    for (const answer of [{ kind: "declined", code: 1, reason: null }, { kind: "busy" }] as const) {
      expect(await answering(answer).authorize(purchaseWith(card, "10.00"))).toMatchObject({ approved: false });
    }
  });

  test("a purchase above the policy's limit of one is declined with what went wrong", async () => {
    const card = await open();
    await allowStandIn(card, { purchase: "50.00", cardDay: "100.00", day: "100.00" });
    const answer = await answering(timeout).authorize(purchaseWith(card, "50.01"));
    expect(answer).toMatchObject({ approved: false, reason: "merchant_timeout" });
    expect(await programme.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
  });

  test("the limits per card and day and per day are exact under 60 racing purchases in two processes", async () => {
    const card = await open();
    const other = await programme.anotherCard(card);
    await allowStandIn(card, { purchase: "10.00", cardDay: "100.00", day: "150.00" });
    const [one, two] = [answering(timeout), answering(timeout)];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        (n % 2 === 0 ? one : two).authorize(purchaseWith(n % 4 < 2 ? card : other, "10.00")),
      ),
    );
    const approved = answers.filter((answer) => answer.approved);
    expect(approved).toHaveLength(15);
    const perCard = await Promise.all(
      [card, other].map(async ({ cardNo }) => {
        const { rows } = await programme.db.pool.query<{ spent: bigint }>(
          "SELECT stand_in_spent AS spent FROM card WHERE card_no = $1",
          [cardNo],
        );
        return Number(rows[0]?.spent ?? -1n);
      }),
    );
    expect(Math.max(...perCard)).toBeLessThanOrEqual(10_000);
    expect(perCard.reduce((sum, each) => sum + each, 0)).toBe(15_000);
    expect(await programme.pots(card)).toMatchObject({ reserve: ["848.50", "151.50"] });
    expect((await programme.verify()).broken).toEqual([]);
  });

  test("a new day has new limits", async () => {
    const own = await openProgramme();
    try {
      const card = await own.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
      await own.db.ownerPool.query(
        `UPDATE merchant SET failure_policy = 'stand_in', stand_in_purchase_max = 1000, stand_in_card_day_max = 1000,
           stand_in_day_max = 1000 WHERE merchant_id = $1`,
        [card.merchantId],
      );
      const silent = own.another({ ask: async () => timeout });
      const outcomes = [];
      for (const wait of [0, 0, dayMs]) {
        own.clock.advance(wait);
        outcomes.push((await silent.authorize(purchaseWith(card, "10.00"))).approved);
      }
      expect(outcomes).toEqual([true, false, true]);
    } finally {
      await own.close();
    }
  });
});
