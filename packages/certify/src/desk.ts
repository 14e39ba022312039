import { setTimeout as sleep } from "node:timers/promises";
import { toJsonNumber } from "@cardwright/money";
import { limits } from "./limits.ts";
import type { Settings } from "./options.ts";
import { authText, consumptionText, type News, type Purchase, type Related, type Shop } from "./purchase.ts";
import { digestOf, type Random, randomOf } from "./random.ts";
import { type Answer, approvedAmount, isYes, meaningOf } from "./wire/answer.ts";
import type { Line, Wire } from "./wire/client.ts";
import { type Action, type Envelope, type Message, type Seal, sealed } from "./wire/message.ts";

/** What all checks of a run share. */
export interface Run {
  readonly settings: Settings;
  readonly wire: Wire;
  /** Of this run alone: a merchant must take a number that comes again for a repeat, also a day later. */
  readonly tag: string;
  /** `time` of the last change that was told, Unix ms: later news never has an earlier time. */
  lastTimeMs: number;
}

export interface Place {
  readonly signal: AbortSignal;
  /** What the purchases, ids and amounts of the desk follow from. */
  readonly label: string;
}

export type PurchaseOver = Partial<
  Pick<Purchase, "amount" | "localAmount" | "localCurrency" | "isProbe"> & { readonly shop: Partial<Shop> }
>;

/** Where the platform's side of one check works: it signs, sends, and remembers what it has opened on the card. */
export interface Desk {
  readonly run: Run;
  /** Ends what is under way when the check's time is up. */
  signal(): AbortSignal;
  /** Goes on under another one. */
  goOnUnder(signal: AbortSignal): void;
  readonly random: Random;
  /** A purchase with a number of its own, 1.00 to 4.75 unless told. */
  purchase(over?: PurchaseOver): Purchase;
  /** Strictly later than any before. */
  time(): number;
  auth(purchase: Purchase, more?: Readonly<Record<string, unknown>>): Message;
  consumption(purchase: Purchase, news: News, more?: Readonly<Record<string, unknown>>): Message;
  /** A refund, or a reversal that tells what was given back. */
  related(purchase: Purchase, what: Omit<Related, "consumeNo">): Message;
  message(action: Action | (string & {}), data: Readonly<Record<string, unknown>>): Message;
  seal(over?: Partial<Seal>): Seal;
  post(envelope: Envelope): Promise<Answer>;
  /** Signs and sends. */
  send(message: Message): Promise<Answer>;
  /** Sends an `Auth` about the purchase. */
  ask(purchase: Purchase): Promise<Answer>;
  /** Sends a `Consumption` about the purchase. */
  tell(purchase: Purchase, news: News): Promise<Answer>;
  /** Sends a `Refund` that is booked. */
  refund(purchase: Purchase, amount: bigint): Promise<Answer>;
  /** True once a refund was sent from here. */
  hasRefunded(): boolean;
  /** Sends a `Reversal` that tells what was given back of the purchase. */
  reversal(purchase: Purchase, amount: bigint): Promise<Answer>;
  /** Notes that the merchant may have said yes to a question that was sent in another way. */
  note(purchase: Purchase, answer: Answer | null): void;
  /** The same for news. */
  noteNews(purchase: Purchase, news: News & { readonly answer: Answer }): void;
  /** Takes over purchases of another desk, to be given back with its own. */
  adopt(purchases: readonly Purchase[]): void;
  line(): Line;
  wait(ms: number): Promise<void>;
  /** Everything opened here that may still weigh on the card; `all`: also what the merchant should have let go by itself. */
  open(scope: "known" | "all"): readonly Purchase[];
}

interface State {
  readonly run: Run;
  readonly label: string;
  signal: AbortSignal;
  readonly random: Random;
  readonly purchases: Purchase[];
  serial: number;
  hasRefunded: boolean;
}

const shops: readonly Shop[] = [
  { country: "US", merchant_mcc: "5411", city: "New York", merchant_name: "CORNER GROCERY" },
  { country: "GB", merchant_mcc: "5812", city: "London", merchant_name: "THE OLD KITCHEN" },
  { country: "SG", merchant_mcc: "4111", city: "Singapore", merchant_name: "CITY TRANSIT" },
  { country: "DE", merchant_mcc: "5732", city: "Berlin", merchant_name: "ELEKTRO MARKT" },
];

