import { type EndpointDefinition, parseJsonBody, type Validator } from "@cardwright/contract";
import type { Call } from "./admission.ts";
import { type Answer, fail } from "./answer.ts";
import type { EndpointDeps } from "./endpoint-handler.ts";

/** What of a request the endpoint reads: its body as bytes, its path parameters decoded. */
export interface RawInput {
  readonly body: unknown;
  readonly params: unknown;
}

/** An endpoint behind its checks: reads the body, validates, handles. */
export interface EndpointRoute<Id extends string = string> {
  readonly id: Id;
  readonly endpoint: EndpointDefinition;
  readonly answer: (call: Call, raw: RawInput) => Promise<Answer<unknown>>;
}

/** The validator is compiled already; a call costs one pass of generated code before the handler. */
export function endpointRoute<const Id extends string, Input>({
  id,
  endpoint,
  validate,
  handle,
  deps,
}: {
  readonly id: Id;
  readonly endpoint: EndpointDefinition;
  readonly validate: Validator<Input>;
  readonly handle: (deps: EndpointDeps, call: Call, input: Input) => Promise<Answer<unknown>>;
  readonly deps: EndpointDeps;
}): EndpointRoute<Id> {
  return {
    id,
    endpoint,
    answer: async (call, raw) => {
      const input = inputOf(endpoint, raw);
      if (!input.ok) {
        return input;
      }
      const valid = validate(input.value, { mode: call.merchant.mode });
      return valid.ok ? handle(deps, call, valid.value) : fail(valid.error, valid.field);
    },
  };
}

function inputOf(endpoint: EndpointDefinition, raw: RawInput): Answer<unknown> {
  switch (endpoint.input) {
    case "none":
      return { ok: true, value: {} };
    case "params":
      return { ok: true, value: { ...paramsOf(raw.params) } };
    case "body":
      return bodyOf(raw.body);
    default:
      return endpoint.input satisfies never;
  }
}

function paramsOf(params: unknown): object {
  return typeof params === "object" && params !== null ? params : {};
}

/** No body at all is an empty text, which is no JSON. */
function bodyOf(bytes: unknown): Answer<unknown> {
  const parsed = parseJsonBody(bytes instanceof Uint8Array ? bytes : new Uint8Array());
  return parsed.ok ? parsed : fail("invalid_parameter", parsed.field ?? "body");
}
