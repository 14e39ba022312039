/** The 19 endpoints of contract section 3, the one list that routes, validation, OpenAPI and SDK are made from. */
import type { z } from "zod";
import { API_PREFIX, type MerchantMode } from "./constants.ts";
import type { ErrorName } from "./errors.ts";
import * as account from "./schemas/account.ts";
import * as card from "./schemas/card.ts";
import * as cardholder from "./schemas/cardholder.ts";
import * as consumption from "./schemas/consumption.ts";
import * as merchant from "./schemas/merchant.ts";
import * as product from "./schemas/product.ts";

export type EndpointMode = "both" | MerchantMode;

export interface EndpointDefinition {
  readonly id: string;
  readonly tag: string;
  readonly method: "GET" | "POST";
  /** With `:name` for a path parameter. */
  readonly path: `/${string}`;
  readonly mode: EndpointMode;
  /** `key`: Api-Key and address only (Get Token). `token`: the Access-Token too. */
  readonly auth: "key" | "token";
  readonly summary: string;
  readonly description: string;
  /** Where `request` is found: path parameters, JSON body, or nothing at all. */
  readonly input: "none" | "params" | "body";
  readonly request: z.ZodObject;
  /** The envelope's `data`. */
  readonly response: z.ZodType;
  /** Codes beyond those that every endpoint can answer (`commonErrors`). */
  readonly errors: readonly ErrorName[];
  /** `data` is `{"list": [...]}`. */
  readonly isList: boolean;
}

interface OpenApiEndpointDefinition extends EndpointDefinition {
  readonly tag: "Merchant" | "Cardholder" | "Card" | "Account" | "Product" | "Consumption";
  readonly path: `${typeof API_PREFIX}/${string}`;
}

const RANGE_ERRORS = ["end_not_after_start", "range_too_long"] as const;

