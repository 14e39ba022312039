import { type CardLines, createCardLines } from "./card-lines.ts";
import type { MerchantLoad } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";
import { claimMaxOf, freshPace, type Pace } from "./pace.ts";

/** What this process does and knows of one merchant. */
export interface MerchantWork {
  readonly merchantId: number;
  readonly pace: Pace;
  /** Claimed and not sent yet. */
  readonly lines: CardLines;
  inFlight: number;
  /** Nothing is claimed or sent before; Unix ms of business time. */
  heldUntilMs: number;
  /** How often it was let go: a try that began before must not hold it back for what may have changed since. */
  letGoes: number;
  /** The last claim got all it asked for, so there may be more. */
  mayHaveMore: boolean;
  /** Stands in the turn of merchants that have something to send. */
  isInTurn: boolean;
}

/** The merchants of this process, the one that was claimed for longest ago first. Bounded: those without work are forgotten. */
export interface MerchantWorks {
  of(merchantId: number): MerchantWork;
  known(merchantId: number): MerchantWork | undefined;
  loadOf(merchantId: number): MerchantLoad;
  all(): Iterable<MerchantWork>;
}

export function createMerchantWorks(): MerchantWorks {
  const works = new Map<number, MerchantWork>();
  return {
    of: (merchantId) => {
      const work = works.get(merchantId) ?? freshWork(merchantId);
      works.delete(merchantId);
      works.set(merchantId, work);
      forgetIdle(works);
      return work;
    },
    known: (merchantId) => works.get(merchantId),
    loadOf: (merchantId) => {
      const work = works.get(merchantId);
      return work === undefined
        ? { claimed: 0, claimMax: callbackLimits.windowFirst }
        : { claimed: work.inFlight + work.lines.waiting(), claimMax: claimMaxOf(work.pace) };
    },
    all: () => works.values(),
  };
}

function freshWork(merchantId: number): MerchantWork {
  return {
    merchantId,
    pace: freshPace(),
    lines: createCardLines(),
    inFlight: 0,
    heldUntilMs: 0,
    letGoes: 0,
    mayHaveMore: false,
    isInTurn: false,
  };
}

function forgetIdle(works: Map<number, MerchantWork>): void {
  for (const [merchantId, { inFlight, lines }] of works) {
    if (works.size <= callbackLimits.merchantsPacedMax) {
      return;
    }
    if (inFlight === 0 && lines.waiting() === 0) {
      works.delete(merchantId);
    }
  }
}
