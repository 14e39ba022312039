import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./http.ts";
import type { RunningMerchant, Sandbox } from "./sandbox.ts";

/** One step of the story, as it is printed: who called whom, what was answered, how long it took. */
export interface Step {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly answer: string;
  readonly milliseconds: number;
}

/** One purchase at a shop's terminal and what became of it. */
export interface Purchase {
  readonly approved: boolean;
  readonly reason: string;
  readonly responseCode: string;
  readonly consumeNo: string;
  readonly amount: string;
  /** From the terminal's question to its answer, over HTTP. */
  readonly milliseconds: number;
}

/** What one mode's part of the story showed. */
export interface Chapter {
  readonly merchantNo: string;
  readonly cardholderNo: string;
  readonly cardNo: string;
  readonly purchase: Purchase;
  readonly declined: Purchase;
}

/** Callbacks of both merchants, questions and pushes. */
export interface CallbackFacts {
  readonly expected: number;
  readonly received: number;
  readonly verified: number;
  readonly refused: number;
  readonly complete: boolean;
}

const shop = { name: "Corner Bookshop", mcc: "5942", city: "Lisbon", country: "PT" };
const affordable = "25.00";
const tooMuch = "500.00";
const opening = "200.00";

interface MerchantState {
  readonly cards: readonly { readonly card_no: string; readonly status: string }[];
  readonly bookings: readonly { readonly consume_no: string; readonly status: string; readonly remark: string }[];
  readonly callbacks: { readonly received: number; readonly verified: number; readonly refused: number };
}

const stateOf = async (merchant: RunningMerchant): Promise<MerchantState> =>
  (await call<MerchantState>({ url: `${merchant.server.url}/state` })).body;

/** Signs a user up, opens a card, buys something affordable and something that is not. */
async function playChapter(sandbox: Sandbox, merchant: RunningMerchant, tell: (step: Step) => void): Promise<Chapter> {
  const { account, server } = merchant;
  const user = await call<{ id: string; cardholder_no: string }>({
    url: `${server.url}/users`,
    body: { name: "Jane Miller", email: "jane@example.com", balance: opening },
  });
  tell({
    from: account.name,
    to: "Open API",
    what:
      account.mode === "CREDIT_EXTENSION"
        ? `cardholder/apply, then account/transfer In ${opening}`
        : "cardholder/apply",
    answer: `cardholder ${user.body.cardholder_no} Approved`,
    milliseconds: user.milliseconds,
  });
  const card = await call<{ card_no: string; card_last_no: string; status: string }>({
    url: `${server.url}/users/${user.body.id}/cards`,
    body: { type: "Virtual" },
  });
  tell({
    from: account.name,
    to: "Open API",
    what: "card/apply Virtual",
    answer: `card ${card.body.card_no} …${card.body.card_last_no} ${card.body.status}`,
    milliseconds: card.milliseconds,
  });
  const buy = (amount: string) => purchase(sandbox, { merchant, cardNo: card.body.card_no, amount, tell });
  return {
    merchantNo: account.merchantNo,
    cardholderNo: user.body.cardholder_no,
    cardNo: card.body.card_no,
    purchase: await buy(affordable),
    declined: await buy(tooMuch),
  };
}

async function purchase(
  sandbox: Sandbox,
  options: {
    readonly merchant: RunningMerchant;
    readonly cardNo: string;
    readonly amount: string;
    readonly tell: (step: Step) => void;
  },
): Promise<Purchase> {
  const { merchant, cardNo, amount, tell } = options;
  const { account } = merchant;
  const asked = account.mode === "AUTHORIZATION";
  const { body } = await call<{
    approved: boolean;
    reason: string;
    response_code: string;
    consume_no: string | null;
    terminal_ms: number;
  }>({
    url: `${sandbox.platform.urls.api}/sandbox/v1/purchases`,
    headers: { "Api-Key": account.apiKey },
    body: { card_no: cardNo, amount, currency: "USD", merchant: shop },
  });
  tell({
    from: `${shop.name}'s terminal`,
    to: asked ? `card network → hold → Auth question to ${account.name}` : "card network → credit and reserve",
    what: `purchase of ${amount} USD`,
    answer: body.approved ? `approved (${body.response_code})` : `declined: ${body.reason} (${body.response_code})`,
    milliseconds: body.terminal_ms,
  });
  return {
    approved: body.approved,
    reason: body.reason,
    responseCode: body.response_code,
    consumeNo: body.consume_no ?? "",
    amount,
    milliseconds: body.terminal_ms,
  };
}

