import type { Consumption, ConsumptionListItem, ConsumptionListParams } from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { PageList } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { list, openApi, read, segment } from "./call.ts";

/** Purchases, withdrawals, refunds and fees. */
export interface Consumptions {
  /** Newest first. */
  list(params: ConsumptionListParams, options?: CallOptions): PageList<ConsumptionListItem>;
  /** One consumption with its fees and the shop. */
  retrieve(consumeNo: string, options?: CallOptions): Promise<Consumption>;
}

export function createConsumptions(transport: Transport): Consumptions {
  const path = `${openApi}/card/consume`;
  return {
    list: (params, options) =>
      list(transport, { path: `${path}/list`, params, keyOf: (row) => row.consume_no }, options),
    retrieve: (consumeNo, options) => read(transport, `${path}/${segment("consume_no", consumeNo)}/info`, options),
  };
}
