import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { inTransaction, isUniqueViolation, type Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { RateOf } from "./billing.ts";
import { bounds } from "./limits.ts";
import { type CardKey, type LockedCard, lockCard } from "./locked-card.ts";
import { type Effect, effects, type MessageAnswer, type MessageRefusal } from "./message.ts";
import { contentHash, insertMessage, type NetworkMessage, selectMessage } from "./message-store.ts";
import { type Schedules, schedulesOf, type TermsOf } from "./schedules.ts";

export interface ReceiveDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Which card a number belongs to; null for a number that was never issued. */
  readonly identify: (pan: string) => Promise<CardKey | null>;
  readonly terms: TermsOf;
  readonly rateOf: RateOf;
}

/** What a message has changed, to be written down with it. */
export interface Done {
  readonly effect: Effect;
  readonly consumeNo: string;
  /** Minor units of the card's currency; negative when the network pays us. */
  readonly settledAmount: bigint;
}

/** Not taken, and nothing was written. */
export interface Untaken {
  readonly untaken: MessageRefusal;
}

/** A message before it is known to be new. */
export interface Incoming extends Pick<NetworkMessage, "kind" | "originalReference" | "localAmount" | "localCurrency"> {
  readonly networkReference: string;
  readonly pan: string;
  /** Everything that a repeat must say alike, besides kind, card and original reference. */
  readonly content: readonly (string | bigint | boolean)[];
}

/** What the work on a message may use: its card is locked, the message is new. */
export interface Reception {
  readonly sql: Sql;
  readonly card: LockedCard;
  readonly schedules: Schedules;
  readonly at: number;
}

/**
 * Takes a message of the network once: finds and locks its card, answers a repeat with what the first one got, does the work and
 * writes the message down in one transaction. Throws only for bugs and for a database that is away; the network sends it again then.
 */
export async function receive(
  deps: ReceiveDeps,
  incoming: Incoming,
  work: (reception: Reception) => Promise<Done | Untaken>,
): Promise<MessageAnswer> {
  const key = await deps.identify(incoming.pan);
  const schedules = key === null ? null : await schedulesOf(deps, key);
  if (key === null || schedules === null) {
    return { accepted: false, effect: "card_not_found" };
  }
  for (let look = 1; ; look += 1) {
    const answer = await receiveOnce(deps, { incoming, key, schedules, work });
    if (answer.effect !== "authorization_under_way" || look >= bounds.underWayLooksMax) {
      return answer;
    }
    await sleep(bounds.underWayLookMs);
  }
}

interface Attempt {
  readonly incoming: Incoming;
  readonly key: CardKey;
  readonly schedules: Schedules;
  readonly work: (reception: Reception) => Promise<Done | Untaken>;
}

/** Messages of two cards with one reference do not wait for each other: the index stops the second, which then finds the first. */
async function receiveOnce(deps: ReceiveDeps, attempt: Attempt): Promise<MessageAnswer> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await inTransaction(deps.pool, (sql) => receiveLocked(deps, sql, attempt));
    } catch (error) {
      if (!isUniqueViolation(error) || retry >= bounds.collisionRetriesMax) {
        throw error;
      }
    }
  }
}

async function receiveLocked(deps: ReceiveDeps, sql: Sql, attempt: Attempt): Promise<MessageAnswer> {
  const { incoming, key, schedules, work } = attempt;
  const card = await lockCard(sql, key);
  if (card === null) {
    return { accepted: false, effect: "card_not_found" };
  }
  const { merchantId, cardNo } = key;
  const { kind, networkReference, originalReference, localAmount, localCurrency } = incoming;
  const hash = contentHash([kind, cardNo, originalReference, localAmount, localCurrency, ...incoming.content]);
  const known = await selectMessage(sql, { merchantId, networkReference, kind, contentHash: hash });
  if (known !== null) {
    return known.same
      ? { accepted: true, effect: effectOf(known.effect), consumeNo: known.consumeNo, repeat: true }
      : { accepted: false, effect: "duplicate" };
  }
  const at = deps.clock.now();
  const done = await work({ sql, card, schedules, at });
  if ("untaken" in done) {
    return { accepted: false, effect: done.untaken };
  }
  const said = { merchantId, networkReference, kind, contentHash: hash, originalReference, cardNo, at };
  await insertMessage(sql, { ...said, localAmount, localCurrency, ...done });
  return { accepted: true, effect: done.effect, consumeNo: done.consumeNo, repeat: false };
}

function effectOf(stored: string): Effect {
  const effect = effects.find((each) => each === stored);
  if (effect === undefined) {
    throw new Error(`a message has an effect that nobody knows: ${stored}`);
  }
  return effect;
}
