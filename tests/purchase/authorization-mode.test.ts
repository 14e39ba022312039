import { DECLINES, type DeclineReason } from "@cardwright/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AskMerchant, MerchantAnswer, MerchantQuestion } from "../../apps/server/src/authorization/index.ts";
import {
  answerNo,
  answerYes,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const open = (wishes: { readonly reserve?: string } = {}): Promise<ReadyCard> =>
  programme.issueCard({ mode: "AUTHORIZATION", ...wishes });

/** A merchant that never answers until the test says what. */
function silentMerchant() {
  const questions: MerchantQuestion[] = [];
  let answer: (given: MerchantAnswer) => void = () => {};
  const ask: AskMerchant = (question) => {
    questions.push(question);
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  return { ask, questions, answer: (given: MerchantAnswer) => answer(given) };
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 1_000; looks += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it did not become so within 5 s");
}

test("the reserve is held and the consumption exists before the merchant is asked, and the first push follows the answer", async () => {
  const card = await open({ reserve: "1000.00" });
  const merchant = silentMerchant();
  const answer = programme.another(merchant).authorize(purchaseWith(card, "100.00"));
  await until(() => merchant.questions.length === 1);
  const [question] = merchant.questions;
  expect(await programme.pots(card)).toMatchObject({ reserve: ["899.00", "101.00"] });
  expect(await programme.consumption(card, question?.consumeNo ?? null)).toMatchObject({
    status: "Pending",
    remark: "",
  });
  expect(await programme.pushes(card)).toHaveLength(1);
  expect(question).toEqual({
    merchantId: card.merchantId,
    consumeNo: question?.consumeNo,
    data:
      `{"consume_no":"${question?.consumeNo}","card_no":"${card.cardNo}","cardholder_no":"${card.cardholderNo}","type":"Consumption",` +
      `"amount":100,"local_amount":100,"local_currency":"USD","merchant_info":{"country":"SG","merchant_mcc":"5411",` +
      `"city":"Singapore","merchant_name":"Corner Shop"},"status":"Pending","time":${programme.clock.now()}}`,
  });
  merchant.answer(answerYes);
  expect(await answer).toEqual({
    approved: true,
    consumeNo: question?.consumeNo,
    partialAmount: null,
    balance: null,
    repeat: false,
  });
  expect(await programme.pots(card)).toMatchObject({ reserve: ["899.00", "101.00"] });
  const pushes = await programme.pushes(card);
  expect(pushes.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(pushes[1]?.data).toMatchObject({
    consume_no: question?.consumeNo,
    status: "Pending",
    // The reserve's costs: the only fees of this mode.
    fee: 1,
    fee_detail: [{ amount: 1, fee_type: "Consume_fee" }],
  });
});

describe("when the merchant does not say yes, the hold is released and the consumption fails with the reason", () => {
  const outcomes: readonly (readonly [Exclude<MerchantAnswer["kind"], "approved">, DeclineReason])[] = [
    ["declined", "merchant_declined"],
    ["timeout", "merchant_timeout"],
    ["unreachable", "merchant_unreachable"],
    ["bad_answer", "merchant_bad_answer"],
    ["busy", "merchant_busy"],
    ["circuit_open", "merchant_circuit_open"],
  ];
  test.each(outcomes)("%s → %s", async (given, reason) => {
    const card = await open({ reserve: "1000.00" });
    const authorization = programme.another({ ask: async () => (given === "declined" ? answerNo : { kind: given }) });
    const message = purchaseWith(card, "100.00");
    const answer = await authorization.authorize(message);
    expect(answer).toEqual({
      approved: false,
      reason,
      merchantReason: null,
      consumeNo: expect.any(String),
      repeat: false,
    });
    expect(await programme.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
      status: "Fail",
      remark: reason,
      detail: DECLINES[reason].en,
      fee: 0n,
    });
    expect((await programme.pushes(card)).slice(1)).toMatchObject([
      { sequence: 2, data: { status: "Fail", remark: reason } },
    ]);
    expect(await authorization.authorize(message)).toEqual({ ...answer, repeat: true });
  });
});

test("a question that throws is a bug on our side: declined, and the money comes back by itself", async () => {
  const own = await openProgramme();
  try {
    const card = await own.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
    const bug = new Error("the question broke");
    const answer = await own.another({ ask: () => Promise.reject(bug) }).authorize(purchaseWith(card, "100.00"));
    expect(answer).toMatchObject({ approved: false, reason: "system_error" });
    expect(own.errors).toEqual([bug]);
    own.clock.advance(30_000);
    expect(await own.authorization.releaseRunOut()).toBe(1);
    expect(await own.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
  } finally {
    await own.close();
  }
});

test("nobody is asked about a purchase that the platform declines, nor about an account verification", async () => {
  const card = await open({ reserve: "50.00" });
  const asked: string[] = [];
  const authorization = programme.another({
    ask: async ({ consumeNo }) => {
      asked.push(consumeNo);
      return answerYes;
    },
  });
  expect(await authorization.authorize(purchaseWith(card, "100.00"))).toMatchObject({ reason: "insufficient_reserve" });
  expect(await authorization.authorize(purchaseWith(card, "1.00", { cvv: "not" }))).toMatchObject({
    reason: "cvv_mismatch",
  });
  expect(await authorization.authorize(purchaseWith(card, "0.00"))).toMatchObject({ approved: true });
  expect(asked).toEqual([]);
});

test("a declined purchase gives back what it took from the limits", async () => {
  const card = await programme.issueCard({
    mode: "AUTHORIZATION",
    limits: { limit_week_balance: "100.00", limit_atm_day_balance: "100.00", limit_atm_month_balance: "100.00" },
  });
  const no = programme.another({ ask: async () => answerNo });
  for (let n = 0; n < 3; n += 1) {
    const withdrawal = purchaseWith(card, "100.00", { kind: "atm" });
    expect(await no.authorize(withdrawal)).toMatchObject({ reason: "merchant_declined" });
  }
  expect(await programme.authorization.authorize(purchaseWith(card, "100.00", { kind: "atm" }))).toMatchObject({
    approved: true,
  });
  expect(await no.authorize(purchaseWith(card, "0.01"))).toMatchObject({ reason: "limit_week" });
});

test("a process that dies during the question leaves a hold that is released when its time is over, and the merchant is told", async () => {
  const own = await openProgramme();
  try {
    const card = await own.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
    const merchant = silentMerchant();
    // Never answered: as if the process had been killed while it waited.
    void own.another(merchant).authorize(purchaseWith(card, "100.00"));
    await until(() => merchant.questions.length === 1);
    own.clock.advance(29_999);
    expect(await own.authorization.releaseRunOut()).toBe(0);
    expect(await own.pots(card)).toMatchObject({ reserve: ["899.00", "101.00"] });
    own.clock.advance(1);
    // Any number of workers may look at once.
    const released = await Promise.all([1, 2, 3].map(() => own.another().releaseRunOut()));
    expect(released.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await own.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
    const consumeNo = merchant.questions[0]?.consumeNo ?? null;
    expect(await own.consumption(card, consumeNo)).toMatchObject({ status: "Fail", remark: "system_error", fee: 0n });
    expect((await own.pushes(card)).slice(1)).toMatchObject([
      { sequence: 2, data: { consume_no: consumeNo, status: "Fail", remark: "system_error", time: own.clock.now() } },
    ]);
    expect(await own.verify()).toMatchObject({ ok: true, openHolds: 0 });
  } finally {
    await own.close();
  }
});

test("a yes that comes after the hold was released does not approve", async () => {
  const own = await openProgramme();
  try {
    const card = await own.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
    const merchant = silentMerchant();
    const answer = own.another(merchant).authorize(purchaseWith(card, "100.00"));
    await until(() => merchant.questions.length === 1);
    own.clock.advance(30_000);
    expect(await own.authorization.releaseRunOut()).toBe(1);
    merchant.answer(answerYes);
    expect(await answer).toMatchObject({ approved: false, reason: "system_error" });
    expect(await own.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
    expect(await own.pushes(card)).toHaveLength(2);
  } finally {
    await own.close();
  }
});

test("questions to many cards at once are concluded each with its own answer", async () => {
  const card = await open({ reserve: "10000.00" });
  const cards = [card, ...(await Promise.all([1, 2, 3, 4].map(() => programme.anotherCard(card))))];
  const authorization = programme.another({
    ask: async ({ data }) => (JSON.parse(data).amount % 2 === 0 ? answerYes : answerNo),
  });
  const amounts = Array.from({ length: 100 }, (_, place) => place + 1);
  const answers = await Promise.all(
    amounts.map((amount) => authorization.authorize(purchaseWith(cards[amount % 5] ?? card, `${amount}.00`))),
  );
  expect(answers.map(({ approved }) => approved)).toEqual(amounts.map((amount) => amount % 2 === 0));
  // 2 + 4 + … + 100 = 2,550 and 1 % of it.
  expect((await programme.pots(card)).reserve).toEqual(["7424.50", "2575.50"]);
  for (const each of cards) {
    const sequences = (await programme.pushes(each)).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 21 }, (_, place) => place + 1));
  }
});

test("after all of it the ledger is whole and nothing failed on our side", async () => {
  expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
  expect(programme.errors).toEqual([]);
});
