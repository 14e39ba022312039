import { type AuditDetail, appendAudit, changeDetail, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, orderNumber, type Result, refused } from "#kernel/index.ts";
import { termsDetail, termsDiffer } from "./bins.ts";
import type { ProductsDeps } from "./deps.ts";
import { completeFees } from "./fee-detail.ts";
import { type NewPackage, newPackage, type PackageChange, packageChange } from "./input.ts";
import type { Package } from "./product.ts";
import { type ProductRefusal, refuseInput } from "./refusals.ts";
import { insertPackage, insertTerms, lockPackage, selectBin, updatePackageRow } from "./store.ts";
import { limitsObject, parseLimits } from "./terms.ts";

const defaults = { enDesc: "", cnDesc: "", enTagList: [], cnTagList: [], cardsPerCardholderMax: 10, offeredTo: null };

/** A new package on a BIN, with the first version of its terms. */
export async function createPackage(
  deps: ProductsDeps,
  input: NewPackage,
  by: Initiator,
): Promise<Result<Package, ProductRefusal>> {
  const parsed = newPackage.safeParse(input);
  if (!parsed.success) return refuseInput(parsed.error);
  const { limits, rates = {}, ...given } = parsed.data;
  const fees = completeFees(rates);
  if (!fees.ok) return fees;
  const at = deps.clock.now();
  const product: Package = {
    ...defaults,
    ...given,
    packageNo: orderNumber("P", at),
    status: "On",
    termsVersion: 1,
    limits: parseLimits(limits),
    feeDetail: fees.value,
    createdAt: at,
  };
  return inTransaction(deps.pool, async (tx): Promise<Result<Package, ProductRefusal>> => {
    const wrong = await checkCardTypes(tx, product);
    if (wrong !== null) return refused(wrong);
    const { packageNo: productNo, termsVersion: version, createdAt } = product;
    await insertPackage(tx, product);
    await insertTerms(tx, { productNo, version, limits: product.limits, feeDetail: product.feeDetail, createdAt });
    const detail = { card_bin_no: product.cardBinNo, ...packageDetail(product) };
    await appendAudit(tx, { ...by, merchantId: 0, action: "package.create", subject: productNo, detail, at });
    return ok(product);
  });
}

/** As `updateBin`: what is given changes, new terms are a new version. */
export async function updatePackage(
  deps: ProductsDeps,
  input: { readonly packageNo: string; readonly change: PackageChange },
  by: Initiator,
): Promise<Result<Package, ProductRefusal>> {
  const parsed = packageChange.safeParse(input.change);
  if (!parsed.success) return refuseInput(parsed.error);
  const { limits = {}, rates = {}, ...given } = parsed.data;
  return inTransaction(deps.pool, async (tx): Promise<Result<Package, ProductRefusal>> => {
    const before = await lockPackage(tx, input.packageNo);
    if (before === null) return refused("package_unknown");
    const fees = completeFees({ ...before.feeDetail, ...rates });
    if (!fees.ok) return fees;
    const wanted = { ...before, ...given, feeDetail: fees.value };
    const merged = { ...wanted, limits: parseLimits({ ...limitsObject(before.limits), ...limits }) };
    // Only what is asked for now is checked: a BIN may have lost a card type since, and the package must stay changeable.
    const asksForTypes = given.supportVirtual !== undefined || given.supportPhysical !== undefined;
    const wrong = asksForTypes ? await checkCardTypes(tx, merged) : null;
    if (wrong !== null) return refused(wrong);
    const detail = changeDetail({ before: packageDetail(before), after: packageDetail(merged) });
    if (detail === null) return ok(before);
    const at = deps.clock.now();
    const hasNewTerms = termsDiffer(before, merged);
    const after: Package = { ...merged, termsVersion: before.termsVersion + (hasNewTerms ? 1 : 0) };
    const { packageNo: productNo, termsVersion: version } = after;
    if (hasNewTerms) {
      await insertTerms(tx, { productNo, version, limits: after.limits, feeDetail: after.feeDetail, createdAt: at });
    }
    await updatePackageRow(tx, after);
    await appendAudit(tx, { ...by, merchantId: 0, action: "package.update", subject: productNo, detail, at });
    return ok(after);
  });
}

/** A package can only offer what the cards of its BIN can be. */
async function checkCardTypes(
  tx: Sql,
  product: Pick<Package, "cardBinNo" | "supportVirtual" | "supportPhysical">,
): Promise<ProductRefusal | null> {
  if (!product.supportVirtual && !product.supportPhysical) return "card_type_missing";
  const bin = await selectBin(tx, product.cardBinNo);
  if (bin === null) return "bin_unknown";
  const isMore = (product.supportVirtual && !bin.supportVirtual) || (product.supportPhysical && !bin.supportPhysical);
  return isMore ? "card_type_not_on_bin" : null;
}

function packageDetail(product: Package): AuditDetail {
  return {
    status: product.status,
    en_name: product.enName,
    cn_name: product.cnName,
    en_desc: product.enDesc,
    cn_desc: product.cnDesc,
    en_tag_list: product.enTagList,
    cn_tag_list: product.cnTagList,
    support_virtual: product.supportVirtual,
    support_physical: product.supportPhysical,
    cards_per_cardholder_max: product.cardsPerCardholderMax,
    offered_to: product.offeredTo,
    ...termsDetail(product),
  };
}
