import {
  authData,
  cardPrivateInfoPlain,
  cardUpdateData,
  consumptionData,
  errorList,
  type JsonSchema,
  jsonSchemaOf,
} from "@cardwright/contract";
import { definitionOf, sdkMethods } from "./methods.ts";
import { Declarations, enumerations } from "./typescript.ts";

const note = "/** Made by npm run generate from packages/contract: change that, not this file. */\n";

const folder = "packages/sdk/src/generated";

/** What is written to packages/sdk/src/generated. The same contract gives the same texts. */
export const sdkSources: readonly { readonly path: string; readonly make: () => string }[] = [
  { path: `${folder}/enumerations.ts`, make: enumerationsText },
  { path: `${folder}/requests.ts`, make: () => note + declarationFiles().requests.text() },
  { path: `${folder}/answers.ts`, make: () => note + declarationFiles().answers.text() },
  { path: `${folder}/callbacks.ts`, make: () => note + declarationFiles().callbacks.text() },
  { path: `${folder}/developer.ts`, make: () => note + declarationFiles().developer.text() },
  { path: `${folder}/types.ts`, make: typesText },
  { path: `${folder}/errors.ts`, make: errorsText },
  { path: `${folder}/callback-shapes.ts`, make: callbackShapesText },
];

function typesText(): string {
  const files = ["answers", "callbacks", "developer", "enumerations", "requests"];
  return `${note}\n${files.map((file) => `export type * from "./${file}.ts";\n`).join("")}`;
}

function enumerationsText(): string {
  const unions = Object.entries(enumerations).map(
    ([name, values]) => `export type ${name} = ${values.map((value) => JSON.stringify(value)).join(" | ")};\n`,
  );
  return `${note}\n${unions.join("")}`;
}

function declarationFiles() {
  const requests = new Declarations("requests", []);
  const answers = new Declarations("answers", []);
  const callbacks = new Declarations("callbacks", [answers]);
  const developer = new Declarations("developer", []);
  for (const method of sdkMethods) {
    const endpoint = definitionOf(method);
    const isDeveloper = method.call.startsWith("developer.");
    const description = `${endpoint.summary}. ${endpoint.description}`;
    if (method.params !== undefined)
      (isDeveloper ? developer : requests).add(method.params, { ...jsonSchemaOf(endpoint.request), description });
    if (method.endpoint !== "card.private_info")
      (isDeveloper ? developer : answers).add(method.result, rowOf(jsonSchemaOf(endpoint.response)));
  }
  answers.add("CardPrivateInfo", jsonSchemaOf(cardPrivateInfoPlain));
  callbacks.add("AuthData", jsonSchemaOf(authData));
  callbacks.add("ConsumptionData", jsonSchemaOf(consumptionData));
  callbacks.add("CardUpdateData", jsonSchemaOf(cardUpdateData));
  return { requests, answers, callbacks, developer };
}

/** Of a list's `data` one row, else `data` itself. */
function rowOf(schema: JsonSchema): JsonSchema {
  return schema.properties?.["list"]?.items ?? schema;
}

/** Every code of the contract with its name and its messages. */
function errorsText(): string {
  const rows = errorList.map(
    ({ code, name, en, zh, wording }) =>
      `  ${code}: { name: ${JSON.stringify(name)}, en: ${JSON.stringify(en)}, zh: ${JSON.stringify(zh)}, ofField: ${wording === "field"} },\n`,
  );
  return `${note}
/** \`ofField\`: \`msg\` may begin with the name of the wrong field. */
export const contractErrors = {
${rows.join("")}} as const;
`;
}

/** What `data` of each callback must have, for a check at run time. */
function callbackShapesText(): string {
  const shapes = { Auth: authData, Consumption: consumptionData, Card_update: cardUpdateData };
  const rows = Object.entries(shapes).map(([action, schema]) => {
    const fields = Object.entries(jsonSchemaOf(schema).properties ?? {}).map(
      ([name, { type }]) => `${name}: ${JSON.stringify(type === "integer" ? "number" : (type ?? "string"))}`,
    );
    return `  ${action}: { ${fields.join(", ")} },\n`;
  });
  return `${note}
/** The JSON type of each field that is always there. */
export const callbackShapes = {
${rows.join("")}} as const;
`;
}
