import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { AuthorizationAnswer } from "../../apps/server/src/authorization/index.ts";
import {
  answerYes,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
  reversalOf,
} from "../support/programme.ts";
import { modes, mustBeClean, reversed } from "./books.ts";

/** The network may send an authorization again at any time, and gets the answer that it got first. */
let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  programme.ask = async () => answerYes;
  await mustBeClean(programme);
});

afterAll(() => programme.close());

type Happening = (card: ReadyCard, originalReference: string) => Promise<unknown>;

const clears =
  (amount: string, changed: Parameters<typeof presentmentWith>[2] = {}): Happening =>
  (card, originalReference) =>
    programme.clearing.clear(presentmentWith(card, amount, { originalReference, ...changed }));
const reverses =
  (amount: string | null = null): Happening =>
  (card, originalReference) =>
    reversed(programme, reversalOf(card, originalReference, { amount }));
const expires: Happening = async () => {
  programme.clock.advance(8 * dayMs);
  while ((await programme.clearing.releaseExpired()) > 0);
};

const histories: readonly (readonly [name: string, happenings: readonly Happening[]])[] = [
  ["cleared for less", [clears("60.00")]],
  ["cleared exactly", [clears("100.00")]],
  ["cleared for more", [clears("130.00")]],
  ["cleared in parts", [clears("20.00", { final: false }), clears("30.00")]],
  ["reversed", [reverses()]],
  ["reversed in part, twice", [reverses("40.00"), reverses("5.00")]],
  ["reversed in part and cleared for more", [reverses("40.00"), clears("80.00")]],
  ["reversed and cleared all the same", [reverses(), clears("70.00")]],
  ["partly cleared and reversed", [clears("20.00", { final: false }), reverses()]],
  ["partly cleared and expired", [clears("20.00", { final: false }), expires]],
  ["expired and cleared late", [expires, clears("70.00")]],
  ["cleared and refunded", [clears("100.00"), clears("40.00", { kind: "refund" })]],
  ["cleared and reversed", [clears("90.00"), reverses()]],
];

async function repeatAfter(
  card: ReadyCard,
  happenings: readonly Happening[],
): Promise<readonly [first: AuthorizationAnswer, again: AuthorizationAnswer]> {
  const request = purchaseWith(card, "100.00", { partialAllowed: true });
  const first = await programme.authorization.authorize(request);
  for (const happens of happenings) await happens(card, request.networkReference);
  return [first, await programme.authorization.authorize(request)];
}

for (const mode of modes) {
  test.each(histories)(
    `a purchase that was %s is still answered as it was approved (${mode})`,
    async (_, happenings) => {
      const card = await programme.issueCard({ mode });
      const [first, again] = await repeatAfter(card, happenings);
      expect(first).toMatchObject({ approved: true, partialAmount: null });
      expect(again).toEqual({ ...first, repeat: true });
    },
  );
}

test.each(histories)(
  "a purchase of which a part was approved, that was %s, is still answered with that part",
  async (_, happenings) => {
    const card = await programme.issueCard({ mode: "AUTHORIZATION" });
    programme.ask = async () => ({ kind: "approved", approvedAmount: "75.00" });
    const [first, again] = await repeatAfter(card, happenings);
    expect(first).toMatchObject({ approved: true, partialAmount: 7_500n });
    expect(again).toEqual({ ...first, repeat: true });
  },
);

test("a repeat that asks for what was cleared, and not for what was approved, is a duplicate", async () => {
  const card = await programme.issueCard();
  const request = purchaseWith(card, "100.00");
  await programme.authorization.authorize(request);
  await clears("60.00")(card, request.networkReference);
  expect(await programme.authorization.authorize({ ...request, amount: 6_000n })).toMatchObject({
    approved: false,
    reason: "duplicate",
  });
});

test.each(["purchase", "refund"] as const)(
  "a %s whose reversals came first is declined, also when it comes again, and so is nothing else",
  async (kind) => {
    const card = await programme.issueCard();
    const request = purchaseWith(card, "10.00", { kind });
    for (const amount of ["4.00", "6.00"]) {
      expect(await reverses(amount)(card, request.networkReference)).toMatchObject({ effect: "stored" });
    }
    // In one batch of decisions.
    const [first, other] = await Promise.all([
      programme.authorization.authorize(request),
      programme.authorization.authorize(purchaseWith(card, "20.00")),
    ]);
    expect(first).toMatchObject({ approved: false, reason: "duplicate", repeat: false });
    expect(other).toMatchObject({ approved: true });
    expect(await programme.authorization.authorize(request)).toEqual({ ...first, repeat: true });
  },
);

test("a refund that was authorized and withdrawn is still answered as it was approved", async () => {
  const card = await programme.issueCard();
  const request = purchaseWith(card, "10.00", { kind: "refund" });
  const first = await programme.authorization.authorize(request);
  await reverses()(card, request.networkReference);
  expect(first).toMatchObject({ approved: true });
  expect(await programme.authorization.authorize(request)).toEqual({ ...first, repeat: true });
});
