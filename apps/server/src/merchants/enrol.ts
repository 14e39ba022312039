import { decimalsOf, formatAmount, formatRate } from "@cardwright/money";
import { type AuditDetail, appendAudit, changeDetail, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, orderNumber, type Result, refused } from "#kernel/index.ts";
import { creditAccountKinds, openAccount, platformAccountKinds } from "#ledger/index.ts";
import { newAppId } from "./api-key.ts";
import {
  type CreditPolicy,
  declineOnFailure,
  defaultUtcOffsetMinutes,
  type FailurePolicy,
  type Merchant,
  type MerchantChange,
  type NewMerchant,
} from "./merchant.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { MerchantRefusal, SettingsRefusal } from "./refusals.ts";
import { checkSettings } from "./settings.ts";
import { insertMerchant, lockMerchant, updateMerchantRow } from "./store.ts";
import { tellTargetChange } from "./target-change.ts";

/** Makes a merchant and opens the ledger accounts of its mode, both or neither. */
export async function createMerchant(
  deps: MerchantsDeps,
  input: NewMerchant,
  by: Initiator,
): Promise<Result<Merchant, SettingsRefusal>> {
  const settings = {
    name: input.name,
    callbackUrl: input.callbackUrl ?? "",
    pciEnabled: input.pciEnabled ?? false,
    cardFrameOrigins: input.cardFrameOrigins ?? [],
    utcOffsetMinutes: input.utcOffsetMinutes ?? defaultUtcOffsetMinutes,
    failurePolicy: input.failurePolicy ?? declineOnFailure,
    shortfallPolicy: input.shortfallPolicy ?? "overdraw",
    creditPolicy: input.creditPolicy ?? ({ kind: "none" } as const),
  };
  const wrong = checkSettings(settings, deps);
  if (wrong !== null) return refused(wrong);
  const now = deps.clock.now();
  const facts = { mode: input.mode, status: "Active", createdAt: now } as const;
  return inTransaction(deps.pool, async (tx) => {
    const numbers = { merchantNo: orderNumber("M", now), appId: newAppId() };
    const merchant = await insertMerchant(tx, { ...settings, ...facts, ...numbers });
    const { merchantId, merchantNo } = merchant;
    await appendAudit(tx, {
      ...by,
      merchantId,
      action: "merchant.create",
      subject: merchantNo,
      detail: { mode: merchant.mode, app_id: merchant.appId, ...settingsDetail(merchant) },
      at: now,
    });
    const kinds =
      merchant.mode === "CREDIT_EXTENSION" ? [...platformAccountKinds, ...creditAccountKinds] : platformAccountKinds;
    for (const kind of kinds) {
      await openAccount(tx, { merchantId, kind, owner: "", now });
    }
    return ok(merchant);
  });
}

/** Changes what is given and leaves the rest. A closed merchant changes no more. */
export async function updateMerchant(
  deps: MerchantsDeps,
  input: { readonly merchantId: number; readonly change: MerchantChange },
  by: Initiator,
): Promise<Result<Merchant, MerchantRefusal>> {
  const { merchantId, change } = input;
  const changed = await inTransaction(deps.pool, (tx) =>
    changeMerchant(deps, tx, { merchantId, change: () => change, by }),
  );
  return changed.ok ? ok(changed.value.after) : changed;
}

/** In the caller's transaction, with the URL that is there now: nobody changes it in between. */
export async function replaceCallbackUrl(
  deps: MerchantsDeps,
  tx: Sql,
  input: { readonly merchantId: number; readonly next: (present: string) => string; readonly by: Initiator },
): Promise<Result<{ readonly before: string; readonly after: string }, MerchantRefusal>> {
  const { merchantId, next, by } = input;
  const change = ({ callbackUrl }: Merchant): MerchantChange => ({ callbackUrl: next(callbackUrl) });
  const changed = await changeMerchant(deps, tx, { merchantId, change, by });
  return changed.ok
    ? ok({ before: changed.value.before.callbackUrl, after: changed.value.after.callbackUrl })
    : changed;
}

async function changeMerchant(
  deps: MerchantsDeps,
  tx: Sql,
  input: { readonly merchantId: number; readonly change: (before: Merchant) => MerchantChange; readonly by: Initiator },
): Promise<Result<{ readonly before: Merchant; readonly after: Merchant }, MerchantRefusal>> {
  const before = await lockMerchant(tx, input.merchantId);
  if (before === null) return refused("merchant_unknown");
  if (before.status === "Closed") return refused("merchant_closed");
  const after: Merchant = { ...before, ...input.change(before) };
  const wrong = checkSettings(after, deps);
  if (wrong !== null) return refused(wrong);
  const detail = changeDetail({ before: settingsDetail(before), after: settingsDetail(after) });
  if (detail === null) return ok({ before, after });
  await updateMerchantRow(tx, after);
  if (after.callbackUrl !== before.callbackUrl) await tellTargetChange(tx, after.merchantId);
  const { merchantId, merchantNo } = after;
  const at = deps.clock.now();
  await appendAudit(tx, { ...input.by, merchantId, action: "merchant.update", subject: merchantNo, detail, at });
  return ok({ before, after });
}

function settingsDetail(merchant: Merchant): AuditDetail {
  return {
    name: merchant.name,
    status: merchant.status,
    callback_url: merchant.callbackUrl,
    pci_enabled: merchant.pciEnabled,
    card_frame_origins: merchant.cardFrameOrigins,
    utc_offset_minutes: merchant.utcOffsetMinutes,
    failure_policy: policyDetail(merchant.failurePolicy),
    shortfall_policy: merchant.shortfallPolicy,
    credit_policy: creditPolicyDetail(merchant.creditPolicy),
  };
}

function creditPolicyDetail(policy: CreditPolicy): AuditDetail {
  return { kind: policy.kind, ratio: policy.kind === "ratio" ? formatRate(policy.ratio) : "" };
}

/** Cards are billed in USD or TUSDT, which have the same decimals. */
function policyDetail(policy: FailurePolicy): AuditDetail {
  const text = (minor: bigint): string => formatAmount(minor, decimalsOf("USD"));
  return {
    kind: policy.kind,
    purchase_max: text(policy.purchaseMax),
    card_day_max: text(policy.cardDayMax),
    day_max: text(policy.dayMax),
  };
}
