export { sdkSources } from "./sources.ts";
