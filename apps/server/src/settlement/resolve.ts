import { formatAmount } from "@cardwright/money";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction } from "#database/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { oneLine } from "#merchants/index.ts";
import type { SettlementDeps } from "./deps.ts";
import type { Resolution, SettlementItem } from "./file.ts";
import { settledDecimals } from "./file-format.ts";
import { selectItem, updateResolved } from "./item-store.ts";
import { settlement as bounds } from "./limits.ts";

export type ResolveRefusal = "settlement_item_unknown" | "settlement_item_resolved" | "note_invalid";

export interface Decision {
  readonly itemId: string;
  readonly resolution: Resolution;
  /** Why, for whoever reads it later: one line. */
  readonly note: string;
}

/**
 * Records what was decided about a difference. It moves no money: what the decision asks for is booked as an adjustment, by two
 * people. The same decision again answers the same; another one of a resolved item is refused.
 */
export async function resolveItem(
  deps: SettlementDeps,
  decision: Decision,
  by: Initiator,
): Promise<Result<SettlementItem, ResolveRefusal>> {
  const { itemId, resolution, note } = decision;
  if (note.length > bounds.noteCharactersMax || !oneLine.test(note)) return refused("note_invalid");
  const at = deps.clock.now();
  return inTransaction(deps.pool, async (sql) => {
    const resolved = await updateResolved(sql, { ...decision, by: by.actor, at });
    if (resolved === null) {
      const known = await selectItem(sql, itemId);
      if (known === null) return refused("settlement_item_unknown");
      const isSame = known.resolution === resolution && known.note === note && known.resolvedBy !== "";
      return isSame ? ok(known) : refused("settlement_item_resolved");
    }
    await appendAudit(sql, {
      ...by,
      merchantId: resolved.merchantId ?? 0,
      action: "settlement.resolve",
      subject: itemId,
      detail: {
        kind: resolved.kind,
        network_reference: resolved.networkReference,
        resolution,
        note,
        their_amount: amountText(resolved.theirAmount),
        our_amount: amountText(resolved.ourAmount),
      },
      at,
    });
    return ok(resolved);
  });
}

const amountText = (amount: bigint | null): string => (amount === null ? "" : formatAmount(amount, settledDecimals));
