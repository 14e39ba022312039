import type { Pool } from "pg";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";

/** A card that is kept when its management fee cannot be taken twice; null: every card of the merchant. */
export interface ManagementExemption {
  readonly cardNo: string | null;
  /** Unix ms. */
  readonly createdAt: number;
}

export interface ExemptionChange {
  readonly merchantId: number;
  /** Null: every card of the merchant. */
  readonly cardNo: string | null;
  readonly exempt: boolean;
}

export type ExemptionRefusal = "card_unknown";

/** Exempts from cancellation, or no longer. It is written into the audit when it changes something. */
export async function setExemption(
  deps: { readonly pool: Pool; readonly clock: Clock },
  change: ExemptionChange,
  by: Initiator,
): Promise<Result<null, ExemptionRefusal>> {
  const { merchantId, cardNo, exempt } = change;
  return inTransaction(deps.pool, async (sql) => {
    if (cardNo !== null && !(await cardExists(sql, { merchantId, cardNo }))) {
      return refused("card_unknown");
    }
    const at = deps.clock.now();
    const values = [merchantId, cardNo ?? "", ...(exempt ? [at] : [])];
    const { rowCount } = await sql.query(
      exempt
        ? "INSERT INTO management_exemption (merchant_id, card_no, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        : "DELETE FROM management_exemption WHERE merchant_id = $1 AND card_no = $2",
      values,
    );
    if (rowCount === 1) {
      const action = exempt ? "management.exempt" : "management.exempt_no_more";
      await appendAudit(sql, { ...by, merchantId, action, subject: cardNo ?? "every card", detail: {}, at });
    }
    return ok(null);
  });
}

async function cardExists(sql: Sql, key: { readonly merchantId: number; readonly cardNo: string }): Promise<boolean> {
  const { rowCount } = await sql.query("SELECT 1 FROM card WHERE merchant_id = $1 AND card_no = $2", [
    key.merchantId,
    key.cardNo,
  ]);
  return rowCount === 1;
}

/** The merchant's own first, then by card. */
export async function selectExemptions(
  sql: Sql,
  page: { readonly merchantId: number; readonly page: number; readonly size: number },
): Promise<ManagementExemption[]> {
  const { rows } = await sql.query<{ card_no: string; created_at: bigint }>(
    "SELECT card_no, created_at FROM management_exemption WHERE merchant_id = $1 ORDER BY card_no LIMIT $2 OFFSET $3",
    [page.merchantId, page.size, page.page * page.size],
  );
  return rows.map((row) => ({
    cardNo: row.card_no === "" ? null : row.card_no,
    createdAt: Number(row.created_at),
  }));
}
