import { afterAll, beforeAll, expect, test } from "vitest";
import { clearingRules } from "../../apps/server/src/clearing/index.ts";
import { openProgramme, type Programme, presentmentWith, purchaseWith, reversalOf } from "../support/programme.ts";
import { authorized, modes, numberIn, reversed } from "./books.ts";

/** Each rule of `verify` is silent about what the room writes, and speaks where a row says something else than the ledger. */
let programme: Programme;
let numbers: Record<"purchase" | "forced" | "refund" | "reversal" | "cancelled" | "declined", string>;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const rates = { consume_rate: "0.05", refund_rate: "0.02", decline_fee: "0.50", consume_cancle_fee: "0.25" };
const costs = { consume_rate: "0.01", refund_rate: "0.005", decline_fee: "0.10", consume_cancle_fee: "0.05" };

/** One of everything. */
async function fill(mode: (typeof modes)[number]): Promise<typeof numbers> {
  const card = await programme.issueCard({ mode, rates, costs, limits: { limit_balance: "500.00" } });
  const { originalReference, consumeNo: purchase } = await authorized(programme, card, "100.00");
  await programme.clearing.clear(presentmentWith(card, "100.00", { originalReference }));
  const forced = await programme.clearing.clear(presentmentWith(card, "10.00"));
  const back = presentmentWith(card, "30.00", { originalReference, kind: "refund" });
  const refund = await programme.clearing.clear(back);
  const reversal = await reversed(programme, reversalOf(card, originalReference, { amount: "20.00" }));
  const cancelled = await authorized(programme, card, "40.00");
  await reversed(programme, reversalOf(card, cancelled.originalReference));
  const declined = await programme.authorization.authorize(purchaseWith(card, "600.00"));
  while ((await programme.clearing.chargeDueFees()) > 0);
  return {
    purchase,
    forced: numberIn(forced),
    refund: numberIn(refund),
    reversal: numberIn(reversal),
    cancelled: cancelled.consumeNo,
    declined: declined.consumeNo ?? "",
  };
}

const brokenNames = async () => (await programme.verify()).broken.map(({ rule }) => rule);
const set = (consumeNo: string, change: string) =>
  programme.db.pool.query(`UPDATE consumption SET ${change} WHERE consume_no = $1`, [consumeNo]);

const cleared = "a cleared purchase has cleared its amount";
const booked = "what clearings have booked is what the ledger has moved";
const borne = "what a finished purchase bears is what was taken for it, fees charged by themselves included";
const given = "what a refund has given is what the ledger has moved";
const undone = "what a reversal has moved for good is what the ledger has moved";
const named = "a message of the network has changed a consumption that exists";

const lies: readonly (readonly [of: keyof typeof numbers, change: string, back: string, broken: readonly string[]])[] =
  [
    ["purchase", "cleared_amount = cleared_amount - 1", "cleared_amount = cleared_amount + 1", [cleared]],
    ["purchase", "amount = amount + 1", "amount = amount - 1", [cleared]],
    ["purchase", "reserve_booked = reserve_booked + 1", "reserve_booked = reserve_booked - 1", [booked]],
    ["forced", "credit_booked = credit_booked + 1", "credit_booked = credit_booked - 1", [booked]],
    ["purchase", "reserve_total = reserve_total + 1", "reserve_total = reserve_total - 1", [borne]],
    ["forced", "credit_total = credit_total + 1", "credit_total = credit_total - 1", [borne]],
    ["cancelled", "reserve_total = reserve_total - 1", "reserve_total = reserve_total + 1", [borne]],
    ["declined", "credit_total = credit_total + 1", "credit_total = credit_total - 1", [borne]],
    ["refund", "reserve_booked = reserve_booked + 1", "reserve_booked = reserve_booked - 1", [given]],
    ["refund", "credit_booked = credit_booked + 1", "credit_booked = credit_booked - 1", [given]],
    ["reversal", "reserve_booked = reserve_booked + 1", "reserve_booked = reserve_booked - 1", [undone]],
    ["reversal", "credit_booked = credit_booked + 1", "credit_booked = credit_booked - 1", [undone]],
  ];

for (const mode of modes) {
  test(`every rule is silent about what is so, and speaks about what is not (${mode})`, async () => {
    numbers = await fill(mode);
    expect(await brokenNames()).toEqual([]);
    const spoken = new Set<string>();
    for (const [of, change, back, broken] of lies) {
      await set(numbers[of], change);
      expect([of, change, await brokenNames()]).toEqual([of, change, broken]);
      await set(numbers[of], back);
      for (const name of broken) spoken.add(name);
    }
    const { rows } = await programme.db.pool.query<{ network_reference: string }>(
      "UPDATE network_message SET consume_no = 'O0' WHERE consume_no = $1 AND kind = 'refund' RETURNING network_reference",
      [numbers.refund],
    );
    expect(rows).toHaveLength(1);
    expect(await brokenNames()).toEqual([named]);
    await programme.db.pool.query("UPDATE network_message SET consume_no = $1 WHERE consume_no = 'O0'", [
      numbers.refund,
    ]);
    spoken.add(named);
    expect(spoken).toEqual(new Set(clearingRules.map(({ name }) => name)));
    expect(await brokenNames()).toEqual([]);
  });
}
