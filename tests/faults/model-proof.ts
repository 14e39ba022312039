import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";
import { formatAmount } from "@cardwright/money";
import {
  type Authorization,
  type AuthorizationAnswer,
  type AuthorizationRequest,
  type MerchantAnswer,
} from "../../apps/server/src/authorization/index.ts";
import type { Clearing } from "../../apps/server/src/clearing/index.ts";
import { createDatabaseOn } from "../support/database.ts";
import {
  createModel,
  type MerchantBehaviour,
  type Model,
  type ModelPot,
  type ModelPurchase,
  type ModelTerms,
  type ModelVerdict,
} from "../support/model.ts";
import {
  answerNo,
  answerYes,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { createChecks } from "./checks.ts";
import { someWaitMs, utcOffsetMinutes } from "./model-time.ts";
import type { ProofOptions, ProofReport } from "./proof.ts";
import { type Choices, createChoices } from "./random.ts";

export interface ModelProofOptions extends ProofOptions {
  readonly merchants: number;
  /** Stops after so many; a shorter run of the same seed is the beginning of the longer one. */
  readonly steps: number;
}

const limits = { purchase: 30_000, week: 80_000, atmDay: 25_000, atmMonth: 40_000 };
const reserveAtStart = 120_000;
const cardsMax = 3;
/** Short, so that cards run out during the history. */
const validMonths = 3;
const sweepsMax = 10_000;
/** The last steps of a merchant that are told when it differs from its model. */
const historyTold = 12;

/** A merchant on the real rooms beside its model. Its steps go one after another, those of different merchants at once. */
interface Actor {
  readonly name: string;
  readonly choices: Choices;
  readonly model: Model;
  readonly mode: ModelTerms["mode"];
  /** In the model's order; when fewer than two of them are good any more, a new one comes. */
  readonly cards: ReadyCard[];
  readonly decided: { readonly request: AuthorizationRequest; readonly answer: AuthorizationAnswer }[];
  readonly history: string[];
  readonly standsIn: boolean;
  behaviour: MerchantBehaviour;
  serial: number;
}

interface Stage {
  readonly programme: Programme;
  readonly engines: readonly [Authorization, Authorization];
  /** Of two workers. */
  readonly sweeps: readonly [Clearing, Clearing];
  readonly actors: readonly Actor[];
  readonly counts: Map<string, number>;
  steps: number;
}

/** Thrown at the first difference: what comes after it would only repeat it. */
class Differs extends Error {
  override readonly name = "Differs";
}

/**
 * Random operations of many merchants and cards in both modes, played on the real rooms in two engines and on the model: every
 * verdict and, after every round, every balance must be the model's. Merchants act at the same time; bursts of purchases by one
 * card are sent without waiting and must be decided in their order.
 */
export async function proveModel(options: ModelProofOptions): Promise<ProofReport> {
  const { seed, signal, say } = options;
  const checks = createChecks();
  const programme = await openProgramme({ db: await createDatabaseOn(options.server) });
  const counts = new Map<string, number>();
  const violations: string[] = [];
  let steps = 0;
  try {
    const stage = await setStage(programme, { ...options, counts });
    const time = createChoices({ seed, stream: 1_000_000 });
    while (stage.steps < options.steps && !signal.aborted) {
      await playRound(stage, checks);
      steps = stage.steps;
      if (time.percent(40)) await moveTime(stage, { time, checks });
      await comparePots(stage, checks);
      say(`model: ${stage.steps} of ${options.steps} steps, ${new Date(programme.clock.now()).toISOString()}`);
    }
    await lookBack(stage, checks);
    if (signal.aborted) violations.push("ended early");
  } catch (error) {
    if (!(error instanceof Differs)) throw error;
    violations.push(`${error.message}\nplay it again with: model --seed ${seed} --steps ${steps + 1}`);
  } finally {
    await programme.close();
  }
  violations.push(...checks.violations);
  const numbers = { merchants: options.merchants, steps, checks: checks.count, ...Object.fromEntries(counts) };
  return { proof: "model", ok: violations.length === 0, seed, numbers, violations };
}

const text = (cents: number) => formatAmount(BigInt(cents), 2);
const count = (stage: Stage, what: string): void => void stage.counts.set(what, (stage.counts.get(what) ?? 0) + 1);

async function setStage(
  programme: Programme,
  options: Pick<ModelProofOptions, "merchants" | "seed"> & { readonly counts: Map<string, number> },
): Promise<Stage> {
  const actors: Actor[] = [];
  const behaviours = new Map<number, Actor>();
  const ask = async ({ merchantId }: { readonly merchantId: number }): Promise<MerchantAnswer> => {
    // The order in which answers come must not matter.
    await sleep(Math.random() * 3);
    return answerOf(behaviours.get(merchantId)?.behaviour ?? "yes");
  };
  for (let place = 0; place < options.merchants; place += 1) {
    const actor = await enrol(programme, { place, choices: createChoices({ seed: options.seed, stream: place }) });
    actors.push(actor);
    for (const { merchantId } of actor.cards.slice(0, 1)) behaviours.set(merchantId, actor);
  }
  return {
    programme,
    engines: [programme.another({ ask }), programme.another({ ask })],
    sweeps: [programme.clearing, programme.clearing],
    actors,
    counts: options.counts,
    steps: 0,
  };
}

function answerOf(behaviour: MerchantBehaviour): MerchantAnswer {
  if (behaviour === "yes") return answerYes;
  if (behaviour === "no") return answerNo;
  if (behaviour === "silence") return { kind: "timeout" };
  return { kind: "approved", approvedAmount: text(behaviour.partial) };
}

async function enrol(
  programme: Programme,
  { place, choices }: { readonly place: number; readonly choices: Choices },
): Promise<Actor> {
  const mode = place % 2 === 0 ? "CREDIT_EXTENSION" : "AUTHORIZATION";
  const first = await programme.issueCard({
    mode,
    credit: "0.00",
    validMonths,
    reserve: text(reserveAtStart),
    limits: {
      limit_balance: text(limits.purchase),
      limit_week_balance: text(limits.week),
      limit_atm_day_balance: text(limits.atmDay),
      limit_atm_month_balance: text(limits.atmMonth),
    },
  });
  // Every second merchant of the mode that is asked lets the platform stand in for it.
  const standIn = place % 4 === 1 ? { purchase: 12_000, cardDay: 15_000, day: 20_000 } : null;
  if (standIn !== null) await allowStandIn(programme, first, standIn);
  const model = createModel({ mode, limits, reserve: reserveAtStart, standIn });
  const cards = [first];
  for (let more = choices.whole(0, cardsMax - 1); more > 0; more -= 1) cards.push(await programme.anotherCard(first));
  for (const card of cards) model.addCard({ expiresAt: endOf(card) });
  return {
    name: `merchant ${place} (${mode})`,
    choices,
    model,
    mode,
    cards,
    decided: [],
    history: [],
    standsIn: standIn !== null,
    behaviour: "yes",
    serial: 0,
  };
}

async function allowStandIn(
  programme: Programme,
  { merchantId }: ReadyCard,
  amounts: NonNullable<ModelTerms["standIn"]>,
): Promise<void> {
  await programme.db.ownerPool.query(
    `UPDATE merchant SET failure_policy = 'stand_in', stand_in_purchase_max = $2, stand_in_card_day_max = $3, stand_in_day_max = $4
     WHERE merchant_id = $1`,
    [merchantId, amounts.purchase, amounts.cardDay, amounts.day],
  );
}

/** A card is good to the end of its last month in its own time zone. */
const endOf = ({ printed }: ReadyCard): number =>
  Date.UTC(printed.expiry.year, printed.expiry.month, 1) - utcOffsetMinutes * 60_000;

async function playRound(stage: Stage, checks: Checks): Promise<void> {
  const played = await Promise.allSettled(stage.actors.map((actor) => act(stage, actor, checks)));
  for (const each of played) {
    if (each.status === "rejected") throw each.reason;
  }
}

type Checks = ReturnType<typeof createChecks>;

/** What an actor does in one round. */
async function act(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const { choices } = actor;
  await keepCards(stage, actor);
  const kind = choices.whole(1, 100);
  if (kind <= 15) return burst(stage, actor, checks);
  if (kind <= 65) return buyOnce(stage, actor, checks);
  if (kind <= 72) return repeat(stage, actor, checks);
  if (kind <= 75) return altered(stage, actor, checks);
  if (kind <= 91) return moveMoney(stage, actor, checks);
  return changeStatus(stage, actor, checks);
}

function compare(
  stage: Stage,
  actor: Actor,
  step: { readonly checks: Checks; readonly what: string; readonly found: unknown; readonly wanted: unknown },
): void {
  const { checks, what, found, wanted } = step;
  stage.steps += 1;
  actor.history.push(what);
  checks.same(what, { found, wanted });
  if (!isDeepStrictEqual(found, wanted)) {
    throw new Differs(
      `${actor.name} after:\n${actor.history
        .slice(-historyTold)
        .map((line) => `  ${line}`)
        .join("\n")}`,
    );
  }
}

/** Cents, with the small and round ones often, because rounding and exact exhaustion hide there. */
function someAmount(choices: Choices): number {
  const kind = choices.whole(1, 10);
  if (kind <= 2) return choices.whole(0, 60);
  return kind <= 4 ? 10_000 : choices.whole(1, 33_000);
}

function somePurchase(actor: Actor, card: number): ModelPurchase {
  const { choices } = actor;
  const amount = someAmount(choices);
  const less = choices.whole(1, Math.max(1, amount));
  const partial = choices.of([less, less, less, amount, amount + 1, 0]);
  return {
    card,
    amount,
    atm: choices.percent(35),
    // A merchant for which the platform may stand in gives it more than enough occasion.
    answer:
      actor.standsIn && choices.percent(60)
        ? "silence"
        : choices.of<MerchantBehaviour>(["yes", "no", "silence", { partial }]),
    partialAllowed: choices.percent(70),
    wrongCvv: choices.percent(3),
  };
}

function requestOf(actor: Actor, purchase: ModelPurchase): AuthorizationRequest {
  const card = cardOf(actor, purchase.card);
  const wrong = String((Number(card.printed.cvv) + 1) % 1_000).padStart(3, "0");
  return purchaseWith(card, text(purchase.amount), {
    kind: purchase.atm ? "atm" : "purchase",
    partialAllowed: purchase.partialAllowed,
    ...(purchase.wrongCvv && { cvv: wrong }),
  });
}

function cardOf(actor: Actor, place: number): ReadyCard {
  const card = actor.cards[place];
  if (card === undefined) throw new Error(`${actor.name} has no card ${place}`);
  return card;
}

function verdictOf(answer: AuthorizationAnswer): ModelVerdict {
  return answer.approved
    ? { approved: true, partial: answer.partialAmount === null ? null : Number(answer.partialAmount) }
    : { approved: false, reason: answer.reason };
}

const engineOf = ({ engines }: Stage, { choices }: Actor): Authorization => choices.of(engines);
/** Mostly one that is in use; now and then any, frozen or deleted. */
function someCard({ choices, cards, model }: Actor): number {
  const any = choices.whole(0, cards.length - 1);
  const [first, ...others] = cards.flatMap((_, place) => (model.statusOf(place) === "Activated" ? [place] : []));
  return first === undefined || choices.percent(12) ? any : choices.of([first, ...others]);
}

async function buyOnce(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  await decideAll(stage, actor, { checks, purchases: [somePurchase(actor, someCard(actor))] });
}

/**
 * Purchases by one card, all sent before the first is answered. In authorization mode all of them are answered with yes: a refusal
 * gives its hold back at a moment that depends on the merchant's speed, so it would be no longer one right outcome.
 */
async function burst(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const card = someCard(actor);
  const purchases = Array.from({ length: actor.choices.whole(2, 8) }, () => {
    const purchase = somePurchase(actor, card);
    return actor.mode === "AUTHORIZATION" ? ({ ...purchase, answer: "yes" } as const) : purchase;
  });
  // What is known of the card is read before, so that the rest reach the decision in the order they were sent in.
  const first = { ...somePurchase(actor, card), amount: 0, wrongCvv: false };
  const engine = engineOf(stage, actor);
  await decideAll(stage, actor, { checks, purchases: [first], engine });
  await decideAll(stage, actor, { checks, purchases, engine });
}

async function decideAll(
  stage: Stage,
  actor: Actor,
  work: {
    readonly checks: Checks;
    readonly purchases: readonly ModelPurchase[];
    readonly engine?: Authorization;
  },
): Promise<void> {
  const engine = work.engine ?? engineOf(stage, actor);
  const now = stage.programme.clock.now();
  actor.behaviour = work.purchases[0]?.answer ?? "yes";
  const requests = work.purchases.map((purchase) => requestOf(actor, purchase));
  const underWay: Promise<AuthorizationAnswer>[] = [];
  for (const request of requests) {
    underWay.push(engine.authorize(request));
    // Some of a burst find the ones before them waiting for a batch, the others find them in one that is under way.
    if (actor.choices.percent(50)) await setImmediate();
  }
  const answers = await Promise.all(underWay);
  for (const [place, purchase] of work.purchases.entries()) {
    const [request, answer] = [requests[place], answers[place]];
    if (request === undefined || answer === undefined) throw new Error("a purchase has no answer");
    actor.decided.push({ request, answer });
    const wanted = actor.model.buy(purchase, now);
    count(stage, wanted.approved ? (wanted.partial === null ? "approved" : "approved in part") : wanted.reason);
    compare(stage, actor, {
      checks: work.checks,
      what: `buy ${inspect(purchase, { breakLength: Number.POSITIVE_INFINITY })} at ${now}`,
      found: verdictOf(answer),
      wanted,
    });
  }
}

/** Any earlier message comes again, in whichever process: it gets the answer it got then and moves nothing. */
async function repeat(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const known = actor.decided[actor.choices.whole(0, Math.max(0, actor.decided.length - 1))];
  if (known === undefined) return;
  count(stage, "repeated");
  const what = `repeat ${known.request.networkReference}`;
  const found = await engineOf(stage, actor).authorize(known.request);
  compare(stage, actor, { checks, what, found, wanted: { ...known.answer, repeat: true } });
}

/** An earlier reference comes with another amount: that is no repeat, and it is declined. */
async function altered(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const known = actor.decided[actor.choices.whole(0, Math.max(0, actor.decided.length - 1))];
  if (known === undefined) return;
  count(stage, "duplicate");
  const request = { ...known.request, amount: known.request.amount + 1n };
  const { approved, ...answer } = await engineOf(stage, actor).authorize(request);
  const found = { approved, reason: "reason" in answer ? answer.reason : "" };
  const what = `alter ${known.request.networkReference}`;
  compare(stage, actor, { checks, what, found, wanted: { approved: false, reason: "duplicate" } });
}

async function moveMoney(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const { choices, model } = actor;
  const { merchantId, cardholderNo } = cardOf(actor, 0);
  if (actor.mode === "AUTHORIZATION" || choices.percent(20)) {
    const amount = choices.whole(1, 20_000);
    count(stage, "recharges");
    await stage.programme.recharge(merchantId, text(amount));
    model.recharge(amount);
    compare(stage, actor, { checks, what: `recharge ${amount}`, found: null, wanted: null });
    return;
  }
  const type = choices.of(["In", "In", "In", "Out"]);
  const amount = choices.whole(1, type === "In" ? 150_000 : 60_000);
  actor.serial += 1;
  count(stage, "transfers");
  const request = { merchantId, cardholderNo, transferUniqueNo: `step-${actor.serial}`, type };
  const moved = await stage.programme.credit.transfer({ ...request, amount: BigInt(amount) });
  const wanted = model.transfer(type, amount);
  compare(stage, actor, { checks, what: `transfer ${type} ${amount}`, found: moved.ok, wanted });
}

async function changeStatus(stage: Stage, actor: Actor, checks: Checks): Promise<void> {
  const { choices, model } = actor;
  const place = someCard(actor);
  const to =
    model.statusOf(place) === "Activated"
      ? choices.of(["Frozen", "Activated", "Activated", "Delete"])
      : choices.of(["Activated", "Activated", "Activated", "Activated", "Frozen", "Delete"]);
  count(stage, "status changes");
  const changed = await stage.programme.cards.requestStatus({ ...cardOf(actor, place), to });
  const wanted = model.setStatus(place, to);
  compare(stage, actor, { checks, what: `card ${place} to ${to}`, found: changed.ok, wanted });
}

/** Fewer than two cards that are neither deleted nor run out: the cardholder gets one more. */
async function keepCards(stage: Stage, actor: Actor): Promise<void> {
  const { cards, model } = actor;
  const now = stage.programme.clock.now();
  const usable = cards.filter((card, place) => model.statusOf(place) !== "Delete" && endOf(card) > now);
  if (usable.length < 2) {
    const card = await stage.programme.anotherCard(cardOf(actor, 0));
    cards.push(card);
    model.addCard({ expiresAt: endOf(card) });
    count(stage, "new cards");
  }
}

/** Moves the clock, often to the very edge of a period or of a hold, and lets two workers at once release what has run out. */
async function moveTime(
  stage: Stage,
  { time, checks }: { readonly time: Choices; readonly checks: Checks },
): Promise<void> {
  const { programme, actors } = stage;
  const nextHold = Math.min(...actors.map(({ model }) => model.nextRelease() ?? Number.POSITIVE_INFINITY));
  programme.clock.advance(someWaitMs(time, { now: programme.clock.now(), nextHold }));
  const now = programme.clock.now();
  count(stage, "time moves");
  const wanted = actors.reduce((sum, { model }) => sum + model.release(now), 0);
  let found = 0;
  for (let sweep = 0; sweep < sweepsMax; sweep += 1) {
    const released = await Promise.all(stage.sweeps.map((each) => each.releaseExpired()));
    const sum = released.reduce((total, each) => total + each, 0);
    found += sum;
    if (sum === 0) break;
  }
  checks.same(`holds released at ${now}`, { found, wanted });
  if (found !== wanted) throw new Differs(`holds released at ${now}: found ${found}, wanted ${wanted}`);
  stage.counts.set("holds expired", (stage.counts.get("holds expired") ?? 0) + found);
}

async function comparePots({ programme, actors }: Stage, checks: Checks): Promise<void> {
  const shown = (pot: ModelPot) => pot.map(text);
  await Promise.all(
    actors.map(async (actor) => {
      const found = await programme.pots(cardOf(actor, 0));
      const pots = actor.model.pots();
      const wanted = { credit: shown(pots.credit), reserve: shown(pots.reserve) };
      checks.same(`the balances of ${actor.name}`, { found, wanted });
      if (!isDeepStrictEqual(found, wanted)) {
        throw new Differs(`${actor.name} has other balances after:\n${actor.history.slice(-historyTold).join("\n")}`);
      }
    }),
  );
}

/** What must be true of the whole history. */
async function lookBack({ programme, actors }: Stage, checks: Checks): Promise<void> {
  for (const card of actors.flatMap((actor) => actor.cards)) {
    const found = (await programme.pushes(card)).map(({ sequence }) => sequence);
    checks.same(`the pushes about card ${card.cardNo} are numbered from 1 without gaps`, {
      found,
      wanted: found.map((_, place) => place + 1),
    });
  }
  const { ok, broken } = await programme.verify();
  checks.same("the ledger is whole", { found: { ok, broken }, wanted: { ok: true, broken: [] } });
  checks.same("nothing failed on our side", {
    found: [programme.errors, programme.batchFailures],
    wanted: [[], []],
  });
}
