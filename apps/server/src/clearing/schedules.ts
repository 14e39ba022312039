import type { Pool } from "pg";
import type { ProductRates } from "#products/index.ts";
import type { CardKey } from "./locked-card.ts";

/** What both sides pay by. Fixed for a card's life: it keeps the versions that it was opened with. */
export interface Schedules {
  /** The package's; null in authorization mode, where the merchant keeps its own packages. */
  readonly cardholder: ProductRates | null;
  /** The BIN's. */
  readonly reserve: ProductRates;
}

/** One version of a product's terms; a version never changes. */
export type TermsOf = (product: {
  readonly productNo: string;
  readonly version: number;
}) => Promise<{ readonly rates: ProductRates }>;

interface Row {
  card_bin_no: string;
  bin_terms_version: number;
  package_no: string | null;
  package_terms_version: number | null;
}

/** Read before the card is locked, on connections of its own: terms may come from the database. Null when there is no such card. */
export async function schedulesOf(
  deps: { readonly pool: Pool; readonly terms: TermsOf },
  key: CardKey,
): Promise<Schedules | null> {
  const { rows } = await deps.pool.query<Row>({
    name: "clearing_card_products",
    text: "SELECT card_bin_no, bin_terms_version, package_no, package_terms_version FROM card WHERE merchant_id = $1 AND card_no = $2",
    values: [key.merchantId, key.cardNo],
  });
  const row = rows[0];
  if (row === undefined) {
    return null;
  }
  const { package_no: packageNo, package_terms_version: version } = row;
  const own = packageNo === null || version === null ? null : await deps.terms({ productNo: packageNo, version });
  const costs = await deps.terms({ productNo: row.card_bin_no, version: row.bin_terms_version });
  return { cardholder: own?.rates ?? null, reserve: costs.rates };
}
