import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction } from "#database/index.ts";
import type { SettlementDeps } from "./deps.ts";
import { selectFile } from "./file-store.ts";
import { settlement as bounds } from "./limits.ts";
import {
  addCounts,
  finishFile,
  lockTurn,
  matchPiece,
  selectProgress,
  updateAwaitedItems,
  updateNamedItems,
} from "./match-store.ts";

/** Compared so far, and all there are: lines of the file. */
export type OnMatched = (progress: { readonly lines: number; readonly of: number }) => void;

/**
 * Compares every row of a file that was received whole with our messages, a piece in each transaction, from where it was left off.
 * Any number of processes may do so at once: each piece is done by one of them.
 */
export async function matchFile(
  deps: SettlementDeps,
  work: { readonly fileKey: number; readonly by: Initiator; readonly onProgress: OnMatched },
): Promise<void> {
  // Every piece moves the file on, so this ends after lines / pieceRows rounds.
  for (;;) {
    const progress = await inTransaction(deps.pool, (sql) => matchNextPiece(deps, sql, work), { planned: "by_index" });
    if (progress === null) {
      return;
    }
    work.onProgress(progress);
  }
}

async function matchNextPiece(
  deps: SettlementDeps,
  sql: Parameters<typeof lockTurn>[0],
  work: { readonly fileKey: number; readonly by: Initiator },
): Promise<{ readonly lines: number; readonly of: number } | null> {
  await lockTurn(sql);
  const { fileKey, by } = work;
  const progress = await selectProgress(sql, fileKey);
  if (progress === null) {
    return null;
  }
  const at = deps.clock.now();
  const { orderNo, matchedTo, lastLine } = progress;
  if (matchedTo >= lastLine) {
    await finishFile(sql, { fileKey, at });
    await auditEnd(sql, { fileKey, by, at });
    return null;
  }
  const piece = { fileKey, orderNo, from: matchedTo, to: Math.min(matchedTo + bounds.pieceRows, lastLine), at };
  const counts = await matchPiece(sql, piece);
  await updateNamedItems(sql, piece);
  await addCounts(sql, piece, counts);
  return { lines: piece.to, of: lastLine };
}

/** Who has brought in what, and what came of it, in the platform's own chain. */
export async function auditEnd(
  sql: Parameters<typeof lockTurn>[0],
  ended: { readonly fileKey: number; readonly by: Initiator; readonly at: number },
): Promise<void> {
  const file = await selectFile(sql, ended.fileKey);
  if (file === null) {
    throw new Error(`settlement file ${ended.fileKey} is not there`);
  }
  await appendAudit(sql, {
    ...ended.by,
    merchantId: 0,
    action: file.state === "rejected" ? "settlement.reject" : "settlement.import",
    subject: String(ended.fileKey),
    detail: {
      file_id: file.fileId,
      network: file.network,
      settlement_date: file.settlementDate,
      sha256: file.sha256,
      reason: file.reason,
      rows: file.rowsRead,
      malformed: file.malformed,
      matched: file.matched,
      amount_differs: file.amountDiffers,
      only_theirs: file.onlyTheirs,
      named_twice: file.namedTwice,
    },
    at: ended.at,
  });
}

/** Below every UUID that Postgres makes. */
export const firstItem = "00000000-0000-0000-0000-000000000000";

/** Looks whether messages have come that rows were waiting for; answers where to go on, from the beginning again after the last. */
export async function reviewAwaited(
  deps: SettlementDeps,
  after: string,
): Promise<{ readonly after: string; readonly changed: number }> {
  const { last, looked, changed } = await inTransaction(
    deps.pool,
    (sql) => updateAwaitedItems(sql, { after, limit: bounds.awaitedPerRoundMax, at: deps.clock.now() }),
    { planned: "by_index" },
  );
  return { after: last === null || looked < bounds.awaitedPerRoundMax ? firstItem : last, changed };
}
