import { afterEach, beforeEach, expect, test } from "vitest";
import type { MerchantAnswer } from "../../apps/server/src/authorization/index.ts";
import {
  adviceWith,
  answerYes,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
} from "../support/programme.ts";
import { authorized, modes, mustBeClean, potsOf, toldAbout } from "./books.ts";

let programme: Programme;

beforeEach(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  await mustBeClean(programme);
  await programme.close();
});

const times = <Made>(count: number, make: (place: number) => Made): Made[] =>
  Array.from({ length: count }, (_, place) => make(place));

for (const mode of modes) {
  test(`the same clearing, refund and advice twenty times at once are each booked once (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference } = await authorized(programme, card, "100.00");
    const clearing = presentmentWith(card, "100.00", { originalReference });
    const refund = presentmentWith(card, "10.00", { kind: "refund" });
    const forced = presentmentWith(card, "7.00");
    const advice = adviceWith(card, "50.00");
    const presentments = [clearing, refund, forced].map((each) => () => programme.clearing.clear(each));
    const runs = [...presentments, () => programme.clearing.advise(advice)];
    for (const run of runs) {
      const answers = await Promise.all(times(20, run));
      expect(answers.filter((answer) => answer.accepted && !answer.repeat)).toHaveLength(1);
      expect(new Set(answers.map((answer) => `${answer.effect} ${answer.accepted ? answer.consumeNo : ""}`)).size).toBe(
        1,
      );
    }
    expect(await programme.pots(card)).toEqual(potsOf(card, ["845.15", "52.50"], ["9851.43", "50.50"]));
    expect(await programme.consumptionsOf(card)).toBe(4);
  });

  test(`a clearing and the end of its hold at once: whichever is first, all is booked and nothing held (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "5000.00" });
    const bought = await Promise.all(times(12, () => authorized(programme, card, "10.00")));
    programme.clock.advance(7 * dayMs);
    const clearings = bought.map(({ originalReference }, place) =>
      programme.clearing.clear(presentmentWith(card, "10.00", { originalReference, final: place % 2 === 0 })),
    );
    const ends = times(5, () => programme.clearing.releaseExpired());
    const answers = await Promise.all(clearings);
    await Promise.all(ends);
    for (const [place, answer] of answers.entries()) {
      const { consumeNo = "" } = bought[place] ?? {};
      expect(["cleared", "cleared_late"]).toContain(answer.effect);
      const remark = answer.effect === "cleared" ? "" : "cleared_late";
      expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", remark });
    }
    expect(await programme.pots(card)).toEqual(potsOf(card, ["4874.00", "0.00"], ["9878.80", "0.00"]));
  });

  test(`parts, sweeps and the last part at once leave what was cleared (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    programme.clock.advance(7 * dayMs);
    await Promise.all([
      ...times(4, () => programme.clearing.clear(presentmentWith(card, "10.00", { originalReference, final: false }))),
      ...times(6, () => programme.clearing.releaseExpired()),
    ]);
    await programme.clearing.clear(presentmentWith(card, "10.00", { originalReference }));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["947.50", "0.00"], ["9949.50", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 5_000n });
  });

  test(`one reference on two cards at once is one message; the other is a duplicate (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const other = await programme.anotherCard(card);
    for (const _ of [1, 2, 3]) {
      const message = presentmentWith(card, "5.00");
      const twin = { ...message, pan: other.printed.pan };
      const answers = await Promise.all([programme.clearing.clear(message), programme.clearing.clear(twin)]);
      expect(answers.map(({ effect }) => effect).toSorted()).toEqual(["duplicate", "force_posted"]);
    }
    expect(await programme.pots(card)).toEqual(potsOf(card, ["984.25", "0.00"], ["9984.85", "0.00"]));
  });

  test(`clearings of many cards and purchases at once do not lose a cent (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "5000.00" });
    const cards = [card, await programme.anotherCard(card), await programme.anotherCard(card)];
    const bought = await Promise.all(
      times(30, (place) => {
        const of = cards[place % 3] ?? card;
        return authorized(programme, of, "10.00").then((purchase) => ({ of, ...purchase }));
      }),
    );
    await Promise.all([
      ...bought.map(({ of, originalReference }) =>
        programme.clearing.clear(presentmentWith(of, "12.00", { originalReference })),
      ),
      ...times(10, (place) => programme.authorization.authorize(purchaseWith(cards[place % 3] ?? card, "1.00"))),
    ]);
    expect(await programme.pots(card)).toEqual(potsOf(card, ["4611.50", "10.50"], ["9626.30", "10.10"]));
  });
}

/** A merchant's answer that comes when a test says so. */
function laterAnswer(): { readonly give: () => void; readonly ask: () => Promise<MerchantAnswer> } {
  let give: (answer: MerchantAnswer) => void = () => undefined;
  const answer = new Promise<MerchantAnswer>((resolve) => {
    give = resolve;
  });
  return { give: () => give(answerYes), ask: () => answer };
}

test("a clearing that comes while the merchant is asked waits for the answer", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION" });
  const merchant = laterAnswer();
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  programme.ask = async () => {
    isAsked();
    return merchant.ask();
  };
  const request = purchaseWith(card, "100.00");
  const decided = programme.authorization.authorize(request);
  await asked;
  const clearing = programme.clearing.clear(
    presentmentWith(card, "100.00", { originalReference: request.networkReference }),
  );
  merchant.give();
  const { consumeNo } = await decided;
  expect(await clearing).toMatchObject({ accepted: true, effect: "cleared", consumeNo });
  expect(await toldAbout(programme, card, consumeNo ?? "")).toEqual(["Pending", "Success"]);
});

test("a clearing whose purchase stays undecided is told to come again, and is booked when it does", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION" });
  const merchant = laterAnswer();
  programme.ask = merchant.ask;
  const request = purchaseWith(card, "100.00");
  const decided = programme.authorization.authorize(request);
  const message = presentmentWith(card, "100.00", { originalReference: request.networkReference });
  // Before the question is written down it is a purchase that nobody knows.
  while ((await programme.consumptionsOf(card)) === 0);
  expect(await programme.clearing.clear(message)).toEqual({ accepted: false, effect: "authorization_under_way" });
  merchant.give();
  await decided;
  expect(await programme.clearing.clear(message)).toMatchObject({ effect: "cleared", repeat: false });
  expect(await programme.pots(card)).toEqual(potsOf(card, ["0.00", "0.00"], ["9899.00", "0.00"]));
});
