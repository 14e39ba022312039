import {
  type DeveloperEndpointId,
  developerEndpoints,
  type EndpointDefinition,
  type EndpointId,
  endpoints,
} from "@cardwright/contract";

/** How a method of the SDK and its types are called; what they do stands in the contract. */
export interface SdkMethod {
  readonly endpoint: EndpointId | DeveloperEndpointId;
  /** `resource.method`; the token's own endpoint is called by the client itself. */
  readonly call: string;
  /** Name of the type of a POST endpoint's body. */
  readonly params?: string;
  /** Name of the type of `data`, or of one row of a list. */
  readonly result: string;
  /** What the method takes beside or instead of the wire's fields; absent: those. */
  readonly takes?: string;
  /** What it gives; absent: what follows from the endpoint. */
  readonly gives?: string;
  /** Whether a call whose answer was lost may be made again by itself, and why. */
  readonly repeated: "a read" | "once by its unique number" | "no";
  readonly example: string;
}

/** The methods that speak to the 19 endpoints and to the developer API, resource by resource. */
export const sdkMethods: readonly SdkMethod[] = [
  {
    endpoint: "cardholder.apply",
    call: "cardholders.apply",
    params: "CardholderApplyParams",
    result: "CardholderApplyResult",
    repeated: "once by its unique number",
    example: `const { cardholder_no } = await client.cardholders.apply({
  cardholder_unique_no: "user-10001",
  sumsub_share_token: shareToken,
});`,
  },
  {
    endpoint: "cardholder.list",
    call: "cardholders.list",
    params: "CardholderListParams",
    result: "CardholderListItem",
    repeated: "a read",
    example: `for await (const cardholder of client.cardholders.list({ start_time: "2026-05-01", end_time: "2026-05-31" })) {
  console.log(cardholder.cardholder_no, cardholder.status);
}`,
  },
  {
    endpoint: "cardholder.info",
    call: "cardholders.retrieve",
    result: "Cardholder",
    repeated: "a read",
    example: `const { status, total_balance } = await client.cardholders.retrieve("U202605220001");`,
  },
  {
    endpoint: "card.apply",
    call: "cards.apply",
    params: "CardApplyParams",
    result: "CardApplyResult",
    repeated: "once by its unique number",
    example: `const { card_no } = await client.cards.apply({
  card_bin_no: "B202605220001",
  cardholder_no: "U202605220001",
  card_unique_no: "card-10001",
  card_type: "Virtual",
});`,
  },
  {
    endpoint: "card.list",
    call: "cards.list",
    params: "CardListParams",
    result: "CardListItem",
    repeated: "a read",
    example: `const { list } = await client.cards.list({ start_time: "2026-05-01", end_time: "2026-05-31", size: 20 });`,
  },
  {
    endpoint: "card.detail",
    call: "cards.retrieve",
    result: "Card",
    repeated: "a read",
    example: `const { status, card_last_no } = await client.cards.retrieve("C202605220001");`,
  },
  {
    endpoint: "card.private_info",
    call: "cards.privateInfo",
    result: "CardPrivateInfo",
    gives:
      "`CardPrivateInfo` (`card_no`, `card_unique_no`, `cvv`, `pan`, `exp_year`, `exp_month`), decrypted with the client's `apiSecret`; `encryptedPrivateInfo` gives it as it comes",
    repeated: "a read",
    example: `const { pan, cvv, exp_month, exp_year } = await client.cards.privateInfo("C202605220001");`,
  },
  {
    endpoint: "card.active",
    call: "cards.activate",
    params: "CardActivateWireParams",
    result: "CardActivateResult",
    takes:
      "`CardActivateParams`: the wire's fields with the plain `cvv`, which the client encrypts with its `apiSecret`; or `encrypted_cvv`, made elsewhere",
    repeated: "no",
    example: `await client.cards.activate({
  cardholder_no: "U202605220001",
  card_no: "C202605220001",
  cvv: "123",
  card_last_no: "4242",
});`,
  },
  {
    endpoint: "card.status_update",
    call: "cards.updateStatus",
    params: "CardStatusUpdateParams",
    result: "CardStatusUpdateResult",
    repeated: "no",
    example: `await client.cards.updateStatus({ card_no: "C202605220001", status: "Frozen" });`,
  },
  {
    endpoint: "card.pin_set",
    call: "cards.setPin",
    params: "CardPinWireParams",
    result: "CardPinResult",
    takes:
      "`CardPinParams`: the wire's fields with the plain `pin`, which the client encrypts with its `apiSecret`; or `encrypted_pin`, made elsewhere",
    repeated: "no",
    example: `await client.cards.setPin({ card_no: "C202605220001", cardholder_no: "U202605220001", pin: "485016" });`,
  },
  {
    endpoint: "merchant.client_token",
    call: "cards.createClientToken",
    result: "ClientToken",
    repeated: "a read",
    example: `const { client_access_token } = await client.cards.createClientToken("C202605220001");`,
  },
  {
    endpoint: "account.transfer",
    call: "accounts.transfer",
    params: "TransferParams",
    result: "TransferResult",
    repeated: "once by its unique number",
    example: `const { after_balance } = await client.accounts.transfer({
  cardholder_no: "U202605220001",
  transfer_unique_no: "topup-2026-0001",
  type: "In",
  balance: "100.00",
});`,
  },
  {
    endpoint: "account.info",
    call: "accounts.retrieve",
    result: "Account",
    gives: "`{ list: Account[] }`, all of them",
    repeated: "a read",
    example: `const { list: accounts } = await client.accounts.retrieve("U202605220001");`,
  },
  {
    endpoint: "account.transfer_list",
    call: "accounts.listTransfers",
    params: "TransferListParams",
    result: "Transfer",
    repeated: "a read",
    example: `for await (const transfer of client.accounts.listTransfers({ start_time: "2026-05-01", end_time: "2026-05-31" })) {
  console.log(transfer.transfer_no, transfer.balance);
}`,
  },
  {
    endpoint: "card.package_list",
    call: "products.listPackages",
    params: "PackageListParams",
    result: "Package",
    repeated: "a read",
    example: `for await (const offered of client.products.listPackages()) console.log(offered.package_no, offered.package_en_name);`,
  },
  {
    endpoint: "card.support_bins",
    call: "products.listBins",
    params: "BinListParams",
    result: "Bin",
    repeated: "a read",
    example: `for await (const bin of client.products.listBins()) console.log(bin.card_bin_no, bin.organization);`,
  },
  {
    endpoint: "card.consume_info",
    call: "consumptions.retrieve",
    result: "Consumption",
    repeated: "a read",
    example: `const { status, amount, fee_list } = await client.consumptions.retrieve("O202605220001");`,
  },
  {
    endpoint: "card.consume_list",
    call: "consumptions.list",
    params: "ConsumptionListParams",
    result: "ConsumptionListItem",
    repeated: "a read",
    example: `for await (const consumption of client.consumptions.list({ start_time: "2026-05-01", end_time: "2026-05-31" })) {
  console.log(consumption.consume_no, consumption.amount);
}`,
  },
  {
    endpoint: "merchant.token",
    call: "accessToken",
    result: "AccessToken",
    gives: "the Access-Token as a text: fetched, kept and renewed by the client, which also sends it with every call",
    repeated: "a read",
    example: `const token = await client.accessToken();`,
  },
  {
    endpoint: "developer.merchant_info",
    call: "developer.merchant",
    result: "DeveloperMerchant",
    repeated: "a read",
    example: "const { environment } = await client.developer.merchant();",
  },
  {
    endpoint: "developer.callback_url",
    call: "developer.setCallbackUrl",
    params: "CallbackUrlParams",
    result: "CallbackUrl",
    takes: "the URL as a text",
    repeated: "no",
    example: 'await client.developer.setCallbackUrl("http://localhost:3000/callback");',
  },
  {
    endpoint: "developer.endpoint_info",
    call: "developer.endpoint",
    result: "CallbackEndpoint",
    repeated: "a read",
    example: "const { state, open_count } = await client.developer.endpoint();",
  },
  {
    endpoint: "developer.endpoint_pause",
    call: "developer.pauseEndpoint",
    result: "CallbackEndpoint",
    repeated: "no",
    example: "await client.developer.pauseEndpoint();",
  },
  {
    endpoint: "developer.endpoint_resume",
    call: "developer.resumeEndpoint",
    result: "CallbackEndpoint",
    repeated: "no",
    example: "await client.developer.resumeEndpoint();",
  },
  {
    endpoint: "developer.endpoint_test",
    call: "developer.testEndpoint",
    result: "TestPush",
    repeated: "no",
    example: "const { delivered, error } = await client.developer.testEndpoint();",
  },
  {
    endpoint: "developer.callback_list",
    call: "developer.listCallbacks",
    params: "CallbackListParams",
    result: "CallbackListItem",
    gives: "a list of `CallbackListItem`; `await` gives `{ list }`, `for await` walks on by `before`",
    repeated: "a read",
    example: `for await (const push of client.developer.listCallbacks({ state: "Open" })) {
  console.log(push.callback_id, push.last_error);
}`,
  },
  {
    endpoint: "developer.callback_info",
    call: "developer.retrieveCallback",
    result: "CallbackDetail",
    repeated: "a read",
    example:
      'const { attempt_list } = await client.developer.retrieveCallback("019e4f2a-7c00-7d3e-9a1b-3d5e7f901234");',
  },
  {
    endpoint: "developer.callback_resend",
    call: "developer.resendCallbacks",
    params: "ResendWireParams",
    result: "ResendResult",
    takes: "`ResendParams`, exactly one of",
    repeated: "no",
    example: "const { resent } = await client.developer.resendCallbacks({ missed: true });",
  },
  {
    endpoint: "developer.secret_list",
    call: "developer.listWebhookSecrets",
    result: "WebhookSecret",
    gives: "`{ list: WebhookSecret[] }`, all of them",
    repeated: "a read",
    example: "const { list: secrets } = await client.developer.listWebhookSecrets();",
  },
  {
    endpoint: "developer.secret_rotate",
    call: "developer.rotateWebhookSecret",
    params: "RotateWebhookSecretParams",
    result: "RotatedWebhookSecret",
    repeated: "no",
    example: "const { secret } = await client.developer.rotateWebhookSecret({ overlap_hours: 48 });",
  },
];

const definitions: ReadonlyMap<string, EndpointDefinition> = new Map(
  [...endpoints, ...developerEndpoints].map((endpoint) => [endpoint.id, endpoint]),
);

/** What the contract says of a method's endpoint. */
export function definitionOf({ endpoint }: SdkMethod): EndpointDefinition {
  const definition = definitions.get(endpoint);
  if (definition === undefined) throw new Error(`no endpoint ${endpoint}`);
  return definition;
}