export const endpoints = [
  {
    id: "merchant.token",
    tag: "Merchant",
    method: "GET",
    path: `${API_PREFIX}/merchant/token`,
    mode: "both",
    auth: "key",
    summary: "Get Token",
    description:
      "Gives an Access-Token for 24 hours. Older tokens stay valid; disabling the credential ends all of them at once. `Timestamp` is optional here and checked when present.",
    input: "none",
    request: merchant.merchantTokenRequest,
    response: merchant.merchantTokenData,
    errors: [],
    isList: false,
  },
  {
    id: "cardholder.apply",
    tag: "Cardholder",
    method: "POST",
    path: `${API_PREFIX}/cardholder/apply`,
    mode: "both",
    auth: "token",
    summary: "Apply for a cardholder",
    description:
      "Starts the identity check of a person, or with `cardholder_no` updates a rejected one. Asynchronous: poll the cardholder until its status is `Approved` or `Rejected`.",
    input: "body",
    request: cardholder.cardholderApplyBody,
    response: cardholder.cardholderApplyData,
    errors: [
      "cardholder_exists",
      "cardholder_unknown",
      "cardholder_already_verified",
      "verification_pending",
      "verification_failed",
      "kyc_unavailable",
      "unique_no_differs",
    ],
    isList: false,
  },
  {
    id: "cardholder.list",
    tag: "Cardholder",
    method: "POST",
    path: `${API_PREFIX}/cardholder/list`,
    mode: "both",
    auth: "token",
    summary: "List cardholders",
    description: "Cardholders by the time of their application, newest first.",
    input: "body",
    request: cardholder.cardholderListBody,
    response: cardholder.cardholderListData,
    errors: RANGE_ERRORS,
    isList: true,
  },
  {
    id: "cardholder.info",
    tag: "Cardholder",
    method: "GET",
    path: `${API_PREFIX}/cardholder/:cardholder_no/info`,
    mode: "both",
    auth: "token",
    summary: "Get a cardholder",
    description: "One cardholder with its issued cards and accounts.",
    input: "params",
    request: cardholder.cardholderInfoParams,
    response: cardholder.cardholderInfoData,
    errors: ["cardholder_unknown"],
    isList: false,
  },
  {
    id: "card.apply",
    tag: "Card",
    method: "POST",
    path: `${API_PREFIX}/card/apply`,
    mode: "both",
    auth: "token",
    summary: "Apply for a card",
    description:
      "Opens a card for an approved cardholder: on a `package_no` in credit mode, on a `card_bin_no` in authorization mode. Issuing makes an `Open_card` consumption where the product has an opening cost.",
    input: "body",
    request: card.cardApplyBody,
    response: card.cardApplyData,
    errors: [
      "mode_not_supported",
      "cardholder_unknown",
      "address_characters",
      "english_only",
      "country_not_supported",
      "postal_code_mismatch",
      "balance_too_low",
      "reserve_too_low",
      "package_unknown",
      "bin_unknown",
      "card_unique_no_reused",
      "card_type_not_offered",
      "address_required",
      "cardholder_not_approved",
      "card_limit_reached",
    ],
    isList: false,
  },
  {
    id: "card.list",
    tag: "Card",
    method: "POST",
    path: `${API_PREFIX}/card/list`,
    mode: "both",
    auth: "token",
    summary: "List cards",
    description: "Cards by the time of their application, newest first.",
    input: "body",
    request: card.cardListBody,
    response: card.cardListData,
    errors: RANGE_ERRORS,
    isList: true,
  },
  {
    id: "card.detail",
    tag: "Card",
    method: "GET",
    path: `${API_PREFIX}/card/:card_no/detail`,
    mode: "both",
    auth: "token",
    summary: "Get a card",
    description: "One card with the fees of its product.",
    input: "params",
    request: card.cardDetailParams,
    response: card.cardDetailData,
    errors: ["card_unknown"],
    isList: false,
  },
  {
    id: "card.private_info",
    tag: "Card",
    method: "GET",
    path: `${API_PREFIX}/card/:card_no/private/info`,
    mode: "both",
    auth: "token",
    summary: "Get a card's private data",
    description:
      "Card number, expiry and CVV, encrypted with the calling credential's `apiSecret`. Only for merchants enabled for PCI, from `ToActivate` on, not for `Delete` or `Fail`.",
    input: "params",
    request: card.cardPrivateInfoParams,
    response: card.cardPrivateInfoData,
    errors: ["pci_not_enabled", "card_unknown", "status_change_not_allowed"],
    isList: false,
  },
  {
    id: "card.active",
    tag: "Card",
    method: "POST",
    path: `${API_PREFIX}/card/active`,
    mode: "both",
    auth: "token",
    summary: "Activate a physical card",
    description:
      "`ToActivate` becomes `Activated` when CVV and last four digits match. Five wrong tries in a row lock the activation for 30 minutes.",
    input: "body",
    request: card.cardActiveBody,
    response: card.cardActiveData,
    errors: [
      "cardholder_unknown",
      "card_unknown",
      "cvv_mismatch",
      "last_four_mismatch",
      "status_change_not_allowed",
      "card_of_other_cardholder",
      "cannot_be_decrypted",
      "too_many_tries",
      "not_for_virtual",
    ],
    isList: false,
  },
  {
    id: "card.status_update",
    tag: "Card",
    method: "POST",
    path: `${API_PREFIX}/card/status/update`,
    mode: "both",
    auth: "token",
    summary: "Freeze, unfreeze or delete a card",
    description:
      "`Activated` and `Frozen` change into each other; `ToActivate`, `Activated` and `Frozen` into `Delete`.",
    input: "body",
    request: card.cardStatusUpdateBody,
    response: card.cardStatusUpdateData,
    errors: ["card_unknown", "status_change_not_allowed"],
    isList: false,
  },
  {
    id: "card.pin_set",
    tag: "Card",
    method: "POST",
    path: `${API_PREFIX}/card/pin/set`,
    mode: "both",
    auth: "token",
    summary: "Set a card's PIN",
    description: "For activated physical cards.",
    input: "body",
    request: card.cardPinSetBody,
    response: card.cardPinSetData,
    errors: [
      "cardholder_unknown",
      "card_unknown",
      "card_not_activated",
      "card_of_other_cardholder",
      "cannot_be_decrypted",
      "pin_format",
      "not_for_virtual",
    ],
    isList: false,
  },
  {
    id: "merchant.client_token",
    tag: "Merchant",
    method: "GET",
    path: `${API_PREFIX}/merchant/client/:card_no/token`,
    mode: "both",
    auth: "token",
    summary: "Get a client access token",
    description:
      "A token that opens the card frame once, so that a cardholder sees the card's data inside our origin. From `ToActivate` on, not for `Delete` or `Fail`.",
    input: "params",
    request: merchant.merchantClientTokenParams,
    response: merchant.merchantClientTokenData,
    errors: ["pci_not_enabled", "card_unknown", "status_change_not_allowed"],
    isList: false,
  },
  {
    id: "account.transfer",
    tag: "Account",
    method: "POST",
    path: `${API_PREFIX}/account/transfer`,
    mode: "CREDIT_EXTENSION",
    auth: "token",
    summary: "Transfer credit",
    description: "Gives TUSDT credit to a cardholder's account (`In`) or takes the available part of it back (`Out`).",
    input: "body",
    request: account.accountTransferBody,
    response: account.accountTransferData,
    errors: [
      "cardholder_unknown",
      "account_unknown",
      "balance_too_low",
      "reserve_too_low",
      "amount_invalid",
      "transfer_unique_no_reused",
      "transfer_type_unknown",
    ],
    isList: false,
  },
  {
    id: "account.info",
    tag: "Account",
    method: "GET",
    path: `${API_PREFIX}/account/:cardholder_no/info`,
    mode: "CREDIT_EXTENSION",
    auth: "token",
    summary: "Get a cardholder's accounts",
    description: "Balances of the cardholder's accounts.",
    input: "params",
    request: account.accountInfoParams,
    response: account.accountInfoData,
    errors: ["cardholder_unknown", "account_unknown"],
    isList: true,
  },
  {
    id: "account.transfer_list",
    tag: "Account",
    method: "POST",
    path: `${API_PREFIX}/account/transfer/list`,
    mode: "CREDIT_EXTENSION",
    auth: "token",
    summary: "List transfers",
    description: "Transfers by time, newest first.",
    input: "body",
    request: account.accountTransferListBody,
    response: account.accountTransferListData,
    errors: [...RANGE_ERRORS, "transfer_unknown"],
    isList: true,
  },
  {
    id: "card.package_list",
    tag: "Product",
    method: "POST",
    path: `${API_PREFIX}/card/package/list`,
    mode: "CREDIT_EXTENSION",
    auth: "token",
    summary: "List packages",
    description: "The packages that cards can be opened on in credit mode, with limits and fees.",
    input: "body",
    request: product.packageListBody,
    response: product.packageListData,
    errors: [],
    isList: true,
  },
  {
    id: "card.support_bins",
    tag: "Product",
    method: "POST",
    path: `${API_PREFIX}/card/support/bins`,
    mode: "AUTHORIZATION",
    auth: "token",
    summary: "List supported BINs",
    description: "The BINs that cards can be opened on in authorization mode, with limits.",
    input: "body",
    request: product.supportBinsBody,
    response: product.supportBinsData,
    errors: [],
    isList: true,
  },
  {
    id: "card.consume_info",
    tag: "Consumption",
    method: "GET",
    path: `${API_PREFIX}/card/consume/:consume_no/info`,
    mode: "both",
    auth: "token",
    summary: "Get a consumption",
    description: "One consumption with its fees and the shop.",
    input: "params",
    request: consumption.consumeInfoParams,
    response: consumption.consumeInfoData,
    errors: ["consumption_unknown"],
    isList: false,
  },
  {
    id: "card.consume_list",
    tag: "Consumption",
    method: "POST",
    path: `${API_PREFIX}/card/consume/list`,
    mode: "both",
    auth: "token",
    summary: "List consumptions",
    description: "Consumptions by time, newest first.",
    input: "body",
    request: consumption.consumeListBody,
    response: consumption.consumeListData,
    errors: RANGE_ERRORS,
    isList: true,
  },
] as const satisfies readonly OpenApiEndpointDefinition[];

