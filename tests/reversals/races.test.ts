import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clearing } from "../../apps/server/src/clearing/index.ts";
import { mustBeClean } from "../clearing/books.ts";
import {
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  reversalOf,
} from "../support/programme.ts";

let programme: Programme;
let reversals: Clearing;

beforeEach(async () => {
  programme = await openProgramme();
  reversals = programme.clearing;
});
afterEach(async () => {
  await mustBeClean(programme);
  await programme.close();
});

const effectOf = (answer: Awaited<ReturnType<Clearing["reverse"]>>) =>
  answer.ok ? answer.value.effect : answer.reason;

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  test(`20 equal reversals at once reverse once, and all get the same answer (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const purchase = purchaseWith(card, "100.00");
    await programme.authorization.authorize(purchase);
    const message = reversalOf(card, purchase.networkReference);
    const answers = await Promise.all(Array.from({ length: 20 }, () => reversals.reverse(message)));
    const values = answers.flatMap((answer) => (answer.ok && answer.value.accepted ? [answer.value] : []));
    expect(values).toHaveLength(20);
    expect(new Set(values.map(({ consumeNo }) => consumeNo)).size).toBe(1);
    expect(values.every(({ effect }) => effect === "reversed")).toBe(true);
    expect(values.filter(({ repeat }) => !repeat)).toHaveLength(1);
    expect(await programme.consumptionsOf(card)).toBe(2);
    expect(await programme.pots(card)).toEqual(before);
  });
}

test("20 different partial reversals at once take no more than the purchase", async () => {
  const card = await programme.issueCard();
  const before = await programme.pots(card);
  const purchase = purchaseWith(card, "100.00");
  await programme.authorization.authorize(purchase);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      reversals.reverse(reversalOf(card, purchase.networkReference, { amount: "7.50" })),
    ),
  );
  const counts = Map.groupBy(answers.map(effectOf), (effect) => effect);
  // 13 of 7.50 are 97.50, the next takes the last 2.50.
  expect(counts.get("partially_reversed")).toHaveLength(13);
  expect(counts.get("reversed")).toHaveLength(1);
  expect(counts.get("no_effect")).toHaveLength(6);
  expect(await programme.pots(card)).toEqual(before);
});

test("a reversal and the end of its hold at the same moment give the money back once", async () => {
  const card = await programme.issueCard({ credit: "5000.00" });
  const before = await programme.pots(card);
  const purchases = Array.from({ length: 12 }, () => purchaseWith(card, "10.00"));
  await Promise.all(purchases.map((purchase) => programme.authorization.authorize(purchase)));
  programme.clock.advance(7 * dayMs);
  const [released, ...answers] = await Promise.all([
    reversals.releaseExpired(),
    ...purchases.map(({ networkReference }) => reversals.reverse(reversalOf(card, networkReference))),
  ]);
  const effects = answers.map(effectOf);
  expect(effects.every((effect) => effect === "reversed" || effect === "no_effect")).toBe(true);
  expect(released + effects.filter((effect) => effect === "reversed").length).toBe(12);
  expect(await programme.pots(card)).toEqual(before);
});

test("a reversal against repeats of its authorization reverses one purchase, and the repeats stay approved", async () => {
  const card = await programme.issueCard();
  const before = await programme.pots(card);
  const purchase = purchaseWith(card, "100.00");
  const first = await programme.authorization.authorize(purchase);
  const [reversed, ...repeats] = await Promise.all([
    reversals.reverse(reversalOf(card, purchase.networkReference)),
    ...Array.from({ length: 10 }, () => programme.authorization.authorize(purchase)),
  ]);
  expect(effectOf(reversed)).toBe("reversed");
  expect(repeats).toEqual(repeats.map(() => ({ ...first, repeat: true })));
  expect(await programme.pots(card)).toEqual(before);
});

test("one reference used for two cards at once reverses one of their purchases", async () => {
  const card = await programme.issueCard();
  const other = await programme.anotherCard(card);
  const purchases = [purchaseWith(card, "10.00"), purchaseWith(other, "10.00")] as const;
  await Promise.all(purchases.map((purchase) => programme.authorization.authorize(purchase)));
  const networkReference = "the-same";
  const answers = await Promise.all([
    reversals.reverse(reversalOf(card, purchases[0].networkReference, { networkReference })),
    reversals.reverse(reversalOf(other, purchases[1].networkReference, { networkReference })),
  ]);
  expect(answers.map(effectOf).toSorted()).toEqual(["duplicate", "reversed"]);
  programme.clock.advance(7 * dayMs);
  expect(await reversals.releaseExpired()).toBe(1);
});

test("reversals after clearing, expiries and fees of many cards at once do not stop each other", async () => {
  const rates = { consume_rate: "0.05", consume_cancle_fee: "0.10" };
  const first = await programme.issueCard({ credit: "5000.00", rates });
  const cards = [first, await programme.anotherCard(first), await programme.anotherCard(first)];
  const messages = await Promise.all(
    cards.flatMap((card) =>
      [1, 2, 3, 4].map(async (place) => {
        const purchase = purchaseWith(card, "10.00");
        await programme.authorization.authorize(purchase);
        if (place % 2 === 0) {
          const { networkReference: originalReference } = purchase;
          await programme.clearing.clear(presentmentWith(card, "10.00", { originalReference }));
        }
        return reversalOf(card, purchase.networkReference);
      }),
    ),
  );
  const sweeps = () => Promise.all([reversals.chargeDueFees(), reversals.releaseExpired()]);
  const [answers] = await Promise.all([
    Promise.all(messages.map((message) => reversals.reverse(message))),
    sweeps(),
    sweeps(),
  ]);
  expect(answers.map(effectOf).toSorted()).toEqual([
    ...Array.from({ length: 6 }, () => "reversed"),
    ...Array.from({ length: 6 }, () => "reversed_after_clearing"),
  ]);
  while ((await reversals.chargeDueFees()) > 0);
  // Six cleared ones keep 0.50 each, six cancelled ones cost 0.10 each.
  expect((await programme.pots(first)).credit).toEqual(["4996.40", "0.00"]);
});
