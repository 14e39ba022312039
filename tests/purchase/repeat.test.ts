import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AskMerchant } from "../../apps/server/src/authorization/index.ts";
import { answerNo, openProgramme, type Programme, purchaseWith } from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const times = <Value>(count: number, make: () => Promise<Value>) => Promise.all(Array.from({ length: count }, make));

test("a message that comes again is answered as the first time and moves nothing", async () => {
  const card = await programme.issueCard({ credit: "150.00" });
  const approved = purchaseWith(card, "100.00");
  const declined = purchaseWith(card, "100.00");
  const first = await programme.authorization.authorize(approved);
  const second = await programme.authorization.authorize(declined);
  expect([first, second]).toMatchObject([{ approved: true }, { approved: false, reason: "insufficient_credit" }]);
  const [pots, pushes] = [await programme.pots(card), await programme.pushes(card)];
  // What the first answer rests on has changed since: the money, and the card itself.
  await programme.grant(card, "1000.00");
  await programme.cards.requestStatus({ ...card, to: "Frozen" });
  expect(await programme.authorization.authorize(approved)).toEqual({ ...first, repeat: true });
  expect(await programme.another().authorize(declined)).toEqual({ ...second, repeat: true });
  expect((await programme.pots(card)).reserve).toEqual(pots.reserve);
  expect(await programme.pushes(card)).toHaveLength(pushes.length + 1);
});

test("of twenty racing copies of a message, in two processes, one is decided and all get its answer", async () => {
  const card = await programme.issueCard();
  const other = programme.another();
  for (let round = 0; round < 5; round += 1) {
    const message = purchaseWith(card, "10.00");
    let turn = 0;
    const answers = await times(20, () => {
      turn += 1;
      return (turn % 2 === 0 ? other : programme.authorization).authorize(message);
    });
    expect(new Set(answers.map(({ consumeNo }) => consumeNo)).size).toBe(1);
    expect(answers.every(({ approved }) => approved)).toBe(true);
    expect(answers.filter(({ repeat }) => !repeat)).toHaveLength(1);
  }
  expect(await programme.consumptionsOf(card)).toBe(5);
  expect((await programme.pots(card)).credit).toEqual(["947.50", "52.50"]);
});

test("copies that come while the merchant is being asked wait for its one answer", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION" });
  let questions = 0;
  const ask: AskMerchant = async () => {
    questions += 1;
    await sleep(250);
    return answerNo;
  };
  const [one, other] = [programme.another({ ask }), programme.another({ ask })];
  const message = purchaseWith(card, "10.00");
  const answers = await Promise.all([...Array(10).keys()].map((n) => (n < 5 ? one : other).authorize(message)));
  expect(questions).toBe(1);
  expect(new Set(answers.map(({ consumeNo }) => consumeNo)).size).toBe(1);
  expect(answers).toEqual(Array(10).fill(expect.objectContaining({ approved: false, reason: "merchant_declined" })));
  expect(await programme.consumptionsOf(card)).toBe(1);
});

test("one reference means two things at two merchants", async () => {
  const [card, stranger] = [await programme.issueCard(), await programme.issueCard()];
  const message = purchaseWith(card, "10.00", { networkReference: "shared-reference" });
  const strangers = purchaseWith(stranger, "20.00", { networkReference: "shared-reference" });
  const first = await programme.authorization.authorize(message);
  // In one batch with the first merchant's repeat, which must not lend the other its answer.
  const [repeat, own] = await Promise.all([
    programme.authorization.authorize(message),
    programme.authorization.authorize(strangers),
  ]);
  expect(repeat).toEqual({ ...first, repeat: true });
  expect(own).toMatchObject({ approved: true, repeat: false });
  expect(await programme.consumption(stranger, own.consumeNo)).toMatchObject({ amount: 2_000n });
});

test("a reference that comes again with other content is declined as a duplicate, and the first one stays as it was", async () => {
  const card = await programme.issueCard();
  const second = await programme.anotherCard(card);
  const message = purchaseWith(card, "10.00");
  const first = await programme.authorization.authorize(message);
  const pots = await programme.pots(card);
  for (const changed of [
    { ...message, amount: 100_000n },
    { ...message, kind: "atm" as const },
    { ...message, currency: "EUR", billingAmount: 1_000n },
    purchaseWith(second, "10.00", { networkReference: message.networkReference }),
  ]) {
    expect(await programme.authorization.authorize(changed)).toMatchObject({ approved: false, reason: "duplicate" });
  }
  expect(await programme.pots(card)).toEqual(pots);
  expect(await programme.authorization.authorize(message)).toEqual({ ...first, repeat: true });
});

test("racing messages with one reference and different amounts: one of them is decided, the rest are duplicates", async () => {
  const card = await programme.issueCard();
  const messages = Array.from({ length: 10 }, (_, place) =>
    purchaseWith(card, `${place + 1}.00`, { networkReference: "racing-amounts" }),
  );
  const answers = await Promise.all(messages.map((message) => programme.authorization.authorize(message)));
  expect(answers.filter(({ approved }) => approved)).toHaveLength(1);
  expect(answers.filter((answer) => !answer.approved && answer.reason === "duplicate")).toHaveLength(9);
});

test("after all of it the ledger is whole and nothing failed on our side", async () => {
  expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
  expect(programme.errors).toEqual([]);
});
