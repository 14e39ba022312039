import type { DeveloperData, DeveloperEndpointId, DeveloperInput } from "@cardwright/contract";
import type { Initiator } from "#audit/index.ts";
import type { Call } from "../admission.ts";
import type { Answer } from "../answer.ts";
import type { EndpointDeps } from "../endpoint-handler.ts";

/** One endpoint of the developer API: a call that was let in and its checked input, to the envelope's `data` or a fault. */
export type DeveloperHandler<Id extends DeveloperEndpointId> = (
  deps: EndpointDeps,
  call: Call,
  input: DeveloperInput<Id>,
) => Promise<Answer<DeveloperData<Id>>>;

/** In whose name the audit is written: of the merchant's credentials, the one that made the call. */
export function initiatorOf({ credential, requestId }: Call): Initiator {
  return { actor: `merchant ${credential.apiKeyHint}`, requestId };
}