export function openDesk(run: Run, place: Place): Desk {
  const random = randomOf(run.settings.seed, place.label);
  const state: State = { run, ...place, random, purchases: [], serial: 0, hasRefunded: false };
  const send = (message: Message): Promise<Answer> => post(state, sealed(message, sealOf(run, {})), waitOf(message));
  return {
    run,
    random,
    signal: () => state.signal,
    goOnUnder: (signal) => {
      state.signal = signal;
    },
    purchase: (over = {}) => newPurchase(state, over),
    time: () => nextTime(run),
    auth: (purchase, more = {}) => authMessage(state, purchase, more),
    consumption: (purchase, news, more = {}) => consumptionMessage(state, purchase, news, more),
    related: (purchase, what) => relatedMessage(state, purchase, what),
    message: (action, data) => ({ id: pushId(state), action, dataText: JSON.stringify(data) }),
    seal: (over = {}) => sealOf(run, over),
    post: (envelope) => post(state, envelope, limits.pushMs),
    send,
    ask: async (purchase) => {
      const heldBefore = purchase.mayHold;
      // Also when the check ends before the answer is here.
      purchase.mayHold = true;
      const answer = await send(authMessage(state, purchase, {}));
      purchase.mayHold = heldBefore || meaningOf(answer) !== "no";
      return answer;
    },
    tell: async (purchase, news) => {
      const answer = await send(consumptionMessage(state, purchase, news, {}));
      noteNews(purchase, { ...news, answer });
      return answer;
    },
    hasRefunded: () => state.hasRefunded,
    refund: async (purchase, amount) => {
      state.hasRefunded = true;
      const answer = await send(relatedMessage(state, purchase, { type: "Refund", amount }));
      purchase.cleared -= meaningOf(answer) === "no" ? 0n : amount;
      return answer;
    },
    reversal: async (purchase, amount) => {
      const answer = await send(relatedMessage(state, purchase, { type: "Reversal", amount }));
      // Of a purchase that was not cleared it says only what the purchase's own news says as well.
      purchase.cleared -= purchase.cleared === 0n ? 0n : amount;
      return answer;
    },
    note: noteAnswer,
    noteNews,
    adopt: (purchases) => void state.purchases.push(...purchases),
    line: () => run.wire.line(),
    wait: (ms) => sleep(ms, undefined, { signal: state.signal }),
    open: (scope) =>
      state.purchases.filter(
        (each) => each.mayHold || each.cleared !== 0n || (scope === "all" && !each.isProbe && !each.wasCleared),
      ),
  };
}

function newPurchase(state: State, over: PurchaseOver): Purchase {
  const { run, random, purchases } = state;
  const { settings } = run;
  // Quarters are exact in floating point too: a merchant that rounds badly fails the checks about that, and no others.
  const amount = over.amount ?? BigInt(random.between(4, 19) * 25);
  const shop = shops[random.between(0, shops.length - 1)] ?? shops[0];
  const purchase: Purchase = {
    consumeNo: orderNumber(state, "O"),
    cardNo: settings.cardNo,
    cardholderNo: settings.cardholderNo,
    amount,
    localAmount: over.localAmount ?? toJsonNumber(amount, 2),
    localCurrency: over.localCurrency ?? settings.currency,
    shop: { country: "", merchant_mcc: "", city: "", merchant_name: "", ...shop, ...over.shop },
    isProbe: over.isProbe ?? false,
    mayHold: false,
    wasCleared: false,
    cleared: 0n,
  };
  purchases.push(purchase);
  return purchase;
}

/** In the form of the platform's own: a letter, the UTC date, then something unique. */
function orderNumber(state: State, kind: "O" | "C"): string {
  state.serial += 1;
  const { run, label } = state;
  const day = new Date(run.settings.now()).toISOString().slice(0, 10).replaceAll("-", "");
  const digest = digestOf(`${run.tag}/${label}/${state.serial}`).toString("hex");
  return `${kind}${day}${digest.slice(0, 16).toUpperCase()}`;
}

