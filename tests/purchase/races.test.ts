import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuthorizationAnswer } from "../../apps/server/src/authorization/index.ts";
import { cents, openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const count = (answers: readonly AuthorizationAnswer[]) => {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = answer.approved ? "approved" : answer.reason;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/** Purchases from two processes at once, on several cards. */
function race(cards: readonly ReadyCard[], options: { readonly purchases: number; readonly amount: string }) {
  const processes = [programme.authorization, programme.another()];
  return Promise.all(
    Array.from({ length: options.purchases }, (_, place) => {
      const card = cards[place % cards.length];
      const process = processes[place % processes.length];
      if (card === undefined || process === undefined) throw new Error("a race needs a card");
      return process.authorize(purchaseWith(card, options.amount));
    }),
  );
}

test("50 racing transfers and purchases on one account and one reserve end with exact balances", async () => {
  const card = await programme.issueCard({ credit: "10000.00", reserve: "10000.00" });
  const { merchantId, cardholderNo } = card;
  const work = Array.from({ length: 50 }, (_, place) => {
    const transferUniqueNo = `race-${place}`;
    const base = { merchantId, cardholderNo, transferUniqueNo };
    switch (place % 5) {
      case 0:
        return programme.credit.transfer({ ...base, type: "In", amount: cents("7.77") });
      case 1:
        return programme.credit.transfer({ ...base, type: "Out", amount: cents("3.33") });
      default:
        return programme.authorization.authorize(purchaseWith(card, "10.00"));
    }
  });
  const outcomes = await Promise.all(work);
  expect(outcomes.every((outcome) => ("ok" in outcome ? outcome.ok : outcome.approved))).toBe(true);
  // 10 × 7.77 in, 10 × 3.33 out, 30 × 10.50 held on the cardholder and 30 × 10.10 on the reserve.
  expect(await programme.pots(card)).toEqual({ credit: ["9729.40", "315.00"], reserve: ["9697.00", "303.00"] });
  const { rows } = await programme.db.pool.query<{ before_balance: bigint; after_balance: bigint }>(
    "SELECT before_balance, after_balance FROM credit_transfer WHERE merchant_id = $1 AND transfer_unique_no LIKE 'race-%'",
    [merchantId],
  );
  const afters = new Set(rows.map((row) => row.after_balance));
  // Purchases only move between available and held: before and after form one chain from the first balance to the last.
  expect(rows.filter((row) => !afters.has(row.before_balance)).map((row) => row.before_balance)).toEqual([
    cents("10000.00"),
  ]);
  expect(afters.has(cents("10044.40"))).toBe(true);
});

test("200 racing purchases against credit for exactly 50: exactly 50 are approved", async () => {
  const card = await programme.issueCard({ credit: "525.00", reserve: "10000.00" });
  const cards = [card, await programme.anotherCard(card), await programme.anotherCard(card)];
  expect(count(await race(cards, { purchases: 200, amount: "10.00" }))).toEqual({
    approved: 50,
    insufficient_credit: 150,
  });
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "525.00"], reserve: ["9495.00", "505.00"] });
});

test("each push tells of its own purchase, however many others were decided with it, in the outbox and after it", async () => {
  const card = await programme.issueCard({ credit: "400.00", reserve: "10000.00" });
  const cards = [card, await programme.anotherCard(card), await programme.anotherCard(card)];
  const amountOf = (place: number): string => `${place + 1}.00`;
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, place) => {
      const chosen = cards[place % cards.length];
      if (chosen === undefined) throw new Error("a purchase needs a card");
      return programme.authorization.authorize(purchaseWith(chosen, amountOf(place)));
    }),
  );
  expect(Object.keys(count(answers)).toSorted()).toEqual(["approved", "insufficient_credit"]);
  const expected = answers.map((answer, place) => ({
    consume_no: answer.consumeNo,
    amount: Number(amountOf(place)),
    status: answer.approved ? "Pending" : "Fail",
    remark: answer.approved ? "" : answer.reason,
  }));
  const told = async (): Promise<unknown[]> => {
    const pushes = (await Promise.all(cards.map((one) => programme.pushes(one)))).flat();
    const byNumber = new Map(pushes.map(({ data }) => [data["consume_no"], data]));
    return expected.map(({ consume_no }) => {
      const { amount, status, remark } = byNumber.get(consume_no) ?? {};
      return { consume_no, amount, status, remark };
    });
  };
  // Decided in batches, with the texts of each in one value.
  const { rows } = await programme.db.pool.query<{ most: number }>(
    "SELECT max(size) AS most FROM callback_outbox WHERE texts IS NOT NULL",
  );
  expect(rows[0]?.most).toBeGreaterThan(10);
  expect(await told()).toEqual(expected);
  await programme.db.pool.query("SELECT empty_callback_outbox(10000)");
  expect(await told()).toEqual(expected);
});

