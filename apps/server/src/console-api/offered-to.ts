import { ok, type Result, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import type { InvalidInput, Product } from "#products/index.ts";

/** Merchants' numbers, as an operator writes them, to their ids; null (every merchant) stays null. */
export async function idsOfOffer(
  merchants: Merchants,
  offeredTo: readonly string[] | null,
): Promise<Result<number[] | null, InvalidInput>> {
  if (offeredTo === null) return ok(null);
  const ids = await merchants.idsOf(offeredTo);
  const known = [...new Set(offeredTo)].flatMap((merchantNo) => ids.get(merchantNo) ?? []);
  if (known.length < new Set(offeredTo).size) {
    return refused({ field: "offered_to", message: "names a merchant that does not exist" });
  }
  return ok(known);
}

/** The other way round, for many products with one statement. */
export async function numbersOfOffers(
  merchants: Merchants,
  products: readonly Product[],
): Promise<(product: Product) => string[] | null> {
  const ids = new Set(products.flatMap((product) => product.offeredTo ?? []));
  const numbers = ids.size === 0 ? new Map<number, string>() : await merchants.numbersOf([...ids]);
  return ({ offeredTo }) => offeredTo?.flatMap((id) => numbers.get(id) ?? []) ?? null;
}
