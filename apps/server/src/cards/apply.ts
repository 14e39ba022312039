import { createHash } from "node:crypto";
import type { CardType } from "@cardwright/contract";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, orderNumber, type Result, refused } from "#kernel/index.ts";
import { findAccount } from "#ledger/index.ts";
import type { CardProduct } from "#products/index.ts";
import type { CardAddress } from "./address.ts";
import { expiryOf } from "./card.ts";
import { type OpeningRefusal, takeOpeningCost } from "./opening-cost.ts";
import type { CardVault } from "./ports.ts";
import { changeStatus } from "./status.ts";
import { countCards, insertAddress, insertCard, lockCardholder, selectByUniqueNo } from "./store.ts";

export interface CardApplication {
  readonly merchantId: number;
  readonly utcOffsetMinutes: number;
  /** The product's number: a package's in credit mode, a BIN's in authorization mode. */
  readonly productNo: string;
  readonly cardholderNo: string;
  readonly cardUniqueNo: string;
  readonly cardType: CardType;
  readonly address: CardAddress | null;
}

export interface AcceptedCard {
  readonly cardNo: string;
  readonly cardUniqueNo: string;
}

export type ApplyCardRefusal =
  | "product_unknown"
  | "cardholder_unknown"
  | "card_type_not_offered"
  | "cardholder_not_approved"
  | "card_limit_reached"
  | "card_unique_no_reused"
  | OpeningRefusal;

export interface ApplyCardDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly vault: CardVault;
  /** The product if this merchant may open a card on it now. */
  readonly offeredProduct: (key: {
    readonly merchantId: number;
    readonly productNo: string;
  }) => Promise<CardProduct | null>;
  readonly cardholderOf: (key: { readonly merchantId: number; readonly cardholderNo: string }) => Promise<{
    readonly approved: boolean;
    readonly name: string;
  } | null>;
}

/** Equal content whatever the order of keys, with absent texts as empty ones (contract section 9, Idempotency). */
function contentHash(application: CardApplication): Buffer {
  const { productNo, cardholderNo, cardType, address } = application;
  const lines = address === null ? [] : Object.entries(address).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([productNo, cardholderNo, cardType, lines]))
    .digest();
}

/**
 * Opens a card (contract `card/apply`). Idempotent by `cardUniqueNo`, also when two calls race; a refused application leaves
 * nothing behind. The number is made in the vault first: if the process dies before the card's row is written, an unused number is
 * all that is lost.
 */
export async function applyForCard(
  deps: ApplyCardDeps,
  application: CardApplication,
): Promise<Result<AcceptedCard, ApplyCardRefusal>> {
  const hash = contentHash(application);
  const earlier = await repeatOf(deps.pool, { application, hash });
  if (earlier !== null) {
    return earlier;
  }
  const product = await deps.offeredProduct(application);
  if (product === null) {
    return refused("product_unknown");
  }
  const cardholder = await deps.cardholderOf(application);
  if (cardholder === null) {
    return refused("cardholder_unknown");
  }
  if (application.cardType === "Virtual" ? !product.supportVirtual : !product.supportPhysical) {
    return refused("card_type_not_offered");
  }
  if (!cardholder.approved) {
    return refused("cardholder_not_approved");
  }
  return issue(deps, { application, hash, product, cardholderName: cardholder.name });
}

async function repeatOf(
  sql: Sql,
  options: { readonly application: CardApplication; readonly hash: Buffer },
): Promise<Result<AcceptedCard, "card_unique_no_reused"> | null> {
  const { application, hash } = options;
  const known = await selectByUniqueNo(sql, application);
  if (known === null) {
    return null;
  }
  return known.contentHash.equals(hash)
    ? ok({ cardNo: known.cardNo, cardUniqueNo: application.cardUniqueNo })
    : refused("card_unique_no_reused");
}

interface Issue {
  readonly application: CardApplication;
  readonly hash: Buffer;
  readonly product: CardProduct;
  readonly cardholderName: string;
}

