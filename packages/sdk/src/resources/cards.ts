import { decryptPrivateInfo, encryptForCard } from "../card-ciphers.ts";
import { CardwrightError } from "../errors.ts";
import type {
  Card,
  CardActivateResult,
  CardActivateWireParams,
  CardApplyParams,
  CardApplyResult,
  CardListItem,
  CardListParams,
  CardPinResult,
  CardPinWireParams,
  CardPrivateInfo,
  CardStatusUpdateParams,
  CardStatusUpdateResult,
  ClientToken,
} from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { PageList } from "../pages.ts";
import type { Transport } from "../transport.ts";
import { list, openApi, read, segment, write } from "./call.ts";

/** The plain `cvv`, which the client encrypts with its `apiSecret`, or `encrypted_cvv` as `encryptForCard` makes it elsewhere. */
export type CardActivateParams = Omit<CardActivateWireParams, "cvv"> &
  (
    | { readonly cvv: string; readonly encrypted_cvv?: undefined }
    | { readonly cvv?: undefined; readonly encrypted_cvv: string }
  );

/** The plain `pin`, which the client encrypts with its `apiSecret`, or `encrypted_pin` as `encryptForCard` makes it elsewhere. */
export type CardPinParams = Omit<CardPinWireParams, "pin"> &
  (
    | { readonly pin: string; readonly encrypted_pin?: undefined }
    | { readonly pin?: undefined; readonly encrypted_pin: string }
  );

/** Cards from application to deletion. */
export interface Cards {
  /** Opens a card for an approved cardholder: on a `package_no` in credit mode, on a `card_bin_no` in authorization mode. */
  apply(params: CardApplyParams, options?: CallOptions): Promise<CardApplyResult>;
  /** Newest first. */
  list(params: CardListParams, options?: CallOptions): PageList<CardListItem>;
  /** One card with the fees of its product. */
  retrieve(cardNo: string, options?: CallOptions): Promise<Card>;
  /** Card number, expiry and CVV, decrypted with the client's `apiSecret`. Only for merchants enabled for PCI. */
  privateInfo(cardNo: string, options?: CallOptions): Promise<CardPrivateInfo>;
  /** The same as it comes, for `decryptPrivateInfo` elsewhere. */
  encryptedPrivateInfo(cardNo: string, options?: CallOptions): Promise<string>;
  /** A physical card that has arrived. Five wrong tries in a row lock it for 30 minutes. */
  activate(params: CardActivateParams, options?: CallOptions): Promise<CardActivateResult>;
  /** Freezes, unfreezes or deletes. */
  updateStatus(params: CardStatusUpdateParams, options?: CallOptions): Promise<CardStatusUpdateResult>;
  /** Of an activated physical card: 6 digits without three or more identical or sequential ones in a row. */
  setPin(params: CardPinParams, options?: CallOptions): Promise<CardPinResult>;
  /** A token that opens the card frame once, for a minute. */
  createClientToken(cardNo: string, options?: CallOptions): Promise<ClientToken>;
}

export function createCards(transport: Transport, apiSecret: string | undefined): Cards {
  const path = `${openApi}/card`;
  const pathOf = (cardNo: string): string => `${path}/${segment("card_no", cardNo)}`;
  const encryptedPrivateInfo: Cards["encryptedPrivateInfo"] = (cardNo, options) =>
    read(transport, `${pathOf(cardNo)}/private/info`, options);
  return {
    // card_unique_no is the idempotency key (contract section 9).
    apply: (body, options) => write(transport, { path: `${path}/apply`, body, repeatable: "safe" }, options),
    list: (params, options) => list(transport, { path: `${path}/list`, params, keyOf: (row) => row.card_no }, options),
    retrieve: (cardNo, options) => read(transport, `${pathOf(cardNo)}/detail`, options),
    privateInfo: async (cardNo, options) => {
      const secret = needed(apiSecret);
      return await decryptPrivateInfo(await encryptedPrivateInfo(cardNo, options), secret);
    },
    encryptedPrivateInfo,
    activate: async ({ cvv, encrypted_cvv, ...rest }, options) => {
      const body = { ...rest, cvv: encrypted_cvv ?? (await encryptForCard(cvv, needed(apiSecret))) };
      // Wrong tries are counted, and whoever repeats one that was lost may lock the card.
      return await write(transport, { path: `${path}/active`, body, repeatable: "when_refused" }, options);
    },
    // Repeated late, it would undo what somebody else has done meanwhile.
    updateStatus: (body, options) =>
      write(transport, { path: `${path}/status/update`, body, repeatable: "when_refused" }, options),
    setPin: async ({ pin, encrypted_pin, ...rest }, options) => {
      const body = { ...rest, pin: encrypted_pin ?? (await encryptForCard(pin, needed(apiSecret))) };
      return await write(transport, { path: `${path}/pin/set`, body, repeatable: "when_refused" }, options);
    },
    createClientToken: (cardNo, options) =>
      read(transport, `${openApi}/merchant/client/${segment("card_no", cardNo)}/token`, options),
  };
}

function needed(apiSecret: string | undefined): string {
  if (apiSecret === undefined) throw new CardwrightError("this needs the client's apiSecret");
  return apiSecret;
}
