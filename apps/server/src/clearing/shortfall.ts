import type { Sql } from "#database/index.ts";

/** What becomes of a clearing that the cardholder's account does not cover: it falls below zero, or the merchant's income bears the rest. */
export type ShortfallPolicy = "overdraw" | "absorb";

export async function shortfallPolicyOf(sql: Sql, merchantId: number): Promise<ShortfallPolicy> {
  const { rows } = await sql.query<{ shortfall_policy: ShortfallPolicy }>({
    name: "clearing_shortfall_policy",
    text: "SELECT shortfall_policy FROM merchant WHERE merchant_id = $1",
    values: [merchantId],
  });
  if (rows[0] === undefined) {
    throw new Error(`there is no merchant ${merchantId}`);
  }
  return rows[0].shortfall_policy;
}