/** The card's activation, the approved purchase and the declined one. */
const pushesOfChapter = 3;
const callbackWaitsMax = 100;
const callbackWaitMs = 50;

type CallbackCounts = MerchantState["callbacks"];

/** What all of these merchants have received in their lives; a merchant that is found again has earlier stories in its books. */
async function callbackCounts(merchants: readonly RunningMerchant[]): Promise<CallbackCounts> {
  const states = await Promise.all(merchants.map(stateOf));
  const sum = (pick: (callbacks: CallbackCounts) => number) =>
    states.reduce((total, { callbacks }) => total + pick(callbacks), 0);
  return {
    received: sum(({ received }) => received),
    verified: sum(({ verified }) => verified),
    refused: sum(({ refused }) => refused),
  };
}

/**
 * Waits until both merchants have everything that they must be told of this story: the card's activation, the approved purchase
 * and the declined one. Complete when all of it is booked and nothing since `before` was refused for its signature.
 */
async function awaitCallbacks(
  chapters: readonly { readonly merchant: RunningMerchant; readonly chapter: Chapter }[],
  before: CallbackCounts,
): Promise<CallbackFacts> {
  const pushes = chapters.length * pushesOfChapter;
  // Both purchases of an authorization-mode merchant were put to it.
  const questions = chapters.filter(({ merchant }) => merchant.account.mode === "AUTHORIZATION").length * 2;
  for (let wait = 0; ; wait += 1) {
    const arrived = await Promise.all(
      chapters.map(async ({ merchant, chapter }) => arrivedOf(await stateOf(merchant), chapter)),
    );
    const complete = arrived.reduce((sum, each) => sum + each, 0) === pushes;
    if (complete || wait >= callbackWaitsMax) {
      const now = await callbackCounts(chapters.map(({ merchant }) => merchant));
      const refused = now.refused - before.refused;
      return {
        expected: pushes + questions,
        received: now.received - before.received,
        verified: now.verified - before.verified,
        refused,
        complete: complete && refused === 0,
      };
    }
    await sleep(callbackWaitMs);
  }
}

function arrivedOf(state: MerchantState, chapter: Chapter): number {
  const booked = (purchase: Purchase, status: string) =>
    state.bookings.some((booking) => booking.consume_no === purchase.consumeNo && booking.status === status);
  const facts = [
    state.cards.some((card) => card.card_no === chapter.cardNo && card.status === "Activated"),
    booked(chapter.purchase, "Pending"),
    booked(chapter.declined, "Fail"),
  ];
  return facts.filter(Boolean).length;
}

/** Both purchases approved, both others declined for the right reason, every callback there and verified. */
export interface StoryFacts {
  readonly ok: boolean;
  readonly credit: Chapter;
  readonly authorization: Chapter;
  readonly callbacks: CallbackFacts;
}

/** Whether the story went as it must; a purchase that was declined for another reason than the told one did not. */
export function wentAsTold({ credit, authorization, callbacks }: Omit<StoryFacts, "ok">): boolean {
  return (
    credit.purchase.approved &&
    authorization.purchase.approved &&
    !credit.declined.approved &&
    credit.declined.reason === "insufficient_credit" &&
    !authorization.declined.approved &&
    authorization.declined.reason === "merchant_declined" &&
    callbacks.complete
  );
}

export async function playStory(sandbox: Sandbox, tell: (step: Step) => void): Promise<StoryFacts> {
  const before = await callbackCounts([sandbox.credit, sandbox.authorization]);
  const credit = await playChapter(sandbox, sandbox.credit, tell);
  const authorization = await playChapter(sandbox, sandbox.authorization, tell);
  const callbacks = await awaitCallbacks(
    [
      { merchant: sandbox.credit, chapter: credit },
      { merchant: sandbox.authorization, chapter: authorization },
    ],
    before,
  );
  tell({
    from: "Cardwright",
    to: "both merchants",
    what: `${callbacks.expected} signed callbacks`,
    answer: callbacks.complete ? "all arrived, all signatures verified" : "not all arrived or verified",
    milliseconds: 0,
  });
  const facts = { credit, authorization, callbacks };
  return { ok: wentAsTold(facts), ...facts };
}
