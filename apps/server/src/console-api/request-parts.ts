import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";

/** A number of ours in a path. Anything else cannot exist, and some of it the database could not even be asked for. */
export const publicNumber = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/u);

/** A credential's id. */
export const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);

/** Query texts are text: `page` from 0, `size` from 1 to 100. */
export const pageQuery = {
  page: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,5})$/u)
    .exactOptional()
    .meta({ description: "From zero; 0 when absent." }),
  size: z
    .string()
    .regex(/^(?:[1-9][0-9]?|100)$/u)
    .exactOptional()
    .meta({ description: "1 to 100; 50 when absent." }),
};

export function pageOf(query: { readonly page?: string; readonly size?: string }): { page: number; size: number } {
  return { page: Number(query.page ?? "0"), size: Number(query.size ?? "50") };
}

/** The merchant that a list is to be of; undefined when the list is of all. */
export async function merchantOf(
  merchants: Pick<Merchants, "find">,
  query: { readonly merchant_no?: string },
): Promise<Result<number | undefined, "merchant_unknown">> {
  if (query.merchant_no === undefined) return ok(undefined);
  const merchant = await merchants.find(query.merchant_no);
  return merchant === null ? refused("merchant_unknown") : ok(merchant.merchantId);
}

export const merchantParams = z.strictObject({ merchant_no: publicNumber });
export const credentialParams = z.strictObject({ merchant_no: publicNumber, credential_id: uuid });

export const timeMs = z.int().meta({ description: "Unix time in milliseconds.", examples: [1779408000000] });
