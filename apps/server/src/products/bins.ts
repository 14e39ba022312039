import { type AuditDetail, appendAudit, changeDetail, type Initiator } from "#audit/index.ts";
import { inTransaction } from "#database/index.ts";
import { ok, orderNumber, type Result, refused } from "#kernel/index.ts";
import type { ProductsDeps } from "./deps.ts";
import { completeFees } from "./fee-detail.ts";
import { type BinChange, binChange, type NewBin, newBin } from "./input.ts";
import type { Bin } from "./product.ts";
import { type ProductRefusal, refuseInput } from "./refusals.ts";
import { insertBin, insertTerms, lockBin, updateBinRow } from "./store.ts";
import { limitsObject, parseLimits } from "./terms.ts";

/** Three years, 16 digits and 10 cards are what issuing banks lend a BIN for by default. */
const defaults = { panLength: 16, currencies: ["USD"], validMonths: 36, cardsPerCardholderMax: 10, offeredTo: null };

/** A new range of card numbers with the first version of its terms. */
export async function createBin(
  deps: ProductsDeps,
  input: NewBin,
  by: Initiator,
): Promise<Result<Bin, ProductRefusal>> {
  const parsed = newBin.safeParse(input);
  if (!parsed.success) return refuseInput(parsed.error);
  const { limits, rates = {}, ...given } = parsed.data;
  const fees = completeFees(rates);
  if (!fees.ok) return fees;
  if (!given.supportVirtual && !given.supportPhysical) return refused("card_type_missing");
  const at = deps.clock.now();
  const bin: Bin = {
    ...defaults,
    ...given,
    cardBinNo: orderNumber("B", at),
    status: "On",
    termsVersion: 1,
    limits: parseLimits(limits),
    feeDetail: fees.value,
    createdAt: at,
  };
  // A serial of at least one digit and the check digit must fit behind the BIN.
  if (bin.bin.length > bin.panLength - 2) return refused({ field: "bin", message: "is too long for pan_length" });
  return inTransaction(deps.pool, async (tx) => {
    const { cardBinNo: productNo, termsVersion: version, createdAt } = bin;
    await insertBin(tx, bin);
    await insertTerms(tx, { productNo, version, limits: bin.limits, feeDetail: bin.feeDetail, createdAt });
    const detail = { bin: bin.bin, pan_length: bin.panLength, organization: bin.organization, ...binDetail(bin) };
    await appendAudit(tx, { ...by, merchantId: 0, action: "bin.create", subject: productNo, detail, at });
    return ok(bin);
  });
}

/**
 * Changes what is given and leaves the rest, single limits and rates too. When limits or rates differ, new cards get a new
 * version of the terms; cards that exist keep theirs.
 */
export async function updateBin(
  deps: ProductsDeps,
  input: { readonly cardBinNo: string; readonly change: BinChange },
  by: Initiator,
): Promise<Result<Bin, ProductRefusal>> {
  const parsed = binChange.safeParse(input.change);
  if (!parsed.success) return refuseInput(parsed.error);
  const { limits = {}, rates = {}, ...given } = parsed.data;
  return inTransaction(deps.pool, async (tx): Promise<Result<Bin, ProductRefusal>> => {
    const before = await lockBin(tx, input.cardBinNo);
    if (before === null) return refused("bin_unknown");
    const fees = completeFees({ ...before.feeDetail, ...rates });
    if (!fees.ok) return fees;
    const wanted = { ...before, ...given, feeDetail: fees.value };
    const merged = { ...wanted, limits: parseLimits({ ...limitsObject(before.limits), ...limits }) };
    if (!merged.supportVirtual && !merged.supportPhysical) return refused("card_type_missing");
    const detail = changeDetail({ before: binDetail(before), after: binDetail(merged) });
    if (detail === null) return ok(before);
    const at = deps.clock.now();
    const hasNewTerms = termsDiffer(before, merged);
    const after: Bin = { ...merged, termsVersion: before.termsVersion + (hasNewTerms ? 1 : 0) };
    const { cardBinNo: productNo, termsVersion: version } = after;
    if (hasNewTerms) {
      await insertTerms(tx, { productNo, version, limits: after.limits, feeDetail: after.feeDetail, createdAt: at });
    }
    await updateBinRow(tx, after);
    await appendAudit(tx, { ...by, merchantId: 0, action: "bin.update", subject: productNo, detail, at });
    return ok(after);
  });
}

/** Whether two states of a product differ in what a card keeps. */
export function termsDiffer(
  before: Pick<Bin, "limits" | "feeDetail">,
  after: Pick<Bin, "limits" | "feeDetail">,
): boolean {
  return changeDetail({ before: termsDetail(before), after: termsDetail(after) }) !== null;
}

/** For the audit: limits and rates in the wire's names. */
export function termsDetail(terms: Pick<Bin, "limits" | "feeDetail">): AuditDetail {
  return { limits: { ...limitsObject(terms.limits) }, rates: { ...terms.feeDetail } };
}

function binDetail(bin: Bin): AuditDetail {
  return {
    status: bin.status,
    currencies: bin.currencies,
    valid_months: bin.validMonths,
    support_virtual: bin.supportVirtual,
    support_physical: bin.supportPhysical,
    cards_per_cardholder_max: bin.cardsPerCardholderMax,
    offered_to: bin.offeredTo,
    ...termsDetail(bin),
  };
}
