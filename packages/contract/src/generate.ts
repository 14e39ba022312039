/** Writes the OpenAPI documents of this package. The committed files are compared with this by a test. */
import { writeFileSync } from "node:fs";
import { buildDeveloperOpenApi } from "./developer-openapi.ts";
import { buildOpenApi, type OpenApiDocument } from "./openapi.ts";

export const openApiFile = new URL("../openapi.json", import.meta.url);
export const developerOpenApiFile = new URL("../developer-openapi.json", import.meta.url);

/** The committed documents name no real server: each installation serves its own address. */
const PLACEHOLDER_SERVER = "https://cards.example.com";

/** The text of openapi.json; the same source gives the same text. */
export function generateOpenApi(): string {
  return textOf(buildOpenApi({ serverUrl: PLACEHOLDER_SERVER }));
}

/** The text of developer-openapi.json. */
export function generateDeveloperOpenApi(): string {
  return textOf(buildDeveloperOpenApi({ serverUrl: PLACEHOLDER_SERVER }));
}

function textOf(document: OpenApiDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (import.meta.main) {
  writeFileSync(openApiFile, generateOpenApi());
  writeFileSync(developerOpenApiFile, generateDeveloperOpenApi());
}
