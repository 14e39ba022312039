/** Reversals, the end of holds, and fees that are charged by themselves. */

import type { Result } from "#kernel/index.ts";
import { chargeDueFees, type DueFeesDeps } from "./due-fees.ts";
import { type ReleaseDeps, releaseExpired } from "./release.ts";
import type { ReversalAnswer, ReversalMessage, ReversalRefusal } from "./reversal-message.ts";
import { type ReverseDeps, reverse } from "./reverse.ts";

export type { ReversalAnswer, ReversalEffect, ReversalMessage, ReversalRefusal } from "./reversal-message.ts";
export { reversalRules } from "./reversal-rules.ts";

export type ReversalsOptions = ReverseDeps & ReleaseDeps & DueFeesDeps;

export interface Reversals {
  /** Undoes a transaction or a part of it, once for each message of the network. */
  reverse(message: ReversalMessage): Promise<Result<ReversalAnswer, ReversalRefusal>>;
  /** Ends holds that have run out; answers how many. For the worker. */
  releaseExpired(): Promise<number>;
  /** Charges the fees of declines and cancels; answers how many were settled. For the worker. */
  chargeDueFees(): Promise<number>;
}

export function createReversals(options: ReversalsOptions): Reversals {
  return {
    reverse: (message) => reverse(options, message),
    releaseExpired: () => releaseExpired(options),
    chargeDueFees: () => chargeDueFees(options),
  };
}
