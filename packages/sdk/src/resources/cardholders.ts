import type {
  Cardholder,
  CardholderApplyParams,
  CardholderApplyResult,
  CardholderListItem,
  CardholderListParams,
} from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { PageList } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { list, openApi, read, segment, write } from "./call.ts";

/** The people who get cards. */
export interface Cardholders {
  /** Starts a person's identity check, which ends later: ask `retrieve` until `status` is `Approved` or `Rejected`. */
  apply(params: CardholderApplyParams, options?: CallOptions): Promise<CardholderApplyResult>;
  /** Newest first. */
  list(params: CardholderListParams, options?: CallOptions): PageList<CardholderListItem>;
  /** One cardholder with cards and accounts. */
  retrieve(cardholderNo: string, options?: CallOptions): Promise<Cardholder>;
}

export function createCardholders(transport: Transport): Cardholders {
  const path = `${openApi}/cardholder`;
  return {
    // The same unique number with the same share token gets the first answer (contract section 3).
    apply: (body, options) => write(transport, { path: `${path}/apply`, body, repeatable: "safe" }, options),
    list: (params, options) =>
      list(transport, { path: `${path}/list`, params, keyOf: (row) => row.cardholder_no }, options),
    retrieve: (cardholderNo, options) =>
      read(transport, `${path}/${segment("cardholder_no", cardholderNo)}/info`, options),
  };
}