async function issue(deps: ApplyCardDeps, work: Issue): Promise<Result<AcceptedCard, ApplyCardRefusal>> {
  const { application, product } = work;
  const now = deps.clock.now();
  const key = { merchantId: application.merchantId, cardNo: orderNumber("C", now) };
  const expiry = expiryOf({ now, months: product.validMonths, utcOffsetMinutes: application.utcOffsetMinutes });
  const numbered = await deps.vault.issueCard({ ...key, bin: product.bin, panLength: product.panLength, expiry });
  if (!numbered.ok) {
    throw new Error(`no card number in range ${product.cardBinNo}: ${numbered.reason}`);
  }
  let outcome: Result<AcceptedCard, ApplyCardRefusal>;
  try {
    outcome = await inTransaction(
      deps.pool,
      (sql) => write(sql, { ...work, ...key, expiry, now, lastFour: numbered.value.last4 }),
      {
        commitWhen: ({ ok: kept }) => kept,
      },
    );
  } catch (error) {
    await deps.vault.discardCard(key);
    throw error;
  }
  if (!outcome.ok || outcome.value.cardNo !== key.cardNo) {
    await deps.vault.discardCard(key);
  }
  return outcome;
}

interface Numbered extends Issue {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly lastFour: string;
  readonly now: number;
}

async function write(sql: Sql, card: Numbered): Promise<Result<AcceptedCard, ApplyCardRefusal>> {
  const { application, product, merchantId, cardNo, now } = card;
  const { cardholderNo, cardUniqueNo, address } = application;
  if (!(await lockCardholder(sql, { merchantId, cardholderNo }))) {
    return refused("cardholder_not_approved");
  }
  const credit =
    product.packageNo === null ? null : await findAccount(sql, { merchantId, kind: "cardholder", owner: cardholderNo });
  const inserted = await insertCard(sql, {
    merchantId,
    cardNo,
    cardUniqueNo,
    cardholderNo,
    contentHash: card.hash,
    cardBinNo: product.cardBinNo,
    binTermsVersion: product.binTermsVersion,
    packageNo: product.packageNo,
    packageTermsVersion: product.packageTermsVersion,
    cardType: application.cardType,
    organization: product.organization,
    cardName: nameOnCard(application.address, card.cardholderName),
    lastFour: card.lastFour,
    expiry: card.expiry,
    creditAccountId: credit?.accountId ?? null,
    utcOffsetMinutes: application.utcOffsetMinutes,
    status: "Pending",
    createdAt: now,
  });
  if (!inserted) {
    // Somebody else's call with this number was first; it has committed, or the insert would have waited.
    return (await repeatOf(sql, { application, hash: card.hash })) ?? refused("card_unique_no_reused");
  }
  if (
    (await countCards(sql, { merchantId, cardholderNo, cardBinNo: product.cardBinNo, packageNo: product.packageNo })) >
    product.cardsPerCardholderMax
  ) {
    return refused("card_limit_reached");
  }
  if (address !== null) {
    await insertAddress(sql, { merchantId, cardNo, address });
  }
  const cardholderPays = product.packageNo === null ? null : product.openCost.cardholder;
  const refusal = await takeOpeningCost(sql, {
    merchantId,
    cardNo,
    cardholderNo,
    cardholderPays,
    reservePays: product.openCost.reserve,
    at: now,
  });
  if (refusal !== null) {
    return refused(refusal);
  }
  if (application.cardType === "Virtual") {
    await changeStatus(sql, { merchantId, cardNo, from: "Pending", to: "Activated", reason: "", at: now });
  }
  return ok({ cardNo, cardUniqueNo });
}

/** As it is embossed: capital letters, at most 26 characters (the length that a magnetic stripe has room for). */
function nameOnCard(address: CardAddress | null, cardholderName: string): string {
  const given = address === null ? "" : `${address.firstName} ${address.lastName}`.trim();
  return (given === "" ? cardholderName : given).toUpperCase().slice(0, 26);
}
