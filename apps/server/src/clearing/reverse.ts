import { setTimeout as sleep } from "node:timers/promises";
import { decimalsOf, isCurrency, parseAmount } from "@cardwright/money";
import type { Pool } from "pg";
import { inTransaction, isUniqueViolation, type Sql } from "#database/index.ts";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { merchantAccounts } from "./accounts.ts";
import { type ScheduleDeps, type SideSchedules, schedulesOf } from "./both-sides.ts";
import type { Changing } from "./held.ts";
import { type CardKey, lockCard } from "./locked-card.ts";
import { contentHash, insertMessage, type NetworkMessage, selectMessage } from "./message-store.ts";
import { reversalBounds as bounds } from "./reversal-limits.ts";
import {
  effectOf,
  plainAmount,
  type ReversalAnswer,
  type ReversalMessage,
  type ReversalRefusal,
} from "./reversal-message.ts";
import type { Wanted } from "./reversal-parts.ts";
import { type CardTransaction, selectByReference, selectRelated, selectTransaction } from "./transaction-store.ts";
import { type Undone, undo } from "./undo.ts";

export interface ReverseDeps extends ScheduleDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Which card a number belongs to; null for a number that was never issued. */
  readonly identify: (pan: string) => Promise<CardKey | null>;
}

type Outcome = Result<ReversalAnswer, ReversalRefusal>;

/**
 * Undoes a transaction, or a part of it, once for each message. Before clearing the hold is lowered or given back, after clearing the
 * money; what is left of it bounds what is taken. One that comes before its authorization is kept for it. While the merchant is still
 * being asked it waits, within bounds. Throws when the database is away: nothing was done then, or the repeat is told what was.
 */
export async function reverse(deps: ReverseDeps, message: ReversalMessage): Promise<Outcome> {
  const key = await deps.identify(message.pan);
  const schedules = key === null ? null : await schedulesOf(deps, key);
  if (key === null || schedules === null) {
    return ok({ accepted: false, effect: "card_not_found", consumeNo: "", repeat: false });
  }
  for (let look = 1; ; look += 1) {
    const outcome = await reverseOnce(deps, { message, key, schedules });
    if (outcome.ok || outcome.reason !== "being_asked" || look >= bounds.askingLooksMax) {
      return outcome;
    }
    await sleep(bounds.askingLookMs);
  }
}

interface Addressed {
  readonly message: ReversalMessage;
  readonly key: CardKey;
  readonly schedules: SideSchedules;
}

/** Two messages with one reference about two cards do not meet at a card's lock: the second finds the first when it tries again. */
async function reverseOnce(deps: ReverseDeps, addressed: Addressed): Promise<Outcome> {
  const run = () =>
    inTransaction(deps.pool, (sql) => reverseLocked(sql, deps.clock.now(), addressed), {
      commitWhen: (outcome) => outcome.ok,
    });
  try {
    return await run();
  } catch (error) {
    if (isUniqueViolation(error, "network_message_pkey")) {
      return run();
    }
    throw error;
  }
}

async function reverseLocked(sql: Sql, at: number, { message, key, schedules }: Addressed): Promise<Outcome> {
  const card = await lockCard(sql, key);
  if (card === null) {
    throw new Error("a card that was there has gone");
  }
  const { merchantId } = card;
  const { networkReference, originalReference } = message;
  const entry: MessageEntry = {
    ...key,
    networkReference,
    originalReference,
    kind: "reversal",
    contentHash: contentHash([
      "reversal",
      originalReference,
      card.cardNo,
      plainAmount(message.amount),
      message.billingAmount?.toString() ?? "",
    ]),
    at,
  };
  const before = await answerBefore(sql, entry);
  if (before !== null) {
    return ok(before);
  }
  const original = await findOriginal(sql, { merchantId, reference: originalReference });
  if (original === null) {
    return ok(await concluded(sql, entry, { message, original: null, undone: null }));
  }
  const wanted = wantedOf(message, original);
  if (!wanted.ok) {
    return wanted;
  }
  const family = original.cardNo === card.cardNo ? await familyOf(sql, original) : [];
  if (family.some(({ stage }) => stage === "asking")) {
    return refused("being_asked");
  }
  const accounts = await merchantAccounts(sql, merchantId);
  const changing: Changing = { sql, card, schedules, accounts, at };
  const undone = await undo(changing, { original, family, wanted: wanted.value });
  return ok(await concluded(sql, entry, { message, original, undone }));
}