/** A UUID version 7 as the platform sends them. */
function pushId(state: State): string {
  state.serial += 1;
  const time = state.run.settings.now().toString(16).padStart(12, "0");
  const hex = digestOf(`${state.run.tag}/${state.label}/push/${state.serial}`).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}

function nextTime(run: Run): number {
  run.lastTimeMs = Math.max(run.settings.now(), run.lastTimeMs + 1);
  return run.lastTimeMs;
}

function authMessage(state: State, purchase: Purchase, more: Readonly<Record<string, unknown>>): Message {
  const dataText = authText(purchase, { timeMs: nextTime(state.run), more });
  return { id: pushId(state), action: "Auth", dataText };
}

function consumptionMessage(
  state: State,
  purchase: Purchase,
  news: News,
  more: Readonly<Record<string, unknown>>,
): Message {
  const timeMs = news.timeMs ?? nextTime(state.run);
  return { id: pushId(state), action: "Consumption", dataText: consumptionText(purchase, { ...news, timeMs, more }) };
}

function relatedMessage(state: State, purchase: Purchase, what: Omit<Related, "consumeNo">): Message {
  const related = { ...what, consumeNo: orderNumber(state, "O") };
  const dataText = consumptionText(purchase, { status: "Success", timeMs: nextTime(state.run), related });
  return { id: pushId(state), action: "Consumption", dataText };
}

function sealOf({ settings }: Run, over: Partial<Seal>): Seal {
  const { appId, apiSecret, webhookSecret, now } = settings;
  return { appId, apiSecret, webhookSecret, timestampMs: now(), ...over };
}

function waitOf({ action }: Message): number {
  return action === "Auth" ? limits.questionMs : limits.pushMs;
}

async function post({ run, signal }: State, envelope: Envelope, waitMs: number): Promise<Answer> {
  signal.throwIfAborted();
  const answer = await run.wire.post(envelope, { signal, waitMs });
  // A check whose time is up must not take the broken exchange for the merchant's answer.
  signal.throwIfAborted();
  return answer;
}

function noteAnswer(purchase: Purchase, answer: Answer | null): void {
  if (answer === null || meaningOf(answer) !== "no") {
    purchase.mayHold = true;
  }
}

function noteNews(
  purchase: Purchase,
  { status, answer, amount = purchase.amount }: News & { readonly answer: Answer },
): void {
  // What was refused was not booked, as far as anybody can know: a refund of it would make money.
  if (meaningOf(answer) === "no") {
    return;
  }
  purchase.mayHold = status === "Pending" && purchase.cleared === 0n;
  if (status === "Success") {
    purchase.cleared = amount;
    purchase.wasCleared = true;
  }
}

/** What the merchant now holds for a purchase it was asked about. */
export function heldBy(purchase: Purchase, answer: Answer): bigint {
  return isYes(answer) ? approvedAmount(answer, purchase.amount) : 0n;
}

/** Beyond this many, as after a load, they are given back side by side. */
const oneByOneMax = 40;

/** Tells the merchant that everything which was opened here is over, so that the card ends as it began. */
export async function giveBack(
  desk: Desk,
  { scope, signal }: { readonly scope: "known" | "all"; readonly signal: AbortSignal },
): Promise<void> {
  desk.goOnUnder(signal);
  const waiting = [...desk.open(scope)];
  const lane = async (): Promise<void> => {
    for (let purchase = waiting.shift(); purchase !== undefined; purchase = waiting.shift()) {
      await giveBackOne(desk, purchase);
    }
  };
  const lanes = waiting.length > oneByOneMax ? limits.releaseLanes : 1;
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function giveBackOne(desk: Desk, purchase: Purchase): Promise<void> {
  if (purchase.cleared > 0n) {
    await desk.refund(purchase, purchase.cleared);
  } else if (purchase.cleared === 0n) {
    await desk.tell(purchase, { status: "Fail", remark: "reversed", detail: "Reversed." });
  }
}
