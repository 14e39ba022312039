import { createHash } from "node:crypto";
import type { AuthData, Callback, ConsumptionData } from "@cardwright/sdk";
import { centsOf } from "./amounts.ts";
import { type Database, integer, type Row, text } from "./database.ts";

/** What we may say to `Auth`, each with the code that is answered; any code but 0 makes the purchase fail. */
export const authorizationCodes = {
  approved: 0,
  insufficient_funds: 5101,
  user_frozen: 5102,
  card_unknown: 5103,
  already_decided: 5104,
} as const;
export type AuthorizationDecision = keyof typeof authorizationCodes;

/** A purchase as `Auth` and `Consumption` describe it; amounts in minor units, without fees, never negative. */
export interface Purchase {
  readonly consumeNo: string;
  readonly relateNo: string;
  readonly cardNo: string;
  readonly cardholderNo: string;
  readonly type: ConsumptionType;
  readonly status: ConsumptionStatus;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly remark: string;
  readonly shop: string;
  /** Time of this change, Unix ms. */
  readonly time: bigint;
}

const types = ["Open_card", "Consumption", "Atm", "Manage_fee", "Reversal", "Refund"] as const;
const statuses = ["Pending", "Success", "Fail"] as const;
type ConsumptionType = (typeof types)[number];
type ConsumptionStatus = (typeof statuses)[number];

/** A push as far as its receipt is concerned. */
type Receipt = Pick<Callback, "id" | "dataText">;

/** Reads the `data` of an Auth or Consumption callback; undefined when something is not as this merchant can book it. */
export function readPurchase(data: AuthData | ConsumptionData): Purchase | undefined {
  // The SDK has looked at the fields and their types; words and amounts are still whatever was signed.
  const type = types.find((known) => known === data.type);
  const status = statuses.find((known) => known === data.status);
  const amount = centsOf(data.amount);
  const fee = "fee" in data ? centsOf(data.fee) : 0n;
  if (type === undefined || status === undefined || amount === undefined || fee === undefined) return undefined;
  if (amount < 0n || fee < 0n || !Number.isSafeInteger(data.time)) return undefined;
  return {
    consumeNo: data.consume_no,
    relateNo: "consume_relate_no" in data ? data.consume_relate_no : "",
    cardNo: data.card_no,
    cardholderNo: data.cardholder_no,
    type,
    status,
    amount,
    fee,
    remark: "remark" in data ? data.remark : "",
    shop: data.merchant_info.merchant_name,
    time: BigInt(data.time),
  };
}

/**
 * Answers `Auth` from the user's balance and holds what it approves; call it inside a transaction. The answer is kept:
 * a repeat with the same consume_no gets it again and holds nothing more.
 */
export function decideAuthorization(
  db: Database,
  purchase: Purchase,
): { decision: AuthorizationDecision; repeated: boolean } {
  const { consumeNo, amount } = purchase;
  const known = db.get("SELECT decision FROM authorizations WHERE consume_no = :consumeNo", { consumeNo });
  if (known !== undefined) return { decision: keptDecision(text(known, "decision")), repeated: true };
  const user = db.get(
    `SELECT u.user_id, u.status, u.balance - u.held AS available FROM users u JOIN cards c USING (user_id)
      WHERE u.cardholder_no = :cardholderNo AND c.card_no = :cardNo`,
    { ...purchase },
  );
  const decision = decide(user, amount);
  const values = {
    consumeNo,
    decision,
    userId: user?.["user_id"] ?? null,
    held: decision === "approved" ? amount : 0n,
  };
  db.run("INSERT INTO authorizations VALUES (:consumeNo, :userId, :decision, :held, 0)", values);
  db.run("UPDATE users SET held = held + :held WHERE user_id = :userId", values);
  return { decision, repeated: false };
}

function decide(user: Row | undefined, amount: bigint): AuthorizationDecision {
  if (user === undefined) return "card_unknown";
  if (text(user, "status") === "Frozen") return "user_frozen";
  // An amount of 0 only asks whether the card is good.
  if (amount > 0n && integer(user, "available") < amount) return "insufficient_funds";
  return "approved";
}

/** A purchase booked without our answer (`''`) was decided by the platform while its question was under way. */
function keptDecision(kept: string): AuthorizationDecision {
  for (const decision of ["approved", "insufficient_funds", "user_frozen", "card_unknown"] as const) {
    if (kept === decision) return decision;
  }
  return "already_decided";
}

export type BookingOutcome = "applied" | "superseded" | "repeated" | "cardholder_unknown";

/**
 * Books a `Consumption`; call it inside a transaction. Each push tells the whole state of a purchase, so the balance
 * follows from the newest one: pushes may come twice, or in any order, and end in the same balance.
 */
