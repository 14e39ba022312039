/** The OpenAPI 3.1 document of the developer API. */
import { developerEndpoints } from "./developer.ts";
import { errorsOf } from "./endpoints.ts";
import { errorList } from "./errors.ts";
import { documentOf, type OpenApiDocument } from "./openapi.ts";

const DESCRIPTION = [
  "See what became of your callbacks, send them again, test your server and rotate the secret that signs.",
  "Headers, tokens, limits, envelope and languages are those of the Open API.",
  "Times are Unix milliseconds, 0 where there is none; texts are empty where there is none.",
].join(" ");

const SHOWN_OPTIONAL = ["state", "callback_ids", "overlap_hours"];

/** The whole document. `serverUrl` has no path and no slash at its end. The same input gives the same document. */
export function buildDeveloperOpenApi(options: { serverUrl: string }): OpenApiDocument {
  const answered = new Set(developerEndpoints.flatMap((endpoint) => errorsOf(endpoint)));
  return documentOf({
    ...options,
    title: "Cardwright developer API",
    description: DESCRIPTION,
    endpoints: developerEndpoints,
    tags: { "Developer API": "Callbacks, their endpoint and their secrets." },
    shownOptional: () => SHOWN_OPTIONAL,
    webhooks: {},
    errors: errorList.filter(({ name }) => answered.has(name)),
  });
}
