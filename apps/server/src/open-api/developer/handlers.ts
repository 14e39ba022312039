import type { DeveloperEndpointId } from "@cardwright/contract";
import { endpointInfo, pauseEndpoint, resumeEndpoint, testEndpoint } from "./callback-endpoint.ts";
import { callbackInfo, listCallbacks, resendCallbacks } from "./callbacks.ts";
import type { DeveloperHandler } from "./handler.ts";
import { merchantInfo, setCallbackUrl } from "./merchant.ts";
import { listSecrets, rotateSecret } from "./webhook-secrets.ts";

/** Total over the contract's table: an endpoint without a handler does not compile. */
export const developerHandlers: { readonly [Id in DeveloperEndpointId]: DeveloperHandler<Id> } = {
  "developer.merchant_info": merchantInfo,
  "developer.callback_url": setCallbackUrl,
  "developer.endpoint_info": endpointInfo,
  "developer.endpoint_pause": pauseEndpoint,
  "developer.endpoint_resume": resumeEndpoint,
  "developer.endpoint_test": testEndpoint,
  "developer.callback_list": listCallbacks,
  "developer.callback_info": callbackInfo,
  "developer.callback_resend": resendCallbacks,
  "developer.secret_list": listSecrets,
  "developer.secret_rotate": rotateSecret,
};
