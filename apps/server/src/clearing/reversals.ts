/** Reversals, the end of holds, and fees that are charged by themselves. */

import type { Result } from "#kernel/index.ts";
import { chargeDueFees, type DueFeesDeps, nextDueFee } from "./due-fees.ts";
import { nextExpiry, type ReleaseDeps, releaseExpired } from "./release.ts";
import type { ReversalAnswer, ReversalMessage, ReversalRefusal } from "./reversal-message.ts";
import { type ReverseDeps, reverse } from "./reverse.ts";

export type { ReversalAnswer, ReversalEffect, ReversalMessage, ReversalRefusal } from "./reversal-message.ts";

export type ReversalsDeps = ReverseDeps & ReleaseDeps & DueFeesDeps;

export interface Reversals {
  /** Undoes a transaction or a part of it, once for each message of the network. */
  reverse(message: ReversalMessage): Promise<Result<ReversalAnswer, ReversalRefusal>>;
  /** Ends holds that have run out, by `until` (Unix ms) when it is given; answers how many. For the worker. */
  releaseExpired(until?: number): Promise<number>;
  /** When the next one after `after` runs out, Unix ms; null when none is open. */
  nextExpiry(after: number): Promise<number | null>;
  /** Charges the fees of declines and cancels; answers how many were settled. For the worker. */
  chargeDueFees(): Promise<number>;
  /** The moment of the next transaction after `after` whose fee waits, Unix ms; null when none does. */
  nextDueFee(after: number): Promise<number | null>;
}

export function createReversals(options: ReversalsDeps): Reversals {
  return {
    reverse: (message) => reverse(options, message),
    releaseExpired: (until) => releaseExpired(options, until),
    nextExpiry: (after) => nextExpiry(options.pool, after),
    chargeDueFees: () => chargeDueFees(options),
    nextDueFee: (after) => nextDueFee(options.pool, after),
  };
}
