import type { MerchantMode } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import type { ProductRates } from "#products/index.ts";
import { facts as factsMax } from "../limits.ts";
import { selectFacts } from "./store.ts";

/** Limits of a product, minor units; zero allows nothing. */
export interface ProductLimits {
  readonly purchase: bigint;
  readonly week: bigint;
  readonly atmDay: bigint;
  readonly atmMonth: bigint;
}

/** The terms of one version of a product; a version never changes, so it may be kept for ever. */
export interface ProductTerms {
  readonly limits: ProductLimits;
  readonly rates: ProductRates;
}

export interface CardKey {
  readonly merchantId: number;
  readonly cardNo: string;
}

/**
 * What must be known of a card before the decision's statement can be written. Everything in it is fixed for one `version` of
 * the card: the statement compares the version and answers `stale` when it moved, so an old fact can never approve. Status,
 * counters and balances are not here: only the locked rows know them.
 */
export interface CardFacts extends CardKey {
  readonly cardholderNo: string;
  readonly version: number;
  readonly mode: MerchantMode;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly utcOffsetMinutes: number;
  /** Unix ms: where the periods of free counts begin. */
  readonly openedAt: number;
  readonly creditAccountId: string | null;
  readonly reserveAccountId: string;
  /** Of the package in credit mode, of the BIN in authorization mode. */
  readonly limits: ProductLimits;
  /** What the cardholder pays; null in authorization mode, where the merchant keeps its own packages. */
  readonly cardholderRates: ProductRates | null;
  /** What the reserve pays. */
  readonly costRates: ProductRates;
}

export interface FactsDeps {
  readonly sql: Sql;
  readonly terms: (product: { readonly productNo: string; readonly version: number }) => Promise<ProductTerms>;
}

export interface FactsCache {
  /** Null when no such card was issued. */
  of(key: CardKey): Promise<CardFacts | null>;
  forget(key: CardKey): void;
}

/**
 * Keeps the facts of the cards used last; the oldest goes when the bound is reached. Purchases of one card that come at the same moment
 * share one look; who comes after the card was forgotten looks anew.
 */
export function createFactsCache(deps: FactsDeps): FactsCache {
  const kept = new Map<string, CardFacts>();
  const looks = new Map<string, Promise<CardFacts | null>>();
  const keyOf = (key: CardKey) => `${key.merchantId}/${key.cardNo}`;
  const look = async (key: CardKey, name: string): Promise<CardFacts | null> => {
    const facts = await loadFacts(deps, key);
    if (facts !== null) {
      remember(kept, name, facts);
    }
    return facts;
  };
  return {
    of: async (key) => {
      const name = keyOf(key);
      const known = kept.get(name);
      if (known !== undefined) {
        return known;
      }
      const running = looks.get(name);
      if (running !== undefined) {
        return running;
      }
      const looking: Promise<CardFacts | null> = look(key, name).finally(() => {
        if (looks.get(name) === looking) {
          looks.delete(name);
        }
      });
      looks.set(name, looking);
      return looking;
    },
    forget: (key) => {
      kept.delete(keyOf(key));
      looks.delete(keyOf(key));
    },
  };
}

function remember(kept: Map<string, CardFacts>, name: string, facts: CardFacts): void {
  if (kept.size >= factsMax.cardsKept) {
    const oldest = kept.keys().next();
    if (oldest.done !== true) {
      kept.delete(oldest.value);
    }
  }
  kept.set(name, facts);
}

async function loadFacts(deps: FactsDeps, key: CardKey): Promise<CardFacts | null> {
  const row = await selectFacts(deps.sql, key);
  if (row === null) {
    return null;
  }
  const costs = await deps.terms({ productNo: row.cardBinNo, version: row.binTermsVersion });
  const own =
    row.package === null ? null : await deps.terms({ productNo: row.package.no, version: row.package.termsVersion });
  return {
    ...key,
    cardholderNo: row.cardholderNo,
    version: row.version,
    mode: row.mode,
    expiry: row.expiry,
    utcOffsetMinutes: row.utcOffsetMinutes,
    openedAt: row.openedAt,
    creditAccountId: row.creditAccountId,
    reserveAccountId: row.reserveAccountId,
    limits: (own ?? costs).limits,
    cardholderRates: own?.rates ?? null,
    costRates: costs.rates,
  };
}
