import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { markRowsRemoved } from "./file-store.ts";
import { settlement as bounds } from "./limits.ts";
import { deleteRows } from "./row-store.ts";

/**
 * Removes all rows of a file that does not count, in pieces. `whileHolding` is asked in each piece's transaction whether the file
 * may still be touched; null for a rejected file, which nobody else touches. False when it may not.
 */
export async function removeRows(
  pool: Pool,
  work: {
    readonly fileKey: number;
    readonly whileHolding: ((sql: Sql) => Promise<boolean>) | null;
    readonly onRemoved: (rows: number) => void;
  },
): Promise<boolean> {
  const { fileKey, whileHolding } = work;
  let total = 0;
  // Ends: nobody adds rows to the file, and each round but the last removes a whole piece.
  for (;;) {
    const removed = await inTransaction(pool, async (sql) => {
      const mayTouch = whileHolding === null || (await whileHolding(sql));
      return mayTouch ? deleteRows(sql, { fileKey, limit: bounds.pieceRows }) : null;
    });
    if (removed === null) {
      return false;
    }
    total += removed;
    work.onRemoved(total);
    if (removed < bounds.pieceRows) {
      break;
    }
  }
  if (whileHolding === null) {
    await markRowsRemoved(pool, fileKey);
  }
  return true;
}
