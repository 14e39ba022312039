import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  adviceWith,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { modes, mustBeClean, potsOf, toldAbout } from "./books.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  await mustBeClean(programme);
});

afterAll(() => programme.close());

const advise = (card: ReadyCard, amount: string, changed: Parameters<typeof adviceWith>[2] = {}) =>
  programme.clearing.advise(adviceWith(card, amount, changed));
const numberIn = (answer: Awaited<ReturnType<typeof advise>>): string => (answer.accepted ? answer.consumeNo : "");

for (const mode of modes) {
  const shownFee = (cardholder: bigint, reserve: bigint) => (mode === "AUTHORIZATION" ? reserve : cardholder);

  test(`what the network has approved in our stead is held as an approval, whatever the card or the money (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "50.00", reserve: "60.00" });
    await programme.cards.requestStatus({ ...card, to: "Delete" });
    const message = adviceWith(card, "100.00");
    const answer = await programme.clearing.advise(message);
    expect(answer).toMatchObject({ accepted: true, effect: "booked", repeat: false });
    expect(await programme.clearing.advise(message)).toEqual({ ...answer, repeat: true });
    expect(await programme.clearing.advise({ ...message, amount: 1n })).toMatchObject({ effect: "duplicate" });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["-55.00", "105.00"], ["-41.00", "101.00"]));
    expect(await programme.consumption(card, numberIn(answer))).toMatchObject({
      type: "Consumption",
      status: "Pending",
      amount: 10_000n,
      fee: shownFee(500n, 100n),
      remark: "network_stand_in",
    });
    const cleared = presentmentWith(card, "100.00", { originalReference: message.networkReference });
    expect(await programme.clearing.clear(cleared)).toMatchObject({ effect: "cleared", consumeNo: numberIn(answer) });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["-55.00", "0.00"], ["-41.00", "0.00"]));
    expect(await toldAbout(programme, card, numberIn(answer))).toEqual([
      "Pending network_stand_in",
      "Success network_stand_in",
    ]);
  });

  test(`a stand-in approval that is not cleared runs out after 7 days, one of a hotel or a car hire after 31 (${mode})`, async () => {
    // What other tests have left behind.
    programme.clock.advance(31 * dayMs);
    await programme.clearing.releaseExpired();
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const shop = await advise(card, "10.00");
    const others = await Promise.all(
      ["7011", "3501", "3351", "7512"].map((mcc) =>
        advise(card, "20.00", { acceptor: { name: "Away", mcc, city: "Oslo", country: "NO" } }),
      ),
    );
    programme.clock.advance(7 * dayMs);
    expect(await programme.clearing.releaseExpired()).toBe(1);
    expect(await programme.consumption(card, numberIn(shop))).toMatchObject({ status: "Fail", remark: "expired" });
    programme.clock.advance(24 * dayMs - 1);
    expect(await programme.clearing.releaseExpired()).toBe(0);
    programme.clock.advance(1);
    expect(await programme.clearing.releaseExpired()).toBe(others.length);
    expect(await programme.pots(card)).toEqual(before);
  });

  test(`an advice about what we have decided ourselves changes nothing, approved or declined (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "200.00", reserve: "200.00" });
    for (const amount of ["100.00", "500.00"]) {
      const request = purchaseWith(card, amount);
      const decided = await programme.authorization.authorize(request);
      const before = await programme.pots(card);
      expect(await advise(card, amount, { networkReference: request.networkReference })).toEqual({
        accepted: true,
        effect: "no_effect",
        consumeNo: decided.consumeNo,
        repeat: false,
      });
      expect(await programme.pots(card)).toEqual(before);
    }
  });

  test(`an advice that comes after its clearing changes nothing (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const advice = adviceWith(card, "30.00");
    const forced = await programme.clearing.clear(
      presentmentWith(card, "30.00", { originalReference: advice.networkReference }),
    );
    const before = await programme.pots(card);
    expect(await programme.clearing.advise(advice)).toEqual({ ...forced, effect: "no_effect" });
    expect(await programme.pots(card)).toEqual(before);
  });

  test(`the network's repeat of a purchase that it approved itself hears that it is approved (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const request = purchaseWith(card, "30.00");
    const booked = await advise(card, "30.00", { networkReference: request.networkReference });
    const again = await programme.authorization.authorize(request);
    expect(again).toMatchObject({ approved: true, consumeNo: numberIn(booked), repeat: true });
  });

  test(`a stand-in increment is cleared with its purchase (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const original = adviceWith(card, "100.00");
    const first = await programme.clearing.advise(original);
    const more = await advise(card, "50.00", { incrementOf: original.networkReference });
    expect(await programme.consumption(card, numberIn(more))).toMatchObject({ consumeRelateNo: numberIn(first) });
    await programme.clearing.clear(presentmentWith(card, "150.00", { originalReference: original.networkReference }));
    expect(await programme.consumption(card, numberIn(more))).toMatchObject({ status: "Success", amount: 5_000n });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["842.50", "0.00"], ["9848.50", "0.00"]));
  });

  test(`a stand-in of nothing is over at once (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    expect(await programme.consumption(card, numberIn(await advise(card, "0.00")))).toMatchObject({
      status: "Success",
      fee: 0n,
    });
  });
}

test("by the absorb policy a stand-in approval holds no more than the cardholder has, and income bears the rest", async () => {
  const card = await programme.issueCard({ credit: "50.00" });
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId: card.merchantId, change }, { actor: "operator" });
  const advice = adviceWith(card, "100.00");
  await programme.clearing.advise(advice);
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "50.00"], reserve: ["9899.00", "101.00"] });
  await programme.clearing.clear(presentmentWith(card, "100.00", { originalReference: advice.networkReference }));
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "0.00"], reserve: ["9899.00", "0.00"] });
});

test("an increment whose purchase is not known stands alone", async () => {
  const card = await programme.issueCard();
  const answer = await advise(card, "10.00", { incrementOf: "never-seen" });
  expect(await programme.consumption(card, numberIn(answer))).toMatchObject({ consumeRelateNo: "" });
});
