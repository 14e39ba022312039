import { dayMs } from "./programme.ts";

/**
 * What the platform should decide, on a page and in plain numbers (cents): one merchant, its reserve, one cardholder's credit and
 * the cards on it, with the rates of the test programme. Nothing in it knows of batches, locks, rows or several processes.
 */

/** What the merchant's server does when it is asked. A partial answer is an amount in cents. */
export type MerchantBehaviour = "yes" | "no" | "silence" | { readonly partial: number };

export interface ModelPurchase {
  readonly card: number;
  readonly amount: number;
  readonly atm: boolean;
  readonly answer: MerchantBehaviour;
  readonly partialAllowed: boolean;
  readonly wrongCvv: boolean;
}

export type ModelVerdict =
  | { readonly approved: true; readonly partial: number | null }
  | { readonly approved: false; readonly reason: string };

export interface ModelTerms {
  readonly mode: "CREDIT_EXTENSION" | "AUTHORIZATION";
  readonly limits: {
    readonly purchase: number;
    readonly week: number;
    readonly atmDay: number;
    readonly atmMonth: number;
  };
  readonly reserve: number;
  /** What the platform may approve when the merchant does not answer; null: nothing. */
  readonly standIn: { readonly purchase: number; readonly cardDay: number; readonly day: number } | null;
}

export type ModelCardStatus = "Activated" | "Frozen" | "Delete";

/** Available and held, in cents. */
export type ModelPot = readonly [available: number, held: number];

export interface Model {
  /** Unix ms at which it is not good any more. Cards count from 0. */
  addCard(card: { readonly expiresAt: number }): void;
  buy(purchase: ModelPurchase, now: number): ModelVerdict;
  /** Whether the change is allowed; one to the present status is. */
  setStatus(card: number, to: ModelCardStatus): boolean;
  statusOf(card: number): ModelCardStatus;
  transfer(type: "In" | "Out", cents: number): boolean;
  recharge(cents: number): void;
  /** Ends the holds that have run out; answers how many. */
  release(now: number): number;
  /** When the next hold runs out, Unix ms. */
  nextRelease(): number | null;
  pots(): { readonly credit: ModelPot; readonly reserve: ModelPot };
}

const approvalHoldMs = 7 * dayMs;
/** The merchants of the test programme are in UTC+8. */
const utcOffsetMinutes = 480;

/** What was spent in the period that a card, or a merchant, has last been seen in. */
type Counter = readonly [period: string, spent: number];
const nothing: Counter = ["", 0];

/** Day, month and week (by its Monday) on the calendar of the merchants' time zone. */
interface Periods {
  readonly day: string;
  readonly month: string;
  readonly week: string;
}

function periodsAt(now: number): Periods {
  const local = new Date(now + utcOffsetMinutes * 60_000);
  // Sunday is day 0 of a JavaScript week and the last one of ours.
  const monday = new Date(local.getTime() - ((local.getUTCDay() + 6) % 7) * dayMs);
  const day = local.toISOString().slice(0, 10);
  return { day, month: day.slice(0, 7), week: monday.toISOString().slice(0, 10) };
}

interface Card {
  readonly expiresAt: number;
  status: ModelCardStatus;
  week: Counter;
  day: Counter;
  month: Counter;
  standIn: Counter;
}

interface Hold {
  readonly card: Card;
  readonly amount: number;
  readonly atm: boolean;
  readonly credit: number;
  readonly reserve: number;
  readonly periods: Periods;
  readonly until: number;
}

/** Half up, in cents. */
export const percent = (cents: number, rate: number): number => Math.floor((cents * rate + 50) / 100);

const spentIn = ([period, spent]: Counter, present: string): number => (period === present ? spent : 0);

/** What the cardholder pays on top (5 %, ATM 2 % and at least 3.00) and what the reserve bears (1 %, ATM at least 1.00). */
function feesOf({ amount, atm }: { readonly amount: number; readonly atm: boolean }) {
  if (amount === 0) return { cardholder: 0, reserve: 0 };
  return atm
    ? { cardholder: Math.max(percent(amount, 2), 300), reserve: Math.max(percent(amount, 1), 100) }
    : { cardholder: percent(amount, 5), reserve: percent(amount, 1) };
}

const refusal = (reason: string): ModelVerdict => ({ approved: false, reason });

