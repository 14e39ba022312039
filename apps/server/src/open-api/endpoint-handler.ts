import type { EndpointId, RequestInput, ResponseData } from "@cardwright/contract";
import type { AccessTokens } from "./access-token.ts";
import type { Call } from "./admission.ts";
import type { Answer } from "./answer.ts";
import type { OpenApiDeps } from "./deps.ts";

/** What the endpoints work with: the rooms below, and the tokens that this face makes itself. */
export interface EndpointDeps extends OpenApiDeps {
  readonly accessTokens: AccessTokens;
}

/** One endpoint: a call that was let in and its checked input, to the envelope's `data` or a fault. */
export type EndpointHandler<Id extends EndpointId> = (
  deps: EndpointDeps,
  call: Call,
  input: RequestInput<Id>,
) => Promise<Answer<ResponseData<Id>>>;
