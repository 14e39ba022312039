import { parseRate, type Rate } from "@cardwright/money";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consumptionData } from "../../apps/server/src/consumptions/index.ts";
import { dayMs, openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

function rateOf(text: string): Rate {
  const parsed = parseRate(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

const feesOf = async (card: ReadyCard, consumeNo: string | null) => {
  const { fee, feeRows } = await programme.consumption(card, consumeNo);
  return [fee, ...feeRows.map((row) => `${row.feeType} ${row.amount}`)];
};

/** One column of a consumption that no face shows. */
async function stored(consumeNo: string | null, column: string): Promise<unknown> {
  const { rows } = await programme.db.pool.query<{ value: unknown }>(
    `SELECT ${column} AS value FROM consumption WHERE consume_no = $1`,
    [consumeNo],
  );
  return rows[0]?.value;
}

const smallRates = {
  consume_rate: "0.05",
  small_consume_threshold: "10.00",
  small_consume_deduct: "0.30",
  free_small_consume_count: 2,
  free_small_excuse_type: "Day",
  free_small_excuse_days: 30,
} as const;

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  describe(`a small purchase (${mode})`, () => {
    const side = mode === "CREDIT_EXTENSION" ? { rates: smallRates, costs: {} } : { costs: smallRates };

    test("is free of its fee so many times in a period, then charged, then free again; refused ones use nothing up", async () => {
      const card = await programme.issueCard({ mode, ...side });
      const buy = (amount: string) => programme.authorization.authorize(purchaseWith(card, amount));
      const first = await buy("5.00");
      expect(await feesOf(card, first.consumeNo)).toEqual([25n, "Consume_fee 25"]);
      expect(await buy("9000000.00")).toMatchObject({ approved: false });
      expect(await feesOf(card, (await buy("10.00")).consumeNo)).toEqual([50n, "Consume_fee 50"]);
      const free = await buy("9.99");
      expect(await feesOf(card, free.consumeNo)).toEqual([50n, "Consume_fee 50"]);
      const freePush = (await programme.pushes(card)).at(-1);
      expect(freePush?.text).toBe(
        consumptionData(await programme.consumption(card, free.consumeNo), { time: programme.clock.now() }),
      );
      const charged = await buy("5.00");
      expect(await feesOf(card, charged.consumeNo)).toEqual([55n, "Consume_fee 25", "Small_fee 30"]);
      const pushes = await programme.pushes(card);
      expect(pushes.at(-1)?.data).toMatchObject({
        consume_no: charged.consumeNo,
        fee: 0.55,
        fee_detail: [
          { amount: 0.25, fee_type: "Consume_fee" },
          { amount: 0.3, fee_type: "Small_fee" },
        ],
      });
      programme.clock.advance(31 * dayMs);
      expect(await feesOf(card, (await buy("5.00")).consumeNo)).toEqual([25n, "Consume_fee 25"]);
    });

    test("counts its free ones exactly when twenty come at once", async () => {
      const card = await programme.issueCard({ mode, ...side });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => programme.authorization.authorize(purchaseWith(card, "2.00"))),
      );
      const fees = await Promise.all(answers.map(async ({ consumeNo }) => (await feesOf(card, consumeNo))[0]));
      expect(fees.filter((fee) => fee === 10n)).toHaveLength(2);
      expect(fees.filter((fee) => fee === 40n)).toHaveLength(18);
      const { credit, reserve } = await programme.pots(card);
      const held = mode === "CREDIT_EXTENSION" ? credit[1] : reserve[1];
      // 20 × 2.00, 20 × 0.10 and 18 × 0.30.
      expect(held).toBe("47.40");
    });
  });
}

test("a stand-in approval of a small purchase shows the fee that was decided, free or charged", async () => {
  const card = await programme.issueCard({
    mode: "AUTHORIZATION",
    costs: { ...smallRates, free_small_consume_count: 1 },
  });
  await programme.db.ownerPool.query(
    `UPDATE merchant SET failure_policy = 'stand_in', stand_in_purchase_max = 10000, stand_in_card_day_max = 10000, stand_in_day_max = 10000
     WHERE merchant_id = $1`,
    [card.merchantId],
  );
  programme.ask = async () => ({ kind: "timeout" });
  const free = await programme.authorization.authorize(purchaseWith(card, "5.00"));
  const charged = await programme.authorization.authorize(purchaseWith(card, "5.00"));
  programme.ask = async () => ({ kind: "approved", approvedAmount: null });
  const pushes = (await programme.pushes(card)).filter(({ action }) => action === "Consumption");
  expect(pushes.map(({ data }) => [data["remark"], data["fee"]])).toEqual([
    ["stand_in", 0.25],
    ["stand_in", 0.55],
  ]);
  expect(await feesOf(card, free.consumeNo)).toEqual([25n, "Consume_fee 25"]);
  expect(await feesOf(card, charged.consumeNo)).toEqual([55n, "Consume_fee 25", "Small_fee 30"]);
});

