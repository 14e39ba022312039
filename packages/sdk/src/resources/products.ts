import type { Bin, BinListParams, Package, PackageListParams } from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { PageList } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { list, openApi } from "./call.ts";

/** What cards can be opened on. */
export interface Products {
  /** Credit mode. */
  listPackages(params?: PackageListParams, options?: CallOptions): PageList<Package>;
  /** Authorization mode. */
  listBins(params?: BinListParams, options?: CallOptions): PageList<Bin>;
}

export function createProducts(transport: Transport): Products {
  const path = `${openApi}/card`;
  return {
    listPackages: (params = {}, options) =>
      list(transport, { path: `${path}/package/list`, params, keyOf: (row) => row.package_no }, options),
    listBins: (params = {}, options) =>
      list(transport, { path: `${path}/support/bins`, params, keyOf: (row) => row.card_bin_no }, options),
  };
}
