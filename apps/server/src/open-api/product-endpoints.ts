import { ok } from "#kernel/index.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";
import { pageOf } from "./list-filter.ts";

/** `card/package/list`, contract section 3: what is on and offered to the merchant. */
export const listPackages: EndpointHandler<"card.package_list"> = async (deps, call, input) => {
  const list = await deps.products.listPackages({
    merchantId: call.merchant.merchantId,
    ...(input.type !== undefined && { type: input.type }),
    ...(input.package_no !== undefined && { packageNo: input.package_no }),
    ...pageOf(input),
  });
  return ok({ list });
};

/** `card/support/bins`, contract section 3. */
export const listBins: EndpointHandler<"card.support_bins"> = async (deps, call, input) => {
  const list = await deps.products.listBins({
    merchantId: call.merchant.merchantId,
    ...(input.card_bin_no !== undefined && { cardBinNo: input.card_bin_no }),
    ...pageOf(input),
  });
  return ok({ list });
};
