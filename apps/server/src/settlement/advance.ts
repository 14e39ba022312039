import { decideDays } from "./decide-days.ts";
import type { SettlementDeps } from "./deps.ts";
import { selectUnfinished } from "./file-store.ts";
import { firstItem, matchFile, reviewAwaited } from "./match.ts";
import { removeRows } from "./remove-rows.ts";

/**
 * One round of the worker: ends what a process that died has left (a file read whole and not yet compared, rows of a rejected
 * one), decides days, and looks whether messages have come that rows were waiting for. Safe in any number of processes. Answers how
 * much there was to do.
 */
export function createAdvance(deps: SettlementDeps): () => Promise<number> {
  let after = firstItem;
  return async () => {
    const unfinished = await selectUnfinished(deps.pool);
    for (const { fileKey, state } of unfinished) {
      if (state === "matching") {
        await matchFile(deps, { fileKey, by: { actor: "platform" }, onProgress: () => {} });
      } else {
        await removeRows(deps.pool, { fileKey, whileHolding: null, onRemoved: () => {} });
      }
    }
    const days = await decideDays(deps, () => {});
    const awaited = await reviewAwaited(deps, after);
    after = awaited.after;
    return unfinished.length + days + awaited.changed;
  };
}
