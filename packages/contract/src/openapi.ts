/** The OpenAPI 3.1 documents, made from the endpoints, callbacks and errors: here the Open API's, with the parts that both have. */
import {
  CALLBACK_HEADERS,
  CALLBACK_SIGN_VERSION,
  CALLBACK_TIMEZONE,
  type CallbackDefinition,
  callbackAnswer,
  callbacks,
  STANDARD_WEBHOOK_HEADERS,
} from "./callbacks.ts";
import {
  type Endpoint,
  type EndpointDefinition,
  type EndpointId,
  endpoints,
  errorsOf,
  openApiPath,
} from "./endpoints.ts";
import {
  codeOf,
  type ErrorDescription,
  type ErrorName,
  errorByName,
  errorList,
  isDeveloperError,
  SUCCESS,
} from "./errors.ts";
import { exampleOf, type JsonSchema, jsonSchemaOf, requestExampleOf } from "./json-schema.ts";

export interface Reference {
  readonly $ref: string;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: "header" | "path";
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface OpenApiContent {
  readonly "application/json": {
    readonly schema: JsonSchema;
    readonly examples: Readonly<Record<string, { value: unknown }>>;
  };
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly content: OpenApiContent;
}

/** A row of an endpoint's error table. */
export type ErrorRow = Pick<ErrorDescription, "code" | "name" | "en" | "zh">;

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly (OpenApiParameter | Reference)[];
  readonly requestBody?: { readonly required: true; readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, OpenApiResponse | Reference>>;
  /** `both`, or the one mode that has the endpoint. */
  readonly "x-mode": string;
  readonly "x-errors": readonly ErrorRow[];
}

export interface OpenApiWebhook {
  readonly post: {
    readonly operationId: string;
    readonly tags: readonly string[];
    readonly summary: string;
    readonly description: string;
    readonly security: readonly never[];
    readonly parameters: readonly OpenApiParameter[];
    readonly requestBody: { readonly required: true; readonly content: OpenApiContent };
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
  };
}

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<{ get?: OpenApiOperation; post?: OpenApiOperation }>>>;
  readonly webhooks: Readonly<Record<string, OpenApiWebhook>>;
  readonly components: {
    readonly securitySchemes: Readonly<
      Record<
        string,
        { readonly type: "apiKey"; readonly in: "header"; readonly name: string; readonly description: string }
      >
    >;
    readonly parameters: Readonly<Record<string, OpenApiParameter>>;
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
  };
  readonly "x-error-codes": readonly Omit<ErrorDescription, "wording">[];
}

const DESCRIPTION = [
  "Issue cards to your own users, move their credit, and decide or watch their purchases.",
  "Every answer of an endpoint is HTTP 200 with an envelope: `code` 0 and `data`, or another `code` and no `data`.",
  "Times in answers are Unix milliseconds, amounts are decimal texts; in callbacks amounts are JSON numbers.",
].join(" ");

const TAGS: Readonly<Record<Endpoint["tag"] | "Callbacks", string>> = {
  Merchant: "Tokens of the merchant.",
  Cardholder: "The people who get cards.",
  Card: "Cards from application to deletion.",
  Account: "Credit of cardholders; credit mode.",
  Product: "What cards can be opened on.",
  Consumption: "Purchases, withdrawals, refunds and fees.",
  Callbacks: "What we send to you.",
};

/** Optional fields that make a request's example more telling than its required fields alone. */
const SHOWN_OPTIONAL: Partial<Record<EndpointId, readonly string[]>> = { "card.apply": ["package_no", "address_info"] };
const PAGING_FIELDS = ["page", "size"];

/** The whole document. `serverUrl` has no path and no slash at its end. The same input gives the same document. */
export function buildOpenApi(options: { serverUrl: string }): OpenApiDocument {
  return documentOf({
    ...options,
    title: "Cardwright Open API",
    description: DESCRIPTION,
    endpoints,
    tags: TAGS,
    shownOptional: (id) => Object.entries(SHOWN_OPTIONAL).find(([shown]) => shown === id)?.[1] ?? [],
    webhooks: Object.fromEntries(callbacks.map((callback) => [callback.action, webhookOf(callback)])),
    errors: errorList.filter(({ name }) => !isDeveloperError(name)),
  });
}

export interface DocumentParts {
  readonly serverUrl: string;
  readonly title: string;
  readonly description: string;
  readonly endpoints: readonly EndpointDefinition[];
  readonly tags: Readonly<Record<string, string>>;
  /** Optional fields that an endpoint's example shows. */
  readonly shownOptional: (id: string) => readonly string[];
  readonly webhooks: Readonly<Record<string, OpenApiWebhook>>;
  readonly errors: readonly ErrorDescription[];
}

