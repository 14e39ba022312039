/** One endpoint or callback as a section of the reference page. */
import type { JsonSchema } from "../json-schema.ts";
import type { ErrorRow, OpenApiContent, OpenApiOperation, OpenApiParameter, OpenApiWebhook } from "../openapi.ts";
import { type Html, html, prose, sample, table } from "./html.ts";

export interface RoutedOperation {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly operation: OpenApiOperation;
}

/** The card of one endpoint. */
export function endpointContent(routed: RoutedOperation, serverUrl: string): Html {
  const { method, path, operation } = routed;
  const body = operation.requestBody?.content;
  const answer = operation.responses["200"];
  const answerContent = answer !== undefined && "content" in answer ? answer.content : undefined;
  const data = answerContent?.["application/json"].schema.properties?.["data"];
  return html`<div class="columns"><div>
<h2>${operation.summary}</h2>
<p class="route"><span class="badge ${method.toLowerCase()}">${method}</span><code>${path}</code>${modeBadge(operation)}</p>
<p>${prose(operation.description)}</p>
${pathParametersOf(operation)}
${body === undefined ? "" : html`<h3>Request body</h3>${fieldTable(body["application/json"].schema, "request")}`}
${data === undefined ? "" : html`<h3>${html`Answer: <code>data</code>`}</h3>${dataContent(data)}`}
${errorTable(operation["x-errors"])}
</div><div class="samples">
${sample({ title: "Request", code: curl(routed, serverUrl) })}
${answerContent === undefined ? "" : answerSamples(answerContent)}
</div></div>`;
}

/** The card of one callback. */
export function callbackContent(action: string, webhook: OpenApiWebhook): Html {
  const { summary, description, parameters, requestBody, responses } = webhook.post;
  const push = requestBody.content["application/json"];
  const answer = responses["200"]?.content["application/json"];
  return html`<div class="columns"><div>
<h2>${summary}</h2>
<p class="route"><span class="badge push">PUSH</span><code>${action}</code></p>
<p>${prose(description)}</p>
<h3>Headers</h3>${table({
    head: ["Header", "Meaning"],
    rows: parameters.map(({ name, description }) => [html`<code>${name}</code>`, prose(description)]),
  })}
<h3>Body</h3>${fieldTable(push.schema, "answer")}
</div><div class="samples">
${Object.values(push.examples).map(({ value }) => sample({ title: "Body", code: pretty(value) }))}
${Object.values(answer?.examples ?? {}).map(({ value }) => sample({ title: "Your answer", code: pretty(value) }))}
</div></div>`;
}

function modeBadge(operation: OpenApiOperation): Html | string {
  return operation["x-mode"] === "both" ? "" : html`<span class="mode">${operation["x-mode"]} only</span>`;
}

function pathParametersOf(operation: OpenApiOperation): Html | string {
  const parameters = operation.parameters.filter(isPathParameter);
  if (parameters.length === 0) return "";
  return html`<h3>Path</h3>${table({
    head: ["Parameter", "Type", "Description"],
    rows: parameters.map(({ name, description }) => [html`<code>${name}</code>`, "string", prose(description)]),
  })}`;
}

function isPathParameter(parameter: OpenApiOperation["parameters"][number]): parameter is OpenApiParameter {
  return "in" in parameter && parameter.in === "path";
}

function dataContent(data: JsonSchema): Html {
  return data.type === "object" ? fieldTable(data, "answer") : html`<p>A string. ${prose(data.description ?? "")}</p>`;
}

function fieldTable(schema: JsonSchema, side: "request" | "answer"): Html {
  const rows = fieldRows(schema, { prefix: "", side });
  return rows.length === 0 ? html`<p>No fields.</p>` : table({ head: ["Field", "Type", "Description"], rows });
}

function fieldRows(
  schema: JsonSchema,
  options: { prefix: string; side: "request" | "answer" },
): readonly (readonly Html[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${options.prefix}${name}`;
    const inner = field.type === "array" ? field.items : field;
    const prefix = field.type === "array" ? `${path}[].` : `${path}.`;
    const isRequired = schema.required?.includes(name) === true;
    return [
      [
        html`<code>${path}</code>${options.side === "request" ? requirement(isRequired ? "required" : "optional") : ""}`,
        html`${typeName(field)}`,
        html`${prose(field.description ?? "")}${boundsOf(field)}`,
      ],
      ...(inner === undefined ? [] : fieldRows(inner, { prefix, side: options.side })),
    ];
  });
}

function requirement(name: "required" | "optional"): Html {
  return html`<br><span class="${name}">${name}</span>`;
}

function typeName(field: JsonSchema): string {
  if (field.type === "array") return field.items?.type === "object" ? "object[]" : `${field.items?.type ?? ""}[]`;
  return field.type ?? "string";
}

function boundsOf(field: JsonSchema): Html | string {
  const values = field.enum ?? [];
  if (values.length === 0) return "";
  return html` One of ${values.map((value) => html`<code>${String(value)}</code> `)}`;
}

function errorTable(errors: readonly ErrorRow[]): Html {
  return html`<details><summary>Error codes (${errors.length})</summary>${table({
    head: ["Code", "Message", "中文"],
    rows: errors.map(({ code, en, zh }) => [html`<a href="#error-${code}">${code}</a>`, en, zh]),
  })}</details>`;
}

function answerSamples(content: OpenApiContent): readonly Html[] {
  const titles: Readonly<Record<string, string>> = { success: "Answer", failure: "Answer when refused" };
  return Object.entries(content["application/json"].examples).map(([name, { value }]) =>
    sample({ title: titles[name] ?? name, code: pretty(value) }),
  );
}

function curl(routed: RoutedOperation, serverUrl: string): string {
  const { method, operation } = routed;
  const path = operation.parameters
    .filter(isPathParameter)
    .reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), routed.path);
  const body = operation.requestBody?.content["application/json"].examples["request"]?.value;
  const lines = [
    `curl ${method === "POST" ? "-X POST " : ""}${serverUrl}${path}`,
    `-H "Api-Key: $API_KEY"`,
    `-H "Timestamp: $(date +%s%3N)"`,
    ...(operation.security.some((scheme) => "AccessToken" in scheme) ? [`-H "Access-Token: $ACCESS_TOKEN"`] : []),
    `-H "Content-Type: application/json"`,
    ...(body === undefined ? [] : [`-d '${pretty(body)}'`]),
  ];
  return lines.join(" \\\n  ");
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
