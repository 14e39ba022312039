import type { TransferType } from "@cardwright/contract";
import { decimalsOf, formatAmount } from "@cardwright/money";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, orderNumber, type Result, refused, uuid7 } from "#kernel/index.ts";
import { findAccount, lockAvailable, transfer } from "#ledger/index.ts";
import { type BonusGrant, insertBonus, selectBonusByReference } from "./bonus-store.ts";
import type { CreditDeps } from "./transfer.ts";

export interface NewBonus {
  readonly merchantId: number;
  readonly cardholderNo: string;
  /** `In` gives, `Out` takes back. */
  readonly type: TransferType;
  /** Minor units. */
  readonly amount: bigint;
  /** The operator's own, unique per merchant: the idempotency key. */
  readonly reference: string;
  readonly reason: string;
}

export type BonusRefusal =
  | "amount_invalid"
  | "reference_invalid"
  | "reason_invalid"
  | "cardholder_unknown"
  | "account_unknown"
  | "bonus_too_low"
  | "bonus_reference_reused";

export const bonusReferenceCharactersMax = 128;
export const bonusReasonCharactersMax = 256;
/** Minor units: ten billion, as a recharge. */
const bonusAmountMax = 1_000_000_000_000n;
/** One line that says something. */
const oneLine = /^(?=.*\S)[^\p{Cc}\u2028\u2029]+$/u;

/**
 * Gives bonus credit to a cardholder, or takes back what is left of it. Of calls with one reference one moves the money, also when they
 * race; the others get its answer, or are refused when they say something else. The merchant's credit policy does not bound it: what
 * the operator gives it answers for itself, but it counts as credit when the merchant's next transfer is looked at.
 */
export async function grantBonus(
  deps: CreditDeps,
  input: NewBonus,
  by: Initiator,
): Promise<Result<BonusGrant, BonusRefusal>> {
  const wrong = checkBonus(input);
  if (wrong !== null) {
    return refused(wrong);
  }
  const earlier = await repeatOf(deps.pool, input);
  if (earlier !== null) {
    return earlier;
  }
  if (!(await deps.cardholderExists(input))) {
    return refused("cardholder_unknown");
  }
  return inTransaction(deps.pool, (sql) => book(sql, { input, by, at: deps.clock.now() }), {
    commitWhen: ({ ok: kept }) => kept,
  });
}

function checkBonus(input: NewBonus): BonusRefusal | null {
  const isLine = (text: string, charactersMax: number) => text.length <= charactersMax && oneLine.test(text);
  if (input.amount <= 0n || input.amount > bonusAmountMax) return "amount_invalid";
  if (!isLine(input.reference, bonusReferenceCharactersMax)) return "reference_invalid";
  return isLine(input.reason, bonusReasonCharactersMax) ? null : "reason_invalid";
}

async function repeatOf(sql: Sql, input: NewBonus): Promise<Result<BonusGrant, "bonus_reference_reused"> | null> {
  const known = await selectBonusByReference(sql, input);
  if (known === null) {
    return null;
  }
  const isSame =
    known.cardholderNo === input.cardholderNo &&
    known.type === input.type &&
    known.amount === input.amount &&
    known.reason === input.reason;
  return isSame ? ok(known) : refused("bonus_reference_reused");
}

async function book(
  sql: Sql,
  booking: { readonly input: NewBonus; readonly by: Initiator; readonly at: number },
): Promise<Result<BonusGrant, BonusRefusal>> {
  const { input, by, at } = booking;
  const { merchantId, cardholderNo, type, amount, reference, reason } = input;
  const bonus = await findAccount(sql, { merchantId, kind: "bonus", owner: cardholderNo });
  const creditLine = await findAccount(sql, { merchantId, kind: "credit_line", owner: "" });
  if (bonus === null || creditLine === null) {
    return refused("account_unknown");
  }
  const grant: BonusGrant = { ...input, bonusNo: orderNumber("G", at), createdAt: at };
  // The row first: a racing call with this reference waits here until this one has ended, and then finds it.
  if (!(await insertBonus(sql, grant))) {
    return (await repeatOf(sql, input)) ?? refused("bonus_reference_reused");
  }
  await appendAudit(sql, {
    ...by,
    merchantId,
    action: type === "In" ? "bonus.grant" : "bonus.take_back",
    subject: grant.bonusNo,
    detail: {
      cardholder_no: cardholderNo,
      amount: formatAmount(amount, decimalsOf("TUSDT")),
      currency: "TUSDT",
      reference,
      reason,
    },
    at,
  });
  const accountIds = [bonus.accountId, creditLine.accountId];
  const available = (await lockAvailable(sql, { merchantId, accountIds })).get(bonus.accountId) ?? 0n;
  if (type === "Out" && available < amount) {
    return refused("bonus_too_low");
  }
  const [source, destination] =
    type === "In" ? [creditLine.accountId, bonus.accountId] : [bonus.accountId, creditLine.accountId];
  await transfer(sql, {
    merchantId,
    transactionId: uuid7(at),
    kind: "bonus",
    reference: grant.bonusNo,
    at,
    postings: [{ source, destination, amount }],
  });
  return ok(grant);
}

/**
 * Repays a cleared purchase from the cardholder's bonus: as much of `amount` as there is goes from the bonus to the account that the
 * purchase was taken from. Answers how much that was, minor units. In the caller's transaction, after its clearing has moved the money:
 * of a cardholder's two accounts the bonus was opened last, so its lock comes last as well.
 */
export async function repayFromBonus(
  sql: Sql,
  repayment: {
    readonly merchantId: number;
    readonly cardholderNo: string;
    /** What the purchase has cost, minor units. */
    readonly amount: bigint;
    /** The consumption's number. */
    readonly reference: string;
    readonly at: number;
  },
): Promise<bigint> {
  const { merchantId, cardholderNo, amount, reference, at } = repayment;
  const bonus = await findAccount(sql, { merchantId, kind: "bonus", owner: cardholderNo });
  // Most cardholders have none: one look, and no lock.
  if (bonus === null || bonus.available <= 0n || amount <= 0n) {
    return 0n;
  }
  const cardholder = await findAccount(sql, { merchantId, kind: "cardholder", owner: cardholderNo });
  if (cardholder === null) {
    throw new Error(`cardholder ${cardholderNo} has a bonus account and no other`);
  }
  const accountIds = [bonus.accountId, cardholder.accountId];
  const available = (await lockAvailable(sql, { merchantId, accountIds })).get(bonus.accountId) ?? 0n;
  const repaid = available < amount ? available : amount;
  if (repaid <= 0n) {
    return 0n;
  }
  await transfer(sql, {
    merchantId,
    transactionId: uuid7(at),
    kind: "bonus",
    reference,
    at,
    postings: [{ source: bonus.accountId, destination: cardholder.accountId, amount: repaid }],
  });
  return repaid;
}
