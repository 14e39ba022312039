import { decimalsOf, formatAmount } from "@cardwright/money";
import { type AuditDetail, appendAudit, changeDetail, type Initiator } from "#audit/index.ts";
import { inTransaction } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { findAccount, setFloor } from "#ledger/index.ts";
import { reserve as bounds } from "../../limits.ts";
import { insertEvent } from "../event-store.ts";
import { selectMerchant } from "../store.ts";
import {
  lockBook,
  type ReserveBook,
  saveBelow,
  saveSettings,
  selectCrossed,
  type ZeroPolicyKind,
} from "./book-store.ts";
import type { ReserveDeps } from "./orders.ts";

/** What is given replaces what was; amounts in minor units of USD. */
export interface ReserveSettingsChange {
  readonly zeroPolicy?: { readonly kind: ZeroPolicyKind; readonly grace: bigint };
  readonly thresholds?: readonly bigint[];
}

export type ReserveSettingsRefusal = "merchant_unknown" | "merchant_closed" | "thresholds_invalid" | "grace_invalid";
export type ReserveSettings = Omit<ReserveBook, "below">;

/**
 * Changes the policy at zero and the warnings. A grace is the ledger's floor from the commit on; one that ends while the reserve is
 * below zero leaves the balance as it is, and nothing is approved until it is above zero again.
 */
export async function changeReserveSettings(
  deps: ReserveDeps,
  input: { readonly merchantId: number; readonly change: ReserveSettingsChange },
  by: Initiator,
): Promise<Result<ReserveSettings, ReserveSettingsRefusal>> {
  const { merchantId, change } = input;
  const wrong = wrongPart(change);
  if (wrong !== null) return refused(wrong);
  return inTransaction(deps.pool, async (tx) => {
    const merchant = await selectMerchant(tx, merchantId);
    if (merchant === null) return refused("merchant_unknown");
    if (merchant.status === "Closed") return refused("merchant_closed");
    const before = await lockBook(tx, merchantId);
    const thresholds = [...(change.thresholds ?? before.thresholds)].sort((one, other) => (one < other ? -1 : 1));
    const after = {
      thresholds,
      below: before.below.filter((amount) => thresholds.includes(amount)),
      zeroPolicy: change.zeroPolicy?.kind ?? before.zeroPolicy,
      grace: change.zeroPolicy?.grace ?? before.grace,
    };
    const detail = changeDetail({ before: settingsDetail(before), after: settingsDetail(after) });
    if (detail === null) return ok(after);
    await saveSettings(tx, { ...after, merchantId });
    const at = deps.clock.now();
    await appendAudit(tx, { ...by, merchantId, action: "reserve.settings", subject: merchant.merchantNo, detail, at });
    const account = await findAccount(tx, { merchantId, kind: "reserve", owner: "" });
    if (account === null) throw new Error("a merchant has no reserve account");
    await setFloor(tx, { merchantId, accountId: account.accountId, floor: -after.grace });
    return ok(after);
  });
}

function wrongPart({ zeroPolicy, thresholds = [] }: ReserveSettingsChange): ReserveSettingsRefusal | null {
  if (zeroPolicy !== undefined) {
    const { kind, grace } = zeroPolicy;
    const fits = kind === "grace" ? grace > 0n && grace <= bounds.amountMax : grace === 0n;
    if (!fits) return "grace_invalid";
  }
  const fit = thresholds.every((amount) => amount > 0n && amount <= bounds.amountMax);
  const distinct = new Set(thresholds).size === thresholds.length;
  return fit && distinct && thresholds.length <= bounds.thresholdsMax ? null : "thresholds_invalid";
}

const text = (minor: bigint): string => formatAmount(minor, decimalsOf("USD"));

function settingsDetail({ zeroPolicy, grace, thresholds }: ReserveSettings): AuditDetail {
  return { zero_policy: zeroPolicy, grace: text(grace), thresholds: thresholds.map(text) };
}

/**
 * One round of the worker: tells the operators of merchants whose available reserve has fallen below a threshold, once for each
 * crossing. A threshold warns again only after the reserve was seen above it; one that is set when the reserve is below it already
 * warns at once. A dip that is over before a round sees it passes unnoticed. Answers how many merchants have changed.
 */
export async function warnOfLowReserves(deps: ReserveDeps): Promise<number> {
  const crossed = await selectCrossed(deps.pool, bounds.watchBatchMax);
  for (const merchantId of crossed) {
    await look(deps, merchantId);
  }
  return crossed.length;
}

async function look(deps: ReserveDeps, merchantId: number): Promise<void> {
  await inTransaction(deps.pool, async (tx) => {
    const book = await lockBook(tx, merchantId);
    const account = await findAccount(tx, { merchantId, kind: "reserve", owner: "" });
    if (account === null) throw new Error("a merchant has no reserve account");
    const below = book.thresholds.filter((threshold) => account.available < threshold);
    const at = deps.clock.now();
    // The highest first, as the reserve has fallen through them.
    for (const threshold of below.filter((amount) => !book.below.includes(amount)).toReversed()) {
      const detail = { threshold: text(threshold), available: text(account.available), held: text(account.held) };
      await insertEvent(tx, { merchantId, eventId: uuid7(at), kind: "reserve_low", detail, at });
    }
    await saveBelow(tx, { merchantId, below });
  });
}
