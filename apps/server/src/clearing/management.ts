import type { Pool } from "pg";
import type { Initiator } from "#audit/index.ts";
import type { Clock, MayGoOn, Result, ScheduledWork } from "#kernel/index.ts";
import type { Terms } from "#products/index.ts";
import { chargeManagement } from "./management-charge.ts";
import {
  type ExemptionChange,
  type ExemptionRefusal,
  type ManagementExemption,
  selectExemptions,
  setExemption,
} from "./management-exemption.ts";
import { type ManagementDue, selectDue, selectNextDueAt } from "./management-store.ts";

export interface ManagementDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Fees of one version of a product. */
  readonly terms: (key: { readonly productNo: string; readonly version: number }) => Promise<Pick<Terms, "rates">>;
  /** Told of a fee that failed by a bug; the others are taken all the same, and it is tried again in the next round. */
  readonly onError: (error: unknown) => void;
}

/** Management fees: each month or year of a card, on the cardholder's and on the reserve's side. */
export interface Management extends ScheduledWork {
  exempt(change: ExemptionChange, by: Initiator): Promise<Result<null, ExemptionRefusal>>;
  exemptions(page: {
    readonly merchantId: number;
    readonly page: number;
    readonly size: number;
  }): Promise<ManagementExemption[]>;
}

/** Rows of one look, about 100 bytes each. */
const batchMax = 200;
export function createManagement(deps: ManagementDeps): Management {
  return {
    name: "management fees",
    nextDueAt: (after) => selectNextDueAt(deps.pool, after),
    runDue: (until, mayGoOn) => chargeDue(deps, { until, mayGoOn }),
    exempt: (change, by) => setExemption(deps, change, by),
    exemptions: (page) => selectExemptions(deps.pool, page),
  };
}

/**
 * Takes all fees that are due by `until`, in the order of their due times: a card's periods follow one another, and between them come
 * those of other cards, which may take from the same account. Answers how many were looked at and moved on.
 */
async function chargeDue(
  deps: ManagementDeps,
  { until, mayGoOn }: { readonly until: number; readonly mayGoOn: MayGoOn },
): Promise<number> {
  let done = 0;
  let after: ManagementDue | null = null;
  while (mayGoOn()) {
    // A row that fails is passed by, since the next look begins after it.
    const batch: ManagementDue[] = await selectDue(deps.pool, { until, after, limit: batchMax });
    if (batch.length === 0) {
      break;
    }
    let soonest = Number.POSITIVE_INFINITY;
    for (const due of batch) {
      // What this batch has made due comes before what lies behind it, and at one moment the key decides.
      if (due.dueAt >= soonest || !mayGoOn()) {
        break;
      }
      const charged = await chargeOne(deps, due);
      done += charged.done ? 1 : 0;
      soonest = Math.min(soonest, charged.nextDueAt ?? soonest);
      after = due;
    }
  }
  return done;
}

async function chargeOne(deps: ManagementDeps, due: ManagementDue): ReturnType<typeof chargeManagement> {
  try {
    const { rates } = await deps.terms(due.terms);
    return await chargeManagement(deps, { due, schedule: rates.management });
  } catch (error) {
    deps.onError(error);
    return { done: false, nextDueAt: null };
  }
}
