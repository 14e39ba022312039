/** What becomes of a card transaction after its authorization, and what its card costs by itself. */
import { createPresentments, type Presentments, type PresentmentsDeps } from "./presentments.ts";
import { reversalRules } from "./reversal-rules.ts";
import { createReversals, type Reversals, type ReversalsDeps } from "./reversals.ts";
import { clearingRules as presentmentRules } from "./rules.ts";

export { createManagement, type Management, type ManagementDeps } from "./management.ts";
export type { ExemptionChange, ExemptionRefusal, ManagementExemption } from "./management-exemption.ts";
export * from "./presentments.ts";
export * from "./reversals.ts";

export type ClearingDeps = PresentmentsDeps & ReversalsDeps;

/** Messages are taken once, by the network's own reference; a repeat gets the same answer. */
export type Clearing = Presentments & Reversals;

export function createClearing(deps: ClearingDeps): Clearing {
  return { ...createPresentments(deps), ...createReversals(deps) };
}

/** What `verify` checks beside the ledger's own rules. */
export const clearingRules = [...presentmentRules, ...reversalRules];
