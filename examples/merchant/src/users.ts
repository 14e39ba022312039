import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AddressInfo,
  ApiError,
  AuthenticationError,
  type CardType,
  type Cardwright,
  type MerchantMode,
  RateLimitError,
  ServerError,
} from "@cardwright/sdk";
import { toDecimal } from "./amounts.ts";
import { recordCard } from "./cards.ts";
import { type Database, integer, type Row, text } from "./database.ts";
import { issueShareToken } from "./kyc-account.ts";

export type Mode = MerchantMode;
export type UserStatus = "Active" | "Frozen";

export interface UsersDeps {
  readonly db: Database;
  readonly platform: Cardwright;
  readonly mode: Mode;
  /** What cards are opened on: a package_no in credit mode, a card_bin_no in authorization mode. */
  readonly cardProduct: string;
  readonly kycUrl: string;
  readonly now: () => number;
  /** Ends waits when the merchant closes. */
  readonly closing: AbortSignal;
}

/** What a merchant does with its users. All may throw the SDK's errors and NoAnswer; amounts in minor units. */
export interface Users {
  /** Creates a user, sends them through verification and pays in their opening balance. Answers the user_id. */
  signUp(request: { name: string; email: string; balance: bigint; kycOutcome: string }): Promise<string>;
  /** In credit mode also grants the amount on the platform. Answers `Pending` while the user is not verified. */
  topUp(request: { userId: string; amount: bigint }): Promise<string>;
  /** Answers the card_no. The same cardUniqueNo never makes two cards. */
  openCard(request: {
    userId: string;
    cardType: CardType;
    cardUniqueNo: string;
    address: AddressInfo | undefined;
  }): Promise<string>;
  setStatus(request: { userId: string; status: UserStatus }): void;
  /** Goes on with what was left unfinished: verification under way, top-ups not granted yet. */
  refresh(userId: string): Promise<void>;
  exists(userId: string): boolean;
}

const verificationPollsMax = 40;

export function createUsers(deps: UsersDeps): Users {
  return {
    signUp: (request) => signUp(deps, request),
    topUp: (request) => topUp(deps, request),
    openCard: (request) => openCard(deps, request),
    setStatus: (request) =>
      void deps.db.run("UPDATE users SET status = :status WHERE user_id = :userId", { ...request }),
    refresh: (userId) => refresh(deps, userId),
    exists: (userId) => deps.db.get("SELECT 1 FROM users WHERE user_id = :userId", { userId }) !== undefined,
  };
}

async function signUp(deps: UsersDeps, request: Parameters<Users["signUp"]>[0]): Promise<string> {
  const userId = `user-${randomUUID()}`;
  deps.db.transaction(() => {
    deps.db.run(
      `INSERT INTO users (user_id, name, email, status, cardholder_status, created_at)
        VALUES (:userId, :name, :email, 'Active', 'Not applied', :now)`,
      { userId, name: request.name, email: request.email, now: deps.now() },
    );
    if (request.balance > 0n) insertTopUp(deps, { topupNo: `opening-${userId}`, userId, amount: request.balance });
  });
  const shareToken = await issueShareToken(deps.kycUrl, { applicant: request, outcome: request.kycOutcome });
  const { cardholder_no: cardholderNo } = await deps.platform.cardholders.apply({
    cardholder_unique_no: userId,
    sumsub_share_token: shareToken,
  });
  deps.db.run("UPDATE users SET cardholder_no = :cardholderNo, cardholder_status = 'Pending' WHERE user_id = :userId", {
    cardholderNo,
    userId,
  });
  await awaitVerification(deps, { userId, cardholderNo });
  await settleTopUps(deps, userId);
  return userId;
}

/** Polls for at most 20 s; a verification that takes longer (a person looks at it) is asked about again by `refresh`. */
async function awaitVerification(deps: UsersDeps, user: { userId: string; cardholderNo: string }): Promise<void> {
  for (let poll = 1; poll <= verificationPollsMax; poll += 1) {
    const status = await readVerification(deps, user);
    if (status === "Approved" || status === "Rejected") return;
    await sleep(Math.min(50 * poll, 550), undefined, { signal: deps.closing });
  }
}

async function readVerification(deps: UsersDeps, user: { userId: string; cardholderNo: string }): Promise<string> {
  const { status } = await deps.platform.cardholders.retrieve(user.cardholderNo);
  deps.db.run("UPDATE users SET cardholder_status = :status WHERE user_id = :userId", { ...user, status });
  return status;
}

async function topUp(deps: UsersDeps, request: { userId: string; amount: bigint }): Promise<string> {
  const topupNo = `topup-${randomUUID()}`;
  insertTopUp(deps, { topupNo, ...request });
  await settleTopUps(deps, request.userId);
  const row = deps.db.get("SELECT state FROM topups WHERE topup_no = :topupNo", { topupNo });
  return row === undefined ? "Pending" : text(row, "state");
}

