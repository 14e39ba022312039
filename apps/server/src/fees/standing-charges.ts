import type { ManagementFee, ProductRates } from "#products/index.ts";
import { type PeriodActivity, waived } from "./management.ts";

/** A fee taken by itself, as a consumption of its own: `amount` is the cost, `fee` is 0 (contract section 9, Money). */
export interface StandingCharge {
  readonly type: "Open_card" | "Manage_fee";
  /** Minor units, above zero. */
  readonly amount: bigint;
}

/** What issuing a card costs, or null where the product has no opening cost and no consumption is made. */
export function openingCharge(schedule: Pick<ProductRates, "openCost">): StandingCharge | null {
  return schedule.openCost > 0n ? { type: "Open_card", amount: schedule.openCost } : null;
}

/**
 * What a management period costs at its start, or null where nothing is due. `before` is what the card did in the period that
 * has just ended; a card's first period has none before it and is judged by nothing spent.
 */
export function managementCharge(schedule: ManagementFee, before: PeriodActivity): StandingCharge | null {
  const due = schedule.type !== "None" && schedule.fee > 0n && !waived({ schedule, ...before });
  return due ? { type: "Manage_fee", amount: schedule.fee } : null;
}
