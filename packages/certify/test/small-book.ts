import { setTimeout as sleep } from "node:timers/promises";
import type { Defect } from "./small-merchant.ts";

/** A callback that was recognised as genuine. */
export interface Answer {
  readonly id: string;
  readonly action: string;
  readonly data: unknown;
}

/** What a merchant answers; HTTP 200 when absent. */
export interface Said {
  readonly status?: number;
  readonly code: number;
  readonly message: string;
}

/** A purchase as it weighs on the balance. Minor units. */
interface Row {
  /** Null: it was never asked about. */
  decision: "yes" | "no" | null;
  weight: bigint;
  /** What it weighs besides, by mistake. */
  extra: bigint;
  isCleared: boolean;
  asked: bigint;
  timeMs: number;
}

interface Book {
  readonly defect: Defect;
  readonly cardNo: string;
  readonly cardholderNo: string;
  balance: bigint;
  readonly rows: Map<string, Row>;
  readonly pushes: Set<string>;
  /** Unix ms of the last questions about 0.01, which a load is made of. */
  readonly tiny: number[];
}

const done: Said = { code: 0, message: "" };

/** The books of the small merchant: the newest news of a purchase says what it weighs. */
export function createBook(start: Pick<Book, "defect" | "balance" | "cardNo" | "cardholderNo">): {
  readonly take: (callback: Answer) => Promise<Said>;
  readonly available: () => bigint;
} {
  const book: Book = { ...start, rows: new Map(), pushes: new Set(), tiny: [] };
  return { take: (callback) => take(book, callback), available: () => availableIn(book) };
}

function availableIn({ balance, rows }: Book): bigint {
  return [...rows.values()].reduce((sum, { weight, extra }) => sum - weight - extra, balance);
}

async function take(book: Book, callback: Answer): Promise<Said> {
  const data = fieldsOf(callback.data);
  switch (callback.action) {
    case "Auth":
      return await decide(book, data);
    case "Consumption":
      return bookNews(book, { id: callback.id, data });
    case "Card_update":
      return done;
    default:
      return book.defect === "refuses unknown actions" ? { code: 400, message: "unknown action" } : done;
  }
}

async function decide(book: Book, data: Fields): Promise<Said> {
  const { defect, rows } = book;
  const amount = minorOf(book, data["amount"]);
  if (amount === 1n && defect === "slow under load") {
    await queue(book);
  }
  const known = rows.get(text(data, "consume_no"));
  if (known !== undefined && known.decision !== null) {
    if (defect === "holds twice on a repeated Auth" && known.decision === "yes") {
      known.extra += known.asked;
    }
    return answer(book, known.decision);
  }
  if (known !== undefined && defect !== "late question holds") {
    return answer(book, "no");
  }
  const isCovered = availableIn(book) >= amount || defect === "approves everything";
  const isKnown = text(data, "card_no") === book.cardNo && text(data, "cardholder_no") === book.cardholderNo;
  const isGood = isKnown || defect === "approves unknown cards" || defect === "approves everything";
  if (defect === "overdraws under concurrency") {
    await sleep(10);
  }
  const decision = isCovered && isGood ? "yes" : "no";
  const weight = decision === "yes" && defect !== "approves everything" ? amount : 0n;
  const row = rows.get(text(data, "consume_no")) ?? newRow(data);
  rows.set(text(data, "consume_no"), {
    ...row,
    decision,
    asked: amount,
    weight: row.decision === null ? weight : row.weight,
  });
  return answer(book, decision);
}

/** Of the questions about 0.01 in one second those beyond the tenth wait for so long. */
const quickInASecond = 10;
const queueMs = 4_200;

async function queue({ tiny }: Book): Promise<void> {
  const nowMs = performance.now();
  tiny.push(nowMs);
  if (tiny.filter((atMs) => nowMs - atMs < 1_000).length > quickInASecond) {
    await sleep(queueMs);
  }
}

function answer({ defect }: Book, decision: "yes" | "no"): Said {
  if (decision === "yes") {
    return done;
  }
  const status = defect === "declines with HTTP 402" ? { status: 402 } : {};
  return { ...status, code: 5101, message: "insufficient funds" };
}

function newRow(data: Fields): Row {
  return { decision: null, weight: 0n, extra: 0n, isCleared: false, asked: 0n, timeMs: Number(data["time"]) };
}

function bookNews(book: Book, { id, data }: { readonly id: string; readonly data: Fields }): Said {
  const { defect, pushes } = book;
  if (text(data, "cardholder_no") !== book.cardholderNo) {
    return { code: 404, message: "cardholder unknown" };
  }
  const isRepeat = pushes.has(id);
  pushes.add(id);
  if (isRepeat && defect === "books a repeated push again" && data["status"] === "Success") {
    book.balance -= minorOf(book, data["amount"]);
  }
  if (isRepeat) {
    return done;
  }
  return data["type"] === "Consumption" ? bookPurchase(book, data) : giveBack(book, data);
}

function bookPurchase(book: Book, data: Fields): Said {
  const { defect, rows } = book;
  const consumeNo = text(data, "consume_no");
  const known = rows.get(consumeNo);
  const [status, amount, timeMs] = [text(data, "status"), minorOf(book, data["amount"]), Number(data["time"])];
  if (known === undefined && status === "Success" && defect === "refuses forced purchases") {
    return { code: 404, message: "purchase unknown" };
  }
  const row = known ?? newRow(data);
  if (timeMs < row.timeMs && defect !== "old news counts") {
    return defect === "refuses out of order" ? { code: 409, message: "older than what is known" } : done;
  }
  if (data["remark"] === "merchant_timeout" && defect === "keeps what timed out") {
    return done;
  }
  const isFinalIgnored = defect === "ignores the final amount" && status === "Success" && row.asked > 0n;
  row.weight = status === "Fail" ? 0n : isFinalIgnored ? row.asked : amount;
  row.extra = status === "Fail" ? 0n : row.extra;
  row.isCleared ||= status === "Success";
  row.timeMs = timeMs;
  rows.set(consumeNo, row);
  return done;
}

/** A refund gives its amount back; a reversal only what was cleared before, since a hold that was reversed shows in its purchase. */
function giveBack(book: Book, data: Fields): Said {
  const original = book.rows.get(text(data, "consume_relate_no"));
  const isRefund = data["type"] === "Refund" && book.defect !== "ignores refunds";
  const isReversal = data["type"] === "Reversal";
  const isDue =
    isRefund || (isReversal && (original?.isCleared === true || book.defect === "gives a reversal back twice"));
  book.balance += isDue ? minorOf(book, data["amount"]) : 0n;
  return done;
}

/** Exact for the two decimals that a card's currency has; truncated by the merchant that loses cents. */
function minorOf({ defect }: Book, amount: unknown): bigint {
  const hundredfold = Number(amount) * 100;
  return BigInt(defect === "loses cents" ? Math.trunc(hundredfold) : Math.round(hundredfold));
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(data: unknown): Fields {
  return typeof data === "object" && data !== null ? Object.fromEntries(Object.entries(data)) : {};
}

function text(data: Fields, key: string): string {
  const value = data[key];
  return typeof value === "string" ? value : "";
}
