import type { Account, Transfer, TransferListParams, TransferParams, TransferResult } from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { PageList } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { list, openApi, read, segment, write } from "./call.ts";

/** Credit of cardholders; credit mode. */
export interface Accounts {
  /** The accounts of a cardholder, all of them. */
  retrieve(cardholderNo: string, options?: CallOptions): Promise<{ readonly list: readonly Account[] }>;
  /** Gives credit (`In`) or takes it back (`Out`), once for each `transfer_unique_no`. `balance` is the amount. */
  transfer(params: TransferParams, options?: CallOptions): Promise<TransferResult>;
  /** Newest first. */
  listTransfers(params: TransferListParams, options?: CallOptions): PageList<Transfer>;
}

export function createAccounts(transport: Transport): Accounts {
  const path = `${openApi}/account`;
  return {
    retrieve: (cardholderNo, options) =>
      read(transport, `${path}/${segment("cardholder_no", cardholderNo)}/info`, options),
    // transfer_unique_no is the idempotency key (contract section 9).
    transfer: (body, options) => write(transport, { path: `${path}/transfer`, body, repeatable: "safe" }, options),
    listTransfers: (params, options) =>
      list(transport, { path: `${path}/transfer/list`, params, keyOf: (row) => row.transfer_no }, options),
  };
}