export function bookConsumption(db: Database, callback: Receipt, purchase: Purchase, nowMs: number): BookingOutcome {
  const user = db.get("SELECT user_id FROM users WHERE cardholder_no = :cardholderNo", { ...purchase });
  if (user === undefined) return "cardholder_unknown";
  if (!firstReceipt(db, callback, nowMs)) return "repeated";
  const { consumeNo } = purchase;
  recordBooking(db, callback.id, purchase);
  db.run(
    `INSERT INTO authorizations VALUES (:consumeNo, :userId, '', 0, 0)
      ON CONFLICT (consume_no) DO UPDATE SET user_id = coalesce(user_id, excluded.user_id)`,
    { consumeNo, userId: text(user, "user_id") },
  );
  settle(db, consumeNo);
  // A reversal depends on whether its original was cleared, which this push may have told.
  const reversals = db.all(
    "SELECT DISTINCT consume_no FROM bookings WHERE relate_no = :consumeNo AND type = 'Reversal' LIMIT 100",
    { consumeNo },
  );
  for (const reversal of reversals) settle(db, text(reversal, "consume_no"));
  const newest = newestBooking(db, consumeNo);
  return newest !== undefined && text(newest, "push_id") === callback.id ? "applied" : "superseded";
}

/** A push is sent again for at most 30 days. */
const pushesKeptMs = 31 * 24 * 3600 * 1000;

/** Notes a push; false when the same id with the same data was here before. */
export function firstReceipt(db: Database, callback: Receipt, nowMs: number): boolean {
  const digest = createHash("sha256").update(callback.dataText).digest("hex");
  const values = { id: callback.id, digest, nowMs, forgottenMs: nowMs - pushesKeptMs };
  db.run("DELETE FROM pushes WHERE received_at < :forgottenMs", values);
  return db.run("INSERT OR IGNORE INTO pushes VALUES (:id, :digest, :nowMs)", values) === 1;
}

function recordBooking(db: Database, pushId: string, purchase: Purchase): void {
  const values = { ...purchase, pushId };
  db.run(
    `INSERT INTO bookings VALUES (:consumeNo, :status, :pushId, :relateNo, :type, :amount, :fee, :remark, :shop, :time, :time)
      ON CONFLICT (consume_no, status) DO UPDATE SET push_id = excluded.push_id, relate_no = excluded.relate_no,
        type = excluded.type, amount = excluded.amount, fee = excluded.fee, remark = excluded.remark,
        shop = excluded.shop, time = excluded.time
      WHERE excluded.time >= bookings.time`,
    values,
  );
  db.run(
    "UPDATE bookings SET first_time = min(first_time, :time) WHERE consume_no = :consumeNo AND status = :status",
    values,
  );
}

/** The later time wins; of one millisecond, the final status. */
function newestBooking(db: Database, consumeNo: string): Row | undefined {
  return db.get(
    "SELECT * FROM bookings WHERE consume_no = :consumeNo ORDER BY time DESC, status = 'Pending', status DESC LIMIT 1",
    { consumeNo },
  );
}

/** Moves the user's balance from what this purchase weighed before to what its newest news says. */
function settle(db: Database, consumeNo: string): void {
  const booking = newestBooking(db, consumeNo);
  const before = db.get("SELECT user_id, held, posted FROM authorizations WHERE consume_no = :consumeNo", {
    consumeNo,
  });
  if (booking === undefined || before === undefined) throw new Error("settled before it was recorded");
  const { held, posted } = weight(booking, originalWasCleared(db, booking));
  db.run("UPDATE authorizations SET held = :held, posted = :posted WHERE consume_no = :consumeNo", {
    consumeNo,
    held,
    posted,
  });
  db.run("UPDATE users SET held = held + :heldMore, balance = balance - :postedMore WHERE user_id = :userId", {
    heldMore: held - integer(before, "held"),
    postedMore: posted - integer(before, "posted"),
    userId: text(before, "user_id"),
  });
}

/** What a consumption claims of the balance (`held`) and has taken from it (`posted`, negative = given back). */
function weight(booking: Row, originalWasCleared: boolean): { held: bigint; posted: bigint } {
  const [type, status] = [text(booking, "type"), text(booking, "status")];
  const [amount, fee] = [integer(booking, "amount"), integer(booking, "fee")];
  // The fee of something that failed is the fee for failing, usually 0.
  if (status === "Fail") return { held: 0n, posted: fee };
  const givesBack = type === "Refund" || type === "Reversal";
  if (status === "Pending") return { held: givesBack ? 0n : amount + fee, posted: 0n };
  if (!givesBack) return { held: 0n, posted: amount + fee };
  // Reversing a hold shows in the original, which fails or shrinks; giving back here too would give twice.
  const given = type === "Refund" || originalWasCleared ? amount : 0n;
  return { held: 0n, posted: fee - given };
}

function originalWasCleared(db: Database, booking: Row): boolean {
  const original = newestBooking(db, text(booking, "relate_no"));
  if (original === undefined || text(original, "status") !== "Success") return false;
  return integer(original, "first_time") <= integer(booking, "first_time");
}
