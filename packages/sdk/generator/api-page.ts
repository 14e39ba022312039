import {
  commonErrors,
  type EndpointDefinition,
  type ErrorDescription,
  endpoints,
  errorByName,
  errorList,
  type JsonSchema,
  jsonSchemaOf,
} from "@cardwright/contract";
import { definitionOf, type SdkMethod, sdkMethods } from "./methods.ts";
import { otherSections } from "./other-sections.ts";
import { meaningOf } from "./typescript.ts";

const note = "<!-- Made by npm run generate from packages/contract: change that, not this file. -->";

const introduction = `Every method, what it takes and gives, and what it is refused with. The [README](README.md) tells how to begin.

- Times in answers are Unix milliseconds, amounts are decimal texts. Fields keep their names on the wire.
- Every method takes \`options\` as its last argument: \`signal\`, \`timeoutMs\`, \`totalTimeoutMs\`, \`retriesMax\`, \`language\`, \`timezone\`.
- Every method may throw \`ConnectionError\` or \`TimeoutError\`, and \`ApiError\` with the codes that stand below.
- A list is awaited for one page (\`{ list, page, size, hasMore }\`), or walked through with \`for await\`; \`.all()\` collects it.
- "Repeated by itself" says whether a call whose answer was lost is made again. Any call that was too frequent (1009) or whose token or
  time was refused (1005, 1006, 1007) is.`;

/** packages/sdk/api.md: the same contract gives the same text. */
export function generateApiPage(): string {
  const resources = [...new Set(sdkMethods.map(({ call }) => resourceOf(call)))];
  const sections = resources.map((resource) => {
    const methods = sdkMethods.filter(({ call }) => resourceOf(call) === resource);
    const title = resource === "" ? "## The client" : `## client.${resource}`;
    return [title, ...methods.map(methodText)].join("\n\n");
  });
  return [`# API of @cardwright/sdk`, note, introduction, everyCallText(), ...sections, ...otherSections]
    .join("\n\n")
    .concat("\n");
}

function resourceOf(call: string): string {
  return call.includes(".") ? call.slice(0, call.indexOf(".")) : "";
}

/** What all endpoints that need a token can be refused with, once for all. */
function everyCallText(): string {
  const names = new Set(
    endpoints
      .filter(({ auth }) => auth === "token")
      .map((endpoint) => commonErrors(endpoint))
      .reduce((common, own) => common.filter((name) => own.includes(name))),
  );
  const rows = errorList.filter(({ name }) => names.has(name));
  return ["## What every call may be refused with", rows.map(errorLine).join("\n")].join("\n\n");
}

function methodText(method: SdkMethod): string {
  const endpoint = definitionOf(method);
  const mode = endpoint.mode === "both" ? "" : ` Mode \`${endpoint.mode}\` only.`;
  return [
    `### client.${method.call}`,
    `${endpoint.summary}. ${endpoint.description}${mode}`,
    `\`${endpoint.method} ${endpoint.path}\`. Repeated by itself: ${method.repeated}.`,
    parametersText(method, endpoint),
    resultText(method, endpoint),
    errorsText(endpoint),
    `\`\`\`ts\n${method.example}\n\`\`\``,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function parametersText(method: SdkMethod, endpoint: EndpointDefinition): string {
  if (endpoint.input === "none") return "Takes nothing.";
  const schema = jsonSchemaOf(endpoint.request);
  const how =
    endpoint.input === "params" ? "Takes, as a text:" : `Takes ${method.takes ?? `\`${method.params ?? ""}\``}:`;
  return `${how}\n\n${fieldLines(schema, { indent: "", isRequest: true })}`;
}

function resultText(method: SdkMethod, endpoint: EndpointDefinition): string {
  const schema = jsonSchemaOf(endpoint.response);
  const row = schema.properties?.["list"]?.items;
  const paged = endpoint.isList && endpoint.input === "body";
  const what = method.gives ?? (paged ? `a list of \`${method.result}\`` : `\`${method.result}\``);
  const fields = fieldLines(row ?? schema, { indent: "", isRequest: false });
  return fields === "" ? `Gives ${what}.` : `Gives ${what}:\n\n${fields}`;
}

function fieldLines(schema: JsonSchema, place: { readonly indent: string; readonly isRequest: boolean }): string {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .map(([name, field]) => {
      const inner = field.properties === undefined ? (field.items ?? {}) : field;
      const nested = fieldLines(inner, { ...place, indent: `${place.indent}  ` });
      const optional = place.isRequest && !required.has(name) ? ", optional" : "";
      const line = `${place.indent}- \`${name}\` ${typeOf(field)}${optional}. ${meaningOf(field)}`.trimEnd();
      return nested === "" ? line : `${line}\n${nested}`;
    })
    .join("\n");
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(" \\| ");
  if (schema.type === "array") return `list of ${schema.items?.type ?? "values"}s`;
  return schema.type === "integer" ? "number" : (schema.type ?? "value");
}

function errorsText(endpoint: EndpointDefinition): string {
  if (endpoint.errors.length === 0 && endpoint.mode === "both") return "";
  const names = new Set([...endpoint.errors, ...(endpoint.mode === "both" ? [] : (["mode_not_supported"] as const))]);
  const rows = [...names].map(errorByName).toSorted((left, right) => left.code - right.code);
  return `Refused with:\n\n${rows.map(errorLine).join("\n")}`;
}

function errorLine({ code, name, explanation }: ErrorDescription): string {
  return `- ${code} \`${name}\`: ${explanation}`;
}