export function createModel(terms: ModelTerms): Model {
  const { mode, limits } = terms;
  let credit: ModelPot = [0, 0];
  let reserve: ModelPot = [terms.reserve, 0];
  let standInOfMerchant = nothing;
  let holds: Hold[] = [];
  const cards: Card[] = [];
  const cardAt = (place: number): Card => {
    const card = cards[place];
    if (card === undefined) throw new Error(`the model has no card ${place}`);
    return card;
  };

  const takes = (part: { readonly amount: number; readonly atm: boolean }) => {
    const fees = feesOf(part);
    return {
      credit: mode === "CREDIT_EXTENSION" ? part.amount + fees.cardholder : 0,
      reserve: part.amount + fees.reserve,
    };
  };

  const refusalOf = (purchase: ModelPurchase, card: Card, now: number): string => {
    const { amount, atm } = purchase;
    const periods = periodsAt(now);
    const needed = takes(purchase);
    if (card.status === "Frozen") return "card_frozen";
    if (card.status !== "Activated") return "card_not_active";
    if (now >= card.expiresAt) return "card_expired";
    if (purchase.wrongCvv) return "cvv_mismatch";
    if (amount > limits.purchase) return "limit_per_purchase";
    if (spentIn(card.week, periods.week) + amount > limits.week) return "limit_week";
    if (atm && spentIn(card.day, periods.day) + amount > limits.atmDay) return "limit_atm_day";
    if (atm && spentIn(card.month, periods.month) + amount > limits.atmMonth) return "limit_atm_month";
    if (credit[0] < needed.credit) return "insufficient_credit";
    return reserve[0] < needed.reserve ? "insufficient_reserve" : "";
  };

  /** The merchant does not answer: whether the platform approves in its stead, which is counted. */
  const standsIn = (amount: number, card: Card, day: string): boolean => {
    const allowed = terms.standIn;
    const [ofCard, ofMerchant] = [spentIn(card.standIn, day) + amount, spentIn(standInOfMerchant, day) + amount];
    if (allowed === null || amount > allowed.purchase || ofCard > allowed.cardDay || ofMerchant > allowed.day) {
      return false;
    }
    card.standIn = [day, ofCard];
    standInOfMerchant = [day, ofMerchant];
    return true;
  };

  /** What the merchant's behaviour makes of a purchase that the platform could approve: the amount approved, or the reason not to. */
  const asked = (purchase: ModelPurchase, card: Card, now: number): number | string => {
    const { answer, amount } = purchase;
    if (mode === "CREDIT_EXTENSION" || amount === 0 || answer === "yes") return amount;
    if (answer === "no") return "merchant_declined";
    const good = answer !== "silence" && answer.partial > 0 && answer.partial <= amount;
    if (good && (purchase.partialAllowed || answer.partial === amount)) return answer.partial;
    if (good) return "merchant_declined";
    const { day } = periodsAt(now);
    if (standsIn(amount, card, day)) return amount;
    return answer === "silence" ? "merchant_timeout" : "merchant_bad_answer";
  };

  const buy = (purchase: ModelPurchase, now: number): ModelVerdict => {
    const card = cardAt(purchase.card);
    const reason = refusalOf(purchase, card, now);
    if (reason !== "") return refusal(reason);
    const amount = asked(purchase, card, now);
    if (typeof amount === "string") return refusal(amount);
    const periods = periodsAt(now);
    card.week = [periods.week, spentIn(card.week, periods.week) + amount];
    if (purchase.atm) {
      card.day = [periods.day, spentIn(card.day, periods.day) + amount];
      card.month = [periods.month, spentIn(card.month, periods.month) + amount];
    }
    if (amount > 0) {
      const taken = takes({ amount, atm: purchase.atm });
      credit = [credit[0] - taken.credit, credit[1] + taken.credit];
      reserve = [reserve[0] - taken.reserve, reserve[1] + taken.reserve];
      holds.push({ card, amount, atm: purchase.atm, ...taken, periods, until: now + approvalHoldMs });
    }
    return { approved: true, partial: amount === purchase.amount ? null : amount };
  };

  /** Gives the money back, and to the limits what was counted in a period that is still the card's present one. */
  const end = ({ card, amount, atm, periods, ...taken }: Hold): void => {
    credit = [credit[0] + taken.credit, credit[1] - taken.credit];
    reserve = [reserve[0] + taken.reserve, reserve[1] - taken.reserve];
    const less = ([period, spent]: Counter, of: string): Counter => [period, period === of ? spent - amount : spent];
    card.week = less(card.week, periods.week);
    if (atm) {
      card.day = less(card.day, periods.day);
      card.month = less(card.month, periods.month);
    }
  };

  return {
    addCard: ({ expiresAt }) =>
      void cards.push({
        expiresAt,
        status: "Activated",
        week: nothing,
        day: nothing,
        month: nothing,
        standIn: nothing,
      }),
    buy,
    setStatus: (place, to) => {
      const card = cardAt(place);
      if (card.status === "Delete" && to !== "Delete") return false;
      card.status = to;
      return true;
    },
    statusOf: (place) => cardAt(place).status,
    transfer: (type, cents) => {
      const available = credit[0] + (type === "In" ? cents : -cents);
      if (available < 0) return false;
      credit = [available, credit[1]];
      return true;
    },
    recharge: (cents) => {
      reserve = [reserve[0] + cents, reserve[1]];
    },
    release: (now) => {
      const over = holds.filter(({ until }) => until <= now);
      holds = holds.filter(({ until }) => until > now);
      for (const hold of over) end(hold);
      return over.length;
    },
    nextRelease: () => (holds.length === 0 ? null : Math.min(...holds.map(({ until }) => until))),
    pots: () => ({ credit, reserve }),
  };
}
