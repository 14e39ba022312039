/** The developer API: what a merchant's developer sees of callbacks and does about them. Beside the 19 endpoints, not of them. */
import type { z } from "zod";
import type { EndpointDefinition } from "./endpoints.ts";
import type { ErrorName } from "./errors.ts";
import * as developer from "./schemas/developer.ts";
import { compileRequestValidator, type FieldError, type Validator } from "./validation.ts";

/** Path prefix of every endpoint of the developer API. */
export const DEVELOPER_PREFIX = "/developer/v1";

interface DeveloperEndpointDefinition extends EndpointDefinition {
  readonly tag: "Developer API";
  readonly path: `${typeof DEVELOPER_PREFIX}/${string}`;
}

const shared = { tag: "Developer API", mode: "both", auth: "token" } as const;

export const developerEndpoints = [
  {
    ...shared,
    id: "developer.merchant_info",
    method: "GET",
    path: `${DEVELOPER_PREFIX}/merchant/info`,
    summary: "Get your merchant",
    description: "Who you are here, in which mode and environment, and where your callbacks go.",
    input: "none",
    request: developer.developerMerchantInfoRequest,
    response: developer.developerMerchantInfoData,
    errors: [],
    isList: false,
  },
  {
    ...shared,
    id: "developer.callback_url",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/merchant/callback-url`,
    summary: "Set the callback URL",
    description:
      "Only in the sandbox; in production the operator sets it. Takes effect within 5 seconds: until then a callback may still go to the URL before.",
    input: "body",
    request: developer.developerCallbackUrlBody,
    response: developer.developerCallbackUrlData,
    errors: ["sandbox_only"],
    isList: false,
  },
  {
    ...shared,
    id: "developer.endpoint_info",
    method: "GET",
    path: `${DEVELOPER_PREFIX}/callback-endpoint/info`,
    summary: "Get the callback endpoint",
    description: "How your server takes pushes, and how many wait for it.",
    input: "none",
    request: developer.developerEndpointRequest,
    response: developer.developerEndpointData,
    errors: [],
    isList: false,
  },
  {
    ...shared,
    id: "developer.endpoint_pause",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/callback-endpoint/pause`,
    summary: "Pause the callback endpoint",
    description: "Pushes are kept and not sent until you resume. `Auth` is asked all the same.",
    input: "none",
    request: developer.developerEndpointRequest,
    response: developer.developerEndpointData,
    errors: [],
    isList: false,
  },
  {
    ...shared,
    id: "developer.endpoint_resume",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/callback-endpoint/resume`,
    summary: "Resume the callback endpoint",
    description: "Pushes are sent again, whoever paused them.",
    input: "none",
    request: developer.developerEndpointRequest,
    response: developer.developerEndpointData,
    errors: [],
    isList: false,
  },
  {
    ...shared,
    id: "developer.endpoint_test",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/callback-endpoint/test`,
    summary: "Send a test push",
    description:
      "Sends a `Card_update` that changes nothing, with the header `Test-Push: true` and without `Sequence`, and answers what your server said. A success resumes an endpoint that failures have paused.",
    input: "none",
    request: developer.developerEndpointRequest,
    response: developer.developerEndpointTestData,
    errors: ["callback_url_missing"],
    isList: false,
  },
  {
    ...shared,
    id: "developer.callback_list",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/callback/list`,
    summary: "List pushes",
    description:
      "Pushes of the last 30 days, newest first. Give the last row's `callback_id` as `before` for the next page.",
    input: "body",
    request: developer.developerCallbackListBody,
    response: developer.developerCallbackListData,
    errors: ["end_not_after_start"],
    isList: true,
  },
  {
    ...shared,
    id: "developer.callback_info",
    method: "GET",
    path: `${DEVELOPER_PREFIX}/callback/:callback_id/info`,
    summary: "Get a push",
    description: "One push with its data and its tries, at most the last 100.",
    input: "params",
    request: developer.developerCallbackInfoParams,
    response: developer.developerCallbackInfoData,
    errors: ["callback_unknown"],
    isList: false,
  },
  {
    ...shared,
    id: "developer.callback_resend",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/callback/resend`,
    summary: "Send pushes again",
    description:
      "Exactly one of the three fields says which. The pushes keep `id`, `data` and `Sequence`; the schedule of tries begins anew, in the order of each card.",
    input: "body",
    request: developer.developerResendBody,
    response: developer.developerResendData,
    errors: [],
    isList: false,
  },
  {
    ...shared,
    id: "developer.secret_list",
    method: "GET",
    path: `${DEVELOPER_PREFIX}/webhook-secret/list`,
    summary: "List webhook secrets",
    description: "The secrets that sign `webhook-signature` now, without the secrets themselves.",
    input: "none",
    request: developer.developerSecretListRequest,
    response: developer.developerSecretListData,
    errors: [],
    isList: true,
  },
  {
    ...shared,
    id: "developer.secret_rotate",
    method: "POST",
    path: `${DEVELOPER_PREFIX}/webhook-secret/rotate`,
    summary: "Rotate the webhook secret",
    description:
      "Makes a new secret and shows it this once. For the hours of `overlap_hours` callbacks carry two signatures, by the new and by the old one.",
    input: "body",
    request: developer.developerSecretRotateBody,
    response: developer.developerSecretRotateData,
    errors: [],
    isList: false,
  },
] as const satisfies readonly DeveloperEndpointDefinition[];

