import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import { type Claim, renewClaim } from "./file-store.ts";
import { insertRows, type RowBatch } from "./row-store.ts";

interface ReadSoFar {
  readonly rowsRead: number;
  readonly malformed: number;
}

/**
 * Writes batches, one at a time: `write` waits for the batch before and leaves its own under way, so the caller reads on meanwhile
 * and is at most one batch ahead of the database.
 */
export interface RowWriter {
  /** False when the file was lost to another import. Throws what the batch before threw. */
  write(batch: RowBatch, read: ReadSoFar): Promise<boolean>;
  /** Waits for the last batch. */
  end(): Promise<boolean>;
  /** Waits until nothing is under way, whatever became of it. */
  settled(): Promise<void>;
}

type Outcome =
  | { readonly kind: "written"; readonly isOurs: boolean }
  | { readonly kind: "failed"; readonly error: unknown };

export function createRowWriter(pool: Pool, claim: Claim): RowWriter {
  // An outcome and not a rejection: nobody looks at it before the next batch is read.
  let underWay: Promise<Outcome> = Promise.resolve({ kind: "written", isOurs: true });
  const end = async (): Promise<boolean> => {
    const outcome = await underWay;
    if (outcome.kind === "failed") {
      throw outcome.error;
    }
    return outcome.isOurs;
  };
  return {
    end,
    write: async (batch, read) => {
      if (!(await end())) {
        return false;
      }
      underWay = writeBatch(pool, claim, { batch, read }).then(
        (isOurs) => ({ kind: "written", isOurs }),
        (error: unknown) => ({ kind: "failed", error }),
      );
      return true;
    },
    settled: async () => {
      await underWay;
    },
  };
}

/** The lease and the rows in one transaction: who has lost the file cannot add to it. */
async function writeBatch(
  pool: Pool,
  claim: Claim,
  { batch, read }: { readonly batch: RowBatch; readonly read: ReadSoFar },
): Promise<boolean> {
  const columns = batch.columns();
  return inTransaction(pool, async (sql) => {
    const isOurs = await renewClaim(sql, claim, read);
    if (isOurs && batch.count > 0) {
      await insertRows(sql, claim.fileKey, columns);
    }
    return isOurs;
  });
}
