import type { Sql } from "#database/index.ts";
import type { ShortfallPolicy } from "#merchants/index.ts";

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