export type DeveloperEndpoint = (typeof developerEndpoints)[number];
export type DeveloperEndpointId = DeveloperEndpoint["id"];
type DeveloperEndpointWith<Id extends DeveloperEndpointId> = Extract<DeveloperEndpoint, { id: Id }>;

/** What the validator hands over: body or path parameters, whichever the endpoint has. */
export type DeveloperInput<Id extends DeveloperEndpointId> = z.infer<DeveloperEndpointWith<Id>["request"]>;
/** The envelope's `data` of a successful answer. */
export type DeveloperData<Id extends DeveloperEndpointId> = z.infer<DeveloperEndpointWith<Id>["response"]>;

const byId: ReadonlyMap<string, EndpointDefinition> = new Map(
  developerEndpoints.map((endpoint) => [endpoint.id, endpoint]),
);

/** The endpoint of the developer API with this id. */
export function developerEndpointById(id: DeveloperEndpointId): EndpointDefinition {
  const endpoint = byId.get(id);
  if (endpoint === undefined) throw new Error(`no endpoint ${id}`);
  return endpoint;
}

/** Like `compileValidator`, for the developer API. */
export function compileDeveloperValidator<const Id extends DeveloperEndpointId>(id: Id): Validator<DeveloperInput<Id>> {
  const { request } = developerEndpointById(id);
  return compileRequestValidator<DeveloperInput<Id>>(request, { checkTogether: togetherOf[id] });
}

const togetherOf: { readonly [id in DeveloperEndpointId]?: (value: Fields) => readonly FieldError[] } = {
  "developer.callback_list": periodErrors,
  "developer.callback_resend": choiceErrors,
};

type Fields = Readonly<Record<string, unknown>>;

function periodErrors({ start_time: start, end_time: end }: Fields): readonly FieldError[] {
  const isEmpty = typeof start === "number" && typeof end === "number" && end <= start;
  return isEmpty ? [{ field: "end_time", error: "end_not_after_start" }] : [];
}

/** Without any of the three the first is missing; the second that is given is one too many. */
function choiceErrors(value: Fields): readonly FieldError[] {
  const fields = Object.keys(developer.developerResendBody.shape);
  const given = fields.filter((name) => value[name] !== undefined);
  const [first = ""] = fields;
  const wrong = given.length === 0 ? first : given[1];
  const error: ErrorName = "invalid_parameter";
  return wrong === undefined ? [] : [{ field: wrong, error }];
}