type MessageEntry = Omit<
  NetworkMessage,
  "consumeNo" | "settledAmount" | "localAmount" | "localCurrency" | "effect" | "cardNo"
> &
  CardKey;

async function answerBefore(sql: Sql, entry: MessageEntry): Promise<ReversalAnswer | null> {
  const known = await selectMessage(sql, entry);
  if (known !== null) {
    const { consumeNo } = known;
    return known.same
      ? { accepted: true, effect: effectOf(known.effect), consumeNo, repeat: true }
      : { accepted: false, effect: "duplicate", consumeNo, repeat: false };
  }
  const authorization = await selectByReference(sql, entry);
  return authorization === null
    ? null
    : { accepted: false, effect: "duplicate", consumeNo: authorization.consumeNo, repeat: false };
}

/**
 * An authorization by its own reference; what never was one by that of the clearing, refund or advice that made it, or by that of the
 * unknown authorization which the clearing named.
 */
async function findOriginal(
  sql: Sql,
  { merchantId, reference }: { readonly merchantId: number; readonly reference: string },
): Promise<CardTransaction | null> {
  const authorization = await selectByReference(sql, { merchantId, networkReference: reference });
  if (authorization !== null) {
    return authorization;
  }
  const { rows } = await sql.query<{ consume_no: string }>({
    name: "reversal_original",
    text: `SELECT consume_no FROM network_message
           WHERE merchant_id = $1 AND consume_no <> '' AND (
             (network_reference = $2 AND kind <> 'reversal') OR (original_reference = $2 AND original_reference <> '' AND kind = 'clearing'))
           ORDER BY at, network_reference LIMIT 1`,
    values: [merchantId, reference],
  });
  const consumeNo = rows[0]?.consume_no;
  return consumeNo === undefined ? null : selectTransaction(sql, { merchantId, consumeNo });
}

/** The original and its increments, the last one first: what came last is undone first. */
async function familyOf(sql: Sql, original: CardTransaction): Promise<CardTransaction[]> {
  if (original.type === "Refund") {
    return [original];
  }
  const increments = (await selectRelated(sql, original)).filter(({ type }) => type === original.type);
  return [...increments.toReversed(), original];
}

function wantedOf(message: ReversalMessage, original: CardTransaction): Result<Wanted, "amount"> {
  const { amount, billingAmount } = message;
  const { localCurrency } = original;
  const parsed =
    amount === null ? null : parseAmount(amount, isCurrency(localCurrency) ? decimalsOf(localCurrency) : 0);
  if (parsed !== null && !parsed.ok) {
    return refused("amount");
  }
  if (billingAmount !== null) {
    return ok({ in: "card", amount: billingAmount });
  }
  return ok(parsed === null ? null : { in: "transaction", amount: parsed.value });
}

/** Writes the message down with what became of it. */
async function concluded(
  sql: Sql,
  entry: MessageEntry,
  end: {
    readonly message: ReversalMessage;
    readonly original: CardTransaction | null;
    readonly undone: Undone | null;
  },
): Promise<ReversalAnswer> {
  const { message, original, undone } = end;
  const effect = original === null ? "stored" : (undone?.effect ?? "no_effect");
  const consumeNo = undone?.reversal.consumeNo ?? original?.consumeNo ?? "";
  await insertMessage(sql, {
    ...entry,
    effect,
    consumeNo,
    settledAmount: undone?.settledAmount ?? 0n,
    localAmount: undone?.reversal.localAmount ?? message.amount ?? "",
    localCurrency: original?.localCurrency ?? "",
  });
  return { accepted: true, effect, consumeNo, repeat: false };
}