export type Endpoint = (typeof endpoints)[number];
export type EndpointId = Endpoint["id"];
type EndpointWith<Id extends EndpointId> = Extract<Endpoint, { id: Id }>;

/** What `compileValidator` hands over: body or path parameters, whichever the endpoint has. */
export type RequestInput<Id extends EndpointId> = z.infer<EndpointWith<Id>["request"]>;
/** The JSON body of a POST endpoint; undefined where there is none. */
export type RequestBody<Id extends EndpointId> = EndpointWith<Id>["input"] extends "body"
  ? RequestInput<Id>
  : undefined;
/** The path parameters of an endpoint; undefined where there are none. */
export type RequestParams<Id extends EndpointId> = EndpointWith<Id>["input"] extends "params"
  ? RequestInput<Id>
  : undefined;
/** The envelope's `data` of a successful answer. */
export type ResponseData<Id extends EndpointId> = z.infer<EndpointWith<Id>["response"]>;

const byId: ReadonlyMap<string, EndpointDefinition> = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));

/** The endpoint with this id. */
export function endpointById(id: EndpointId): EndpointDefinition {
  const endpoint = byId.get(id);
  if (endpoint === undefined) throw new Error(`no endpoint ${id}`);
  return endpoint;
}

/** The path as OpenAPI writes it: `{card_no}` for `:card_no`. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:([a-z_]+)/g, "{$1}");
}

const KEY_ERRORS: readonly ErrorName[] = [
  "system_error",
  "api_key_required",
  "ip_not_allowed",
  "invalid_parameter",
  "timestamp_invalid",
  "api_key_unknown",
  "too_frequent",
  "api_key_disabled",
  "api_key_expired",
  "merchant_unknown",
  "merchant_status_abnormal",
];
const TOKEN_ERRORS: readonly ErrorName[] = ["access_token_required", "access_token_invalid"];

/** The codes that an endpoint can answer for what it is: how it authenticates, its mode, whether it has a body. */
export function commonErrors(endpoint: EndpointDefinition): readonly ErrorName[] {
  return [
    ...KEY_ERRORS,
    ...(endpoint.auth === "token" ? TOKEN_ERRORS : []),
    ...(endpoint.mode === "both" ? [] : ["mode_not_supported" as const]),
    ...(endpoint.input === "body" ? ["wrong_type" as const] : []),
  ];
}

/** Everything that an endpoint can answer besides success. */
export function errorsOf(endpoint: EndpointDefinition): readonly ErrorName[] {
  return [...commonErrors(endpoint), ...endpoint.errors];
}
