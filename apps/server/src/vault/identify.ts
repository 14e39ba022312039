import { createBatcher } from "#database/index.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import { fingerprintKey, fingerprintOf } from "./fingerprint.ts";
import type { Keyring } from "./keyring.ts";
import { isCardNumber } from "./pan.ts";
import { type CardKey, type Sql, selectCardsByFingerprint } from "./store.ts";

/** One batch of authorizations; more in one call is a mistake of the caller. */
export const identifyManyMax = 1000;
/** As many as purchases may wait for their decision. */
const identifyWaitingMax = 8_192;

interface Deps {
  readonly sql: Sql;
  readonly keyring: Keyring;
  readonly identities: BoundedCache<CardKey>;
}

/**
 * Whose cards these numbers are, in the same order; null for a number that is none of ours. One statement for all that are
 * not remembered, none when all are. Only cards that were found are remembered, under their fingerprint: guessed numbers
 * neither fill the memory nor put real ones out of it.
 */
export async function identifyMany(deps: Deps, pans: readonly string[]): Promise<(CardKey | null)[]> {
  if (pans.length > identifyManyMax) throw new RangeError(`more than ${identifyManyMax} card numbers in one call`);
  const key = await fingerprintKey(deps.keyring);
  const fingerprints = pans.map((pan) => (isCardNumber(pan) ? fingerprintOf(key, pan) : null));
  const found = new Map<string, CardKey>();
  const unknown: Buffer[] = [];
  for (const fingerprint of fingerprints) {
    if (fingerprint === null) continue;
    const remembered = deps.identities.find(fingerprint.toString("base64"));
    if (remembered === undefined) unknown.push(fingerprint);
    else found.set(fingerprint.toString("base64"), remembered);
  }
  const mark = deps.identities.mark();
  const rows = unknown.length === 0 ? [] : await selectCardsByFingerprint(deps.sql, unknown);
  for (const row of rows) {
    const card: CardKey = { merchantId: row.merchantId, cardNo: row.cardNo };
    found.set(row.fingerprint.toString("base64"), card);
    deps.identities.keep(row.fingerprint.toString("base64"), card, mark);
  }
  return fingerprints.map((fingerprint) => found.get(fingerprint?.toString("base64") ?? "") ?? null);
}

/**
 * Whose card a number is, or null. Used on every purchase: numbers that are asked for at the same moment and are not remembered share a
 * statement, so a burst of purchases does not wait for the vault's few connections one by one.
 */
export function createIdentify(deps: Deps): (pan: string) => Promise<CardKey | null> {
  const batcher = createBatcher<string, CardKey | null>({
    name: "card numbers",
    batchMax: identifyManyMax,
    queueMax: identifyWaitingMax,
    run: (pans) => identifyMany(deps, pans),
  });
  return async (pan) => {
    const fingerprint = isCardNumber(pan) ? fingerprintOf(await fingerprintKey(deps.keyring), pan) : null;
    if (fingerprint === null) return null;
    return deps.identities.find(fingerprint.toString("base64")) ?? batcher.submit(pan);
  };
}