test("a batch whose texts are not one for each item fails before anything is written", async () => {
  const decide =
    "SELECT authorization_decide('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', $1, '{}', '{}', '', '', '', '')";
  const conclude = "SELECT authorization_conclude('{}', '{}', '{}', $1, '', '', 'void', 1)";
  for (const statement of [decide, conclude]) {
    await expect(programme.db.pool.query(statement, [""])).resolves.toBeDefined();
    await expect(programme.db.pool.query(statement, ["{}"])).rejects.toThrow("authorization: 1 texts for 0 items");
  }
});

test("100 racing purchases against a reserve for exactly 20: exactly 20 are approved", async () => {
  const card = await programme.issueCard({ credit: "10000.00", reserve: "202.00" });
  expect(count(await race([card], { purchases: 100, amount: "10.00" }))).toEqual({
    approved: 20,
    insufficient_reserve: 80,
  });
  expect((await programme.pots(card)).reserve).toEqual(["0.00", "202.00"]);
});

test("a large declined purchase takes nothing from the small ones behind it", async () => {
  const card = await programme.issueCard({ credit: "105.00" });
  // What is known of the card is in memory then, so that the purchases go into one batch in this order.
  await programme.authorization.authorize(purchaseWith(card, "0.00"));
  const answers = await Promise.all(
    ["1000.00", "50.00", "1000.00", "50.00", "1000.00"].map((amount) =>
      programme.authorization.authorize(purchaseWith(card, amount)),
    ),
  );
  expect(answers.map(({ approved }) => approved)).toEqual([false, true, false, true, false]);
});

test("a week's limit for exactly 30 purchases lets exactly 30 of 100 racing ones through", async () => {
  const card = await programme.issueCard({ credit: "10000.00", limits: { limit_week_balance: "300.00" } });
  expect(count(await race([card], { purchases: 100, amount: "10.00" }))).toEqual({ approved: 30, limit_week: 70 });
});

test("racing transfers with one number move the money once; the same number with other content is refused", async () => {
  const card = await programme.issueCard({ credit: "0.00" });
  const request = {
    merchantId: card.merchantId,
    cardholderNo: card.cardholderNo,
    transferUniqueNo: "once",
    type: "In",
    amount: cents("5.00"),
  } as const;
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, place) =>
      programme.credit.transfer(place % 4 === 3 ? { ...request, amount: cents("6.00") } : request),
    ),
  );
  const first = outcomes.find((outcome) => outcome.ok);
  const reused = outcomes.filter((outcome) => !outcome.ok);
  expect(reused.every((outcome) => outcome.reason === "transfer_unique_no_reused")).toBe(true);
  expect(new Set(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.transferNo] : []))).size).toBe(1);
  const amount = first?.ok === true ? first.value.amount : 0n;
  expect(reused).toHaveLength(amount === cents("5.00") ? 5 : 15);
  expect((await programme.pots(card)).credit[0]).toBe(amount === cents("5.00") ? "5.00" : "6.00");
});

test("freezing races with purchases: what was approved holds, and nothing is approved after the freeze has answered", async () => {
  const card = await programme.issueCard({ credit: "10000.00" });
  const during = race([card], { purchases: 40, amount: "1.00" });
  await programme.cards.requestStatus({ ...card, to: "Frozen" });
  const after = await race([card], { purchases: 10, amount: "1.00" });
  expect(count(after)).toEqual({ card_frozen: 10 });
  const approved = count(await during)["approved"] ?? 0;
  expect((await programme.pots(card)).credit[1]).toBe(((approved * 105) / 100).toFixed(2));
  const sequences = (await programme.pushes(card)).map(({ sequence }) => sequence);
  // The card's activation and its freeze, and one push for each purchase.
  expect(sequences).toEqual(Array.from({ length: 52 }, (_, place) => place + 1));
});

test("after all of it the ledger is whole, and no batch and no purchase failed on our side", async () => {
  expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
  expect([programme.errors, programme.batchFailures]).toEqual([[], []]);
});