test("a wallet purchase and one in another currency pay for both, on both sides by each side's own schedule", async () => {
  const card = await programme.issueCard({
    rates: { consume_rate: "0.02", cross_consume_rate: "0.035", apple_pay_fee: "0.20" },
    costs: { consume_rate: "0.01", cross_consume_rate: "0.02", apple_pay_fee: "0.10" },
  });
  programme.rateOf = async () => ({ rate: rateOf("0.0064"), source: "test", at: 1_234 });
  const yen = await programme.authorization.authorize(
    purchaseWith(card, "0.00", { amount: 15_625n, currency: "JPY", wallet: true }),
  );
  programme.rateOf = async () => null;
  expect(yen).toMatchObject({ approved: true });
  // ¥15,625 at 0.0064 are 100.00.
  expect(await programme.consumption(card, yen.consumeNo)).toMatchObject({
    amount: 10_000n,
    localAmount: "15625",
    localCurrency: "JPY",
  });
  expect(await feesOf(card, yen.consumeNo)).toEqual([370n, "Consume_fee 200", "Exchange_fee 150", "Apple_auth_fee 20"]);
  const { credit, reserve } = await programme.pots(card);
  expect([credit[1], reserve[1]]).toEqual(["103.70", "102.10"]);
  expect([
    await stored(yen.consumeNo, "exchange_rate"),
    await stored(yen.consumeNo, "exchange_source"),
    await stored(yen.consumeNo, "exchange_at"),
    await stored(yen.consumeNo, "wallet"),
  ]).toEqual(["0.0064", "test", 1_234n, true]);
});

test("the network's own amount goes before its rate, its rate before ours, and without any the purchase is declined", async () => {
  const card = await programme.issueCard({ rates: {}, costs: {} });
  const dinar = { amount: 1_234n, currency: "KWD" } as const;
  const buy = (changed: object) =>
    programme.authorization.authorize(purchaseWith(card, "0.00", { ...dinar, ...changed }));
  const amountOf = async (consumeNo: string | null) => (await programme.consumption(card, consumeNo)).amount;
  expect(await buy({})).toMatchObject({ approved: false, reason: "currency_not_supported" });
  programme.rateOf = async () => ({ rate: rateOf("3"), source: "test", at: 1 });
  expect(await amountOf((await buy({})).consumeNo)).toBe(370n);
  expect(await amountOf((await buy({ exchangeRate: rateOf("3.25") })).consumeNo)).toBe(401n);
  expect(await amountOf((await buy({ exchangeRate: rateOf("3.25"), billingAmount: 399n })).consumeNo)).toBe(399n);
  programme.rateOf = async () => null;
});

test("an increment is an authorization of its own that names the first one; of an unknown one it stands by itself", async () => {
  const card = await programme.issueCard({ credit: "200.00", rates: {}, costs: {} });
  const first = purchaseWith(card, "100.00");
  const answer = await programme.authorization.authorize(first);
  const more = await programme.authorization.authorize(
    purchaseWith(card, "50.00", { incrementOf: first.networkReference }),
  );
  expect(await programme.consumption(card, more.consumeNo)).toMatchObject({
    consumeRelateNo: answer.consumeNo,
    amount: 5_000n,
    status: "Pending",
  });
  const tooMuch = await programme.authorization.authorize(
    purchaseWith(card, "50.01", { incrementOf: first.networkReference }),
  );
  expect(tooMuch).toMatchObject({ approved: false, reason: "insufficient_credit" });
  const alone = await programme.authorization.authorize(purchaseWith(card, "1.00", { incrementOf: "never-seen" }));
  expect(await programme.consumption(card, alone.consumeNo)).toMatchObject({ consumeRelateNo: "" });
});

test("a refund authorization holds nothing, asks nobody, counts against no limit, and waits for its clearing", async () => {
  for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
    const card = await programme.issueCard({ mode, limits: { limit_balance: "10.00", limit_week_balance: "10.00" } });
    const before = await programme.pots(card);
    let asked = 0;
    const ask = programme.ask;
    programme.ask = async () => {
      asked += 1;
      return { kind: "timeout" };
    };
    const answer = await programme.authorization.authorize(purchaseWith(card, "50.00", { kind: "refund" }));
    programme.ask = ask;
    expect(answer).toMatchObject({ approved: true });
    expect(asked).toBe(0);
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
      type: "Refund",
      status: "Pending",
      amount: 5_000n,
      fee: 0n,
    });
    expect(await programme.pots(card)).toEqual(before);
    expect(await programme.authorization.authorize(purchaseWith(card, "9.00"))).toMatchObject({ approved: true });
  }
});