function insertTopUp(deps: UsersDeps, topUp: { topupNo: string; userId: string; amount: bigint }): void {
  const values = { ...topUp, now: deps.now() };
  deps.db.run("INSERT INTO topups VALUES (:topupNo, :userId, :amount, 'Pending', :now)", values);
}

/**
 * Pays in what is waiting. The row is there before the platform is called and carries the transfer's number: whatever
 * breaks in between, calling again with the same number grants the credit once.
 */
async function settleTopUps(deps: UsersDeps, userId: string): Promise<void> {
  const waiting = deps.db.all(
    `SELECT topup_no, amount, cardholder_no, cardholder_status FROM topups JOIN users USING (user_id)
      WHERE user_id = :userId AND state = 'Pending' ORDER BY topups.created_at LIMIT 100`,
    { userId },
  );
  for (const row of waiting) {
    if (deps.mode === "CREDIT_EXTENSION") {
      if (text(row, "cardholder_status") !== "Approved") return;
      await grantCredit(deps, row);
    }
    payIn(deps.db, { topupNo: text(row, "topup_no"), userId, amount: integer(row, "amount") });
  }
}

async function grantCredit(deps: UsersDeps, row: Row): Promise<void> {
  try {
    await deps.platform.accounts.transfer({
      type: "In",
      cardholder_no: text(row, "cardholder_no"),
      transfer_unique_no: text(row, "topup_no"),
      balance: toDecimal(integer(row, "amount")),
    });
  } catch (error) {
    // A refusal is final; a call without an answer is made again later with the same number.
    if (isFinal(error)) {
      const topupNo = text(row, "topup_no");
      deps.db.run("UPDATE topups SET state = 'Refused' WHERE topup_no = :topupNo", { topupNo });
    }
    throw error;
  }
}

function isFinal(error: unknown): boolean {
  const mayPass = [ServerError, RateLimitError, AuthenticationError].some((kind) => error instanceof kind);
  return error instanceof ApiError && !mayPass;
}

/** Two callers may settle the same top-up at once: only the one that turns it `Done` adds it to the balance. */
function payIn(db: Database, topUp: { topupNo: string; userId: string; amount: bigint }): void {
  db.transaction(() => {
    const turned = db.run("UPDATE topups SET state = 'Done' WHERE topup_no = :topupNo AND state = 'Pending'", topUp);
    if (turned === 1) db.run("UPDATE users SET balance = balance + :amount WHERE user_id = :userId", topUp);
  });
}

async function openCard(deps: UsersDeps, request: Parameters<Users["openCard"]>[0]): Promise<string> {
  const user = deps.db.get("SELECT name, cardholder_no FROM users WHERE user_id = :userId", { userId: request.userId });
  if (user === undefined) throw new Error("no such user");
  const address = request.address ?? (request.cardType === "Physical" ? exampleAddress(text(user, "name")) : undefined);
  const { card_no: cardNo } = await deps.platform.cards.apply({
    [deps.mode === "CREDIT_EXTENSION" ? "package_no" : "card_bin_no"]: deps.cardProduct,
    cardholder_no: text(user, "cardholder_no"),
    card_unique_no: request.cardUniqueNo,
    card_type: request.cardType,
    ...(address === undefined ? {} : { address_info: address }),
  });
  const { status, card_last_no: lastNo } = await deps.platform.cards.retrieve(cardNo);
  const { userId, cardType, cardUniqueNo } = request;
  recordCard(deps.db, { cardNo, userId, cardType, cardUniqueNo, status, lastNo });
  return cardNo;
}

async function refresh(deps: UsersDeps, userId: string): Promise<void> {
  const user = deps.db.get("SELECT cardholder_no, cardholder_status FROM users WHERE user_id = :userId", { userId });
  if (user === undefined || text(user, "cardholder_no") === "") return;
  const status = text(user, "cardholder_status");
  if (status === "Pending" || status === "In_progress") {
    await readVerification(deps, { userId, cardholderNo: text(user, "cardholder_no") });
  }
  await settleTopUps(deps, userId);
}

/** Where an example's plastic card goes when the caller gives no address. */
function exampleAddress(name: string): AddressInfo {
  const [firstName = name, ...otherNames] = name.split(" ");
  return {
    first_name: firstName,
    last_name: otherNames.join(" ") || firstName,
    phone_code: "1",
    phone: "2125550100",
    postal_code: "10001",
    country: "US",
    state: "New York",
    city: "New York",
    address_line1: "350 Fifth Avenue",
    address_line2: "",
  };
}
