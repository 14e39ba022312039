import { randomInt } from "node:crypto";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import type { Expiry } from "./cvv.ts";
import { fingerprintKey, fingerprintOf } from "./fingerprint.ts";
import type { Keyring } from "./keyring.ts";
import { isNumberRange, type NumberRange, numberAt, randomNumber, rangeSize } from "./pan.ts";
import { type CardKey, discardCardRow, insertCard, type Sql, selectCard, selectTakenFingerprints } from "./store.ts";

/** Enough while a range is less than a third used (one call in ten goes on to the search); more only delay the answer in a full one. */
const randomTriesMax = 2;
/** Numbers looked up by one statement: in a range that is nine tenths used, 64 numbers hold six free ones. */
const firstChunk = 64;
/** Later statements look up four times as many each, up to 1,024 fingerprints: 32 KiB and 4 ms of hashing. */
const chunkMax = 1024;
/** A range where this many numbers in a row, from a random place on, are all taken counts as used up. */
const searchedNumbersMax = 16_384;
/** Each lost try means that another call took the number between search and insert, so the last 64 free ones are never missed. */
const foundTriesMax = 64;

export interface CardRequest extends CardKey {
  readonly bin: string;
  /** Digits of the whole number, check digit included. */
  readonly panLength: number;
  readonly expiry: Expiry;
}

export interface IssuedCard {
  readonly last4: string;
  /** The first six to eight digits, as many as the product's BIN has: what may be shown beside the last four. */
  readonly bin6to8: string;
}

export type IssueReason = "range_malformed" | "range_exhausted" | "card_discarded";

interface Deps {
  readonly sql: Sql;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly identities: BoundedCache<CardKey>;
}

/**
 * Gives the card a number of the range that nobody has had. Idempotent per card: a repeat, also a racing one, answers with
 * the number of the first.
 */
export async function issueCard(deps: Deps, request: CardRequest): Promise<Result<IssuedCard, IssueReason>> {
  const range: NumberRange = { bin: request.bin, length: request.panLength };
  if (!isNumberRange(range)) return refused("range_malformed");
  for (let tries = 0; tries < randomTriesMax; tries += 1) {
    const outcome = await tryNumber(deps, request, randomNumber(range));
    if (outcome !== "number_taken") return outcome;
  }
  return issueFromSearch(deps, request, range);
}

/** Takes the number of an application that failed out of use. It is not handed out again. */
export async function discardCard(deps: Deps, card: CardKey): Promise<void> {
  const { merchantId, cardNo } = card;
  const fingerprint = await discardCardRow(deps.sql, { merchantId, cardNo, nowMs: deps.clock.now() });
  if (fingerprint !== null) deps.identities.forget(fingerprint.toString("base64"));
}

async function issueFromSearch(
  deps: Deps,
  request: CardRequest,
  range: NumberRange,
): Promise<Result<IssuedCard, IssueReason>> {
  let tries = 0;
  while (tries < foundTriesMax) {
    const free = await searchFreeNumbers(deps, range);
    if (free.length === 0) return refused("range_exhausted");
    for (const pan of free) {
      const outcome = await tryNumber(deps, request, pan);
      if (outcome !== "number_taken") return outcome;
      tries += 1;
    }
  }
  return refused("range_exhausted");
}

async function tryNumber(
  deps: Deps,
  request: CardRequest,
  pan: string,
): Promise<Result<IssuedCard, "card_discarded"> | "number_taken"> {
  const { merchantId, cardNo, expiry } = request;
  const fingerprint = fingerprintOf(await fingerprintKey(deps.keyring), pan);
  const panEnvelope = await deps.keyring.seal({
    family: "pan",
    recordId: panRecordId(request),
    plain: Buffer.from(pan),
  });
  const card = {
    merchantId,
    cardNo,
    fingerprint,
    panEnvelope,
    expiry,
    bin: request.bin.slice(0, 8),
    last4: pan.slice(-4),
  };
  if (await insertCard(deps.sql, { ...card, nowMs: deps.clock.now() })) {
    return ok({ last4: card.last4, bin6to8: card.bin });
  }
  const existing = await selectCard(deps.sql, request);
  if (existing === null) return "number_taken";
  if (existing.panEnvelope === null) return refused("card_discarded");
  return ok({ last4: existing.last4, bin6to8: existing.bin });
}

/** A few free numbers in random order, from the first stretch after a random place that has any. */
async function searchFreeNumbers(deps: Deps, range: NumberRange): Promise<string[]> {
  const key = await fingerprintKey(deps.keyring);
  const size = rangeSize(range);
  const start = randomInt(size);
  const searchEnd = Math.min(size, searchedNumbersMax);
  let chunk = firstChunk;
  for (let searched = 0; searched < searchEnd; searched += chunk, chunk = Math.min(chunk * 4, chunkMax)) {
    const count = Math.min(chunk, searchEnd - searched);
    const candidates = Array.from({ length: count }, (_, place) => {
      const pan = numberAt(range, (start + searched + place) % size);
      return { pan, fingerprint: fingerprintOf(key, pan) };
    });
    const taken = await selectTakenFingerprints(
      deps.sql,
      candidates.map((candidate) => candidate.fingerprint),
    );
    const takenSet = new Set(taken.map((fingerprint) => fingerprint.toString("base64")));
    const free = candidates.filter((candidate) => !takenSet.has(candidate.fingerprint.toString("base64")));
    const pans = free.map((candidate) => candidate.pan);
    if (pans.length > 0) return pickAtRandom(pans, 16);
  }
  return [];
}

/** `count` different elements, or all when there are fewer, in random order. */
function pickAtRandom(numbers: readonly string[], count: number): string[] {
  const left = [...numbers];
  const picked: string[] = [];
  while (picked.length < count && left.length > 0) picked.push(...left.splice(randomInt(left.length), 1));
  return picked;
}

/** What a card number's envelope is bound to. */
export function panRecordId(card: CardKey): string {
  return `${card.merchantId}/${card.cardNo}`;
}