test("a balance inquiry tells what the cardholder can spend, and takes nothing", async () => {
  const card = await programme.issueCard({ credit: "80.00", rates: {}, costs: {} });
  await programme.authorization.authorize(purchaseWith(card, "30.00"));
  const inquiry = purchaseWith(card, "0.00", { kind: "balance_inquiry" });
  expect(await programme.authorization.authorize(inquiry)).toMatchObject({ approved: true, balance: 5_000n });
  const asked = await programme.issueCard({ mode: "AUTHORIZATION" });
  const other = await programme.authorization.authorize(purchaseWith(asked, "0.00", { kind: "balance_inquiry" }));
  expect(other).toMatchObject({ approved: true, balance: null });
});

test("lodging and car hire keep their hold for 31 days", async () => {
  const card = await programme.issueCard({ rates: {}, costs: {} });
  const hotel = { name: "Hotel", mcc: "7011", city: "Oslo", country: "NO" };
  const stay = await programme.authorization.authorize(purchaseWith(card, "10.00", { acceptor: hotel }));
  const shop = await programme.authorization.authorize(purchaseWith(card, "10.00"));
  programme.clock.advance(7 * dayMs);
  await programme.clearing.releaseExpired();
  expect(await programme.consumption(card, shop.consumeNo)).toMatchObject({ status: "Fail", remark: "expired" });
  expect(await programme.consumption(card, stay.consumeNo)).toMatchObject({ status: "Pending" });
  programme.clock.advance(24 * dayMs);
  await programme.clearing.releaseExpired();
  expect(await programme.consumption(card, stay.consumeNo)).toMatchObject({ status: "Fail", remark: "expired" });
});

test("an authorization whose reversal came first is declined as reversed, for its repeat too", async () => {
  const card = await programme.issueCard();
  const message = purchaseWith(card, "10.00");
  await programme.db.pool.query(
    `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, original_reference, card_no, effect, at)
     VALUES ($1, 'early', 'reversal', '\\x00', $2, $3, 'stored', 0)`,
    [card.merchantId, message.networkReference, card.cardNo],
  );
  const before = await programme.pots(card);
  const answer = await programme.authorization.authorize(message);
  expect(answer).toMatchObject({ approved: false, reason: "duplicate" });
  expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({ status: "Fail", remark: "reversed" });
  expect(await programme.authorization.authorize(message)).toMatchObject({
    approved: false,
    reason: "duplicate",
    repeat: true,
    consumeNo: answer.consumeNo,
  });
  expect(await programme.pots(card)).toEqual(before);
  const { rows } = await programme.db.pool.query(
    "SELECT consume_no FROM network_message WHERE network_reference = 'early'",
  );
  expect(rows).toEqual([{ consume_no: answer.consumeNo }]);
});

test("a decline waits for its fee where the schedule has one and the reason is the cardholder's, and only there", async () => {
  const rates = { consume_rate: "0.05", decline_fee: "0.50" };
  const card = await programme.issueCard({ credit: "20.00", rates });
  const poor = await programme.authorization.authorize(purchaseWith(card, "100.00"));
  expect(poor).toMatchObject({ reason: "insufficient_credit" });
  expect(await stored(poor.consumeNo, "fee_due")).toBe("decline");
  const foreign = await programme.authorization.authorize(purchaseWith(card, "1.00", { currency: "EUR" }));
  expect(await stored(foreign.consumeNo, "fee_due")).toBe("");
  const free = await programme.issueCard({ credit: "20.00" });
  const plain = await programme.authorization.authorize(purchaseWith(free, "100.00"));
  expect(await stored(plain.consumeNo, "fee_due")).toBe("");
  const asked = await programme.issueCard({ mode: "AUTHORIZATION", costs: rates });
  programme.ask = async () => ({ kind: "declined", code: 5100, reason: null });
  const refused = await programme.authorization.authorize(purchaseWith(asked, "10.00"));
  programme.ask = async () => ({ kind: "timeout" });
  const late = await programme.authorization.authorize(purchaseWith(asked, "10.00"));
  programme.ask = async () => ({ kind: "approved", approvedAmount: null });
  expect(await stored(refused.consumeNo, "fee_due")).toBe("decline");
  expect(await stored(late.consumeNo, "fee_due")).toBe("");
});

test("after all of it the ledger is whole and nothing failed on our side", async () => {
  expect(programme.errors).toEqual([]);
  expect(programme.batchFailures).toEqual([]);
  expect(await programme.verify()).toMatchObject({ ok: true });
});
