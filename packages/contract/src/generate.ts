/** Writes packages/contract/openapi.json. The committed file is compared with this by a test. */
import { writeFileSync } from "node:fs";
import { buildOpenApi } from "./openapi.ts";

export const openApiFile = new URL("../openapi.json", import.meta.url);

/** The committed document names no real server: each installation serves its own address. */
const PLACEHOLDER_SERVER = "https://cards.example.com";

/** The text of openapi.json; the same source gives the same text. */
export function generateOpenApi(): string {
  return `${JSON.stringify(buildOpenApi({ serverUrl: PLACEHOLDER_SERVER }), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(openApiFile, generateOpenApi());