/** A document of endpoints that have the headers, the envelope and the refusals of section 1. */
export function documentOf(parts: DocumentParts): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const endpoint of parts.endpoints) {
    paths[openApiPath(endpoint.path)] = {
      [endpoint.method.toLowerCase()]: operationOf(endpoint, parts.shownOptional(endpoint.id)),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: parts.title, version: "1.0.0", description: parts.description },
    servers: [{ url: parts.serverUrl }],
    tags: Object.entries(parts.tags).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: parts.webhooks,
    components: { securitySchemes, parameters: headerParameters, responses: refusals },
    "x-error-codes": parts.errors.map(({ code, name, en, zh, explanation, remedy }) => ({
      code,
      name,
      en,
      zh,
      explanation,
      remedy,
    })),
  };
}

const securitySchemes = {
  ApiKey: {
    type: "apiKey",
    in: "header",
    name: "Api-Key",
    description: "Your credential, bound to a list of IP addresses.",
  },
  AccessToken: { type: "apiKey", in: "header", name: "Access-Token", description: "From Get Token, for 24 hours." },
} as const;

const timestamp: OpenApiParameter = {
  name: "Timestamp",
  in: "header",
  required: true,
  description: "Unix milliseconds, 13 digits, at most 60 seconds old, never in the future; else 1005.",
  schema: { type: "string", pattern: "^\\d{13}$" },
  example: "1779408000000",
};

const headerParameters = {
  Timestamp: timestamp,
  OptionalTimestamp: { ...timestamp, required: false, description: `${timestamp.description} Checked when present.` },
  Timezone: {
    name: "Timezone",
    in: "header",
    required: false,
    description: "Zone of time filters, UTC-12 to UTC+14: `UTC+8` (the default), `UTC-5`, `UTC+05:30`.",
    schema: { type: "string", pattern: "^UTC[+-]\\d{1,2}(:[0-5]\\d)?$" },
    example: "UTC+8",
  },
  Language: {
    name: "Language",
    in: "header",
    required: false,
    description: "Language of `msg`: `zh_CN` or `en_US`; anything else is English.",
    schema: { type: "string", enum: ["zh_CN", "en_US"] },
    example: "en_US",
  },
} as const satisfies Record<string, OpenApiParameter>;

function refusal(description: string, error: ErrorName, headers?: OpenApiResponse["headers"]): OpenApiResponse {
  const content = { "application/json": { schema: failureSchema, examples: { failure: { value: failureOf(error) } } } };
  return headers === undefined ? { description, content } : { description, headers, content };
}

const codeSchema: JsonSchema = { type: "integer", description: "0 is success; else a code of the error table." };
const msgSchema: JsonSchema = { type: "string", description: "In the language asked for by `Language`." };
const failureSchema: JsonSchema = {
  type: "object",
  properties: { code: codeSchema, msg: msgSchema },
  required: ["code", "msg"],
};

function failureOf(error: ErrorName): { code: number; msg: string } {
  return { code: codeOf(error), msg: errorByName(error).en };
}

const refusals = {
  NotFound: refusal("Unknown path.", "invalid_parameter"),
  MethodNotAllowed: refusal("The path exists with another method.", "invalid_parameter"),
  BodyTooLarge: refusal("Body above 65,536 bytes.", "invalid_parameter"),
  UnsupportedMediaType: refusal("Body is not JSON.", "invalid_parameter"),
  Unavailable: refusal("Shutting down, or without database: try again.", "system_error", {
    "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } },
  }),
} as const;

function reference(kind: "parameters", name: keyof typeof headerParameters): Reference;
function reference(kind: "responses", name: keyof typeof refusals): Reference;
function reference(kind: string, name: string): Reference {
  return { $ref: `#/components/${kind}/${name}` };
}

function operationOf(endpoint: EndpointDefinition, shownOptional: readonly string[]): OpenApiOperation {
  const request = jsonSchemaOf(endpoint.request);
  return {
    operationId: endpoint.id.replace(".", "_"),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: endpoint.description,
    security: [endpoint.auth === "token" ? { ApiKey: [], AccessToken: [] } : { ApiKey: [] }],
    parameters: [
      ...(endpoint.input === "params" ? pathParameters(request) : []),
      reference("parameters", endpoint.auth === "token" ? "Timestamp" : "OptionalTimestamp"),
      reference("parameters", "Timezone"),
      reference("parameters", "Language"),
    ],
    ...(endpoint.input === "body" && {
      requestBody: {
        required: true as const,
        content: contentOf(request, {
          request: requestExampleOf(request, [...PAGING_FIELDS, ...shownOptional]),
        }),
      },
    }),
    responses: {
      "200": answerOf(endpoint),
      "404": reference("responses", "NotFound"),
      "405": reference("responses", "MethodNotAllowed"),
      ...(endpoint.input === "body" && {
        "413": reference("responses", "BodyTooLarge"),
        "415": reference("responses", "UnsupportedMediaType"),
      }),
      "503": reference("responses", "Unavailable"),
    },
    "x-mode": endpoint.mode,
    "x-errors": errorRows(endpoint),
  };
}

