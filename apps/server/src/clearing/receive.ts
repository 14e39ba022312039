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
import { selectByReference } from "./transaction-store.ts";

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
  /** What is kept of the transaction's currency, where the message does not say it itself. */
  readonly local?: Pick<NetworkMessage, "localAmount" | "localCurrency">;
}

/** Not taken, and nothing was written. `Own` is what only one kind of message is refused for. */
export interface Untaken<Own extends string = never> {
  readonly untaken: MessageRefusal | Own;
}

/** The answer, or the refusal that is this kind of message's own. */
export type Received<Own extends string> =
  | Extract<MessageAnswer, { readonly accepted: true }>
  | { readonly accepted: false; readonly effect: MessageRefusal | Own };

/** A message before it is known to be new. */
export interface Incoming extends Pick<NetworkMessage, "kind" | "originalReference" | "localAmount" | "localCurrency"> {
  readonly networkReference: string;
  readonly pan: string;
  /** Everything that a repeat must say alike, besides kind, card and original reference. */
  readonly content: readonly (string | bigint | boolean)[];
}

/** What the work on a card may use: it is locked, and a message is new. */
export interface Reception {
  readonly sql: Sql;
  readonly card: LockedCard;
  readonly schedules: Schedules;
  /** Unix ms: when it happened, which may be before now. */
  readonly at: number;
  /** Unix ms: when it was noticed, which is when pushes about it are queued. */
  readonly noticedAt: number;
}

/**
 * Takes a message of the network once: finds and locks its card, answers a repeat with what the first one got, does the work and
 * writes the message down in one transaction. Throws only for bugs and for a database that is away; the network sends it again then.
 */
export async function receive<Own extends string = never>(
  deps: ReceiveDeps,
  incoming: Incoming,
  work: (reception: Reception) => Promise<Done | Untaken<Own>>,
): Promise<Received<Own>> {
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

interface Attempt<Own extends string> {
  readonly incoming: Incoming;
  readonly key: CardKey;
  readonly schedules: Schedules;
  readonly work: (reception: Reception) => Promise<Done | Untaken<Own>>;
}

/** Messages of two cards with one reference do not wait for each other: the index stops the second, which then finds the first. */
async function receiveOnce<Own extends string>(deps: ReceiveDeps, attempt: Attempt<Own>): Promise<Received<Own>> {
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

async function receiveLocked<Own extends string>(
  deps: ReceiveDeps,
  sql: Sql,
  attempt: Attempt<Own>,
): Promise<Received<Own>> {
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
    return known.same ? repeatOf(known) : { accepted: false, effect: "duplicate" };
  }
  // An advice may have the reference of the authorization that it tells about; nothing else may.
  if (kind !== "advice" && (await selectByReference(sql, { merchantId, networkReference })) !== null) {
    return { accepted: false, effect: "duplicate" };
  }
  const at = deps.clock.now();
  const done = await work({ sql, card, schedules, at, noticedAt: at });
  if ("untaken" in done) {
    return { accepted: false, effect: done.untaken };
  }
  const { effect, consumeNo, settledAmount, local = { localAmount, localCurrency } } = done;
  const said = { merchantId, networkReference, kind, contentHash: hash, originalReference, cardNo, at };
  await insertMessage(sql, { ...said, ...local, effect, consumeNo, settledAmount });
  return { accepted: true, effect, consumeNo, repeat: false };
}

function repeatOf(known: Pick<NetworkMessage, "effect" | "consumeNo">): Received<never> {
  const effect = effectOf(known.effect);
  // A reversal that came first is given its authorization's number when that comes; it was answered without.
  const consumeNo = effect === "stored" ? "" : known.consumeNo;
  return { accepted: true, effect, consumeNo, repeat: true };
}

function effectOf(stored: string): Effect {
  const effect = effects.find((each) => each === stored);
  if (effect === undefined) {
    throw new Error(`a message has an effect that nobody knows: ${stored}`);
  }
  return effect;
}
