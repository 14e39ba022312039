import type { Sql } from "#database/index.ts";
import { selectTerms } from "./store.ts";
import { parseRates, type Terms } from "./terms.ts";

/** About 3 KB each: 12 MB at most. A product has a handful of versions that living cards were opened with. */
const termsKeptMax = 4096;

export interface TermsKey {
  readonly productNo: string;
  readonly version: number;
}

/** Terms by product and version, the last used ones kept in memory. A version never changes, so nothing is ever forgotten for being old. */
export function createTermsCache(sql: Sql): (key: TermsKey) => Promise<Terms> {
  const kept = new Map<string, Terms>();
  return async (key) => {
    const name = `${key.productNo}/${key.version}`;
    const known = kept.get(name);
    if (known !== undefined) {
      kept.delete(name);
      kept.set(name, known);
      return known;
    }
    const terms = await loadTerms(sql, key);
    const oldest = kept.size >= termsKeptMax ? kept.keys().next() : undefined;
    if (oldest?.done === false) kept.delete(oldest.value);
    kept.set(name, terms);
    return terms;
  };
}

/** A card names a version that was there when it was opened; without it nothing about the card can be decided. */
async function loadTerms(sql: Sql, key: TermsKey): Promise<Terms> {
  const stored = await selectTerms(sql, key);
  if (stored === null) throw new Error(`product ${key.productNo} has no terms of version ${key.version}`);
  const { limits, feeDetail } = stored;
  return Object.freeze({
    ...key,
    limits: Object.freeze(limits),
    rates: Object.freeze(parseRates(feeDetail)),
    feeDetail,
  });
}