function contentOf(schema: JsonSchema, examples: Readonly<Record<string, unknown>>): OpenApiContent {
  return {
    "application/json": {
      schema,
      examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
    },
  };
}

function pathParameters(request: JsonSchema): readonly OpenApiParameter[] {
  return Object.entries(request.properties ?? {}).map(([name, { description, examples, ...schema }]) => ({
    name,
    in: "path",
    required: true,
    description: description ?? "",
    schema,
    example: examples?.[0],
  }));
}

function answerOf(endpoint: EndpointDefinition): OpenApiResponse {
  const data = jsonSchemaOf(endpoint.response);
  return {
    description: "The endpoint's answer, whatever the code. `data` is there only when `code` is 0.",
    content: contentOf(
      { type: "object", properties: { code: codeSchema, msg: msgSchema, data }, required: ["code", "msg"] },
      {
        success: { code: SUCCESS.code, msg: SUCCESS.en, data: exampleOf(data) },
        failure: failureOf(endpoint.errors[0] ?? "ip_not_allowed"),
      },
    ),
  };
}

function errorRows(endpoint: EndpointDefinition): readonly ErrorRow[] {
  const names = new Set<ErrorName>(errorsOf(endpoint));
  return errorList.filter(({ name }) => names.has(name)).map(({ code, name, en, zh }) => ({ code, name, en, zh }));
}

const callbackHeader = (name: string, description: string, example: string): OpenApiParameter => ({
  name,
  in: "header",
  required: true,
  description,
  schema: { type: "string" },
  example,
});

/** Of merchants with a webhook secret. */
const standardHeader = (name: string, description: string, example: string): OpenApiParameter => ({
  ...callbackHeader(name, description, example),
  required: false,
});

const callbackParameters: readonly OpenApiParameter[] = [
  callbackHeader(
    CALLBACK_HEADERS.timestamp,
    "Unix milliseconds of this try; part of the signed text.",
    "1779408000000",
  ),
  callbackHeader(
    CALLBACK_HEADERS.signature,
    "Lower-case hex HMAC-SHA256 with your `apiSecret` over the sorted top-level pairs of `data`, `appId` and `timestamp`.",
    "63a793f88327f5c8e0adbef583bbb99fa593d7e12706e7a5bc0af6110859b1cb",
  ),
  callbackHeader(CALLBACK_HEADERS.signVersion, "Version of the signature.", CALLBACK_SIGN_VERSION),
  callbackHeader(CALLBACK_HEADERS.timezone, "Always the same.", CALLBACK_TIMEZONE),
  standardHeader(STANDARD_WEBHOOK_HEADERS.id, "The push's `id`.", "019e4ee8-8600-7000-8a51-3d1c0f2b9e77"),
  standardHeader(STANDARD_WEBHOOK_HEADERS.timestamp, "Unix seconds of this try.", "1779408000"),
  standardHeader(
    STANDARD_WEBHOOK_HEADERS.signature,
    "`v1,` and the Base64 HMAC-SHA256 with your webhook secret over `webhook-id.webhook-timestamp.body`; two, separated by a space, while the secret is being rotated.",
    "v1,Ew4+bOKo7GLG4Bj1BkIaYx3jIEhK0Zv3fynO0YTB5Fc=",
  ),
];

function webhookOf(callback: CallbackDefinition): OpenApiWebhook {
  const body = jsonSchemaOf(callback.body);
  const answer = jsonSchemaOf(callbackAnswer);
  return {
    post: {
      operationId: `callback_${callback.action.toLowerCase()}`,
      tags: ["Callbacks"],
      summary: callback.summary,
      description: callback.description,
      security: [],
      parameters: callbackParameters,
      requestBody: { required: true, content: contentOf(body, { push: exampleOf(body) }) },
      responses: {
        "200": { description: "Your answer.", content: contentOf(answer, { yes: { code: 0, message: "" } }) },
      },
    },
  };
}
