export { generateApiPage } from "./api-page.ts";
export { sdkSources } from "./sources.ts";
