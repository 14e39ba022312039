/** The reference page at `/docs`: one self-contained HTML document made from the OpenAPI document. */
import { createHash } from "node:crypto";
import type { OpenApiDocument } from "./openapi.ts";
import { callbackContent, endpointContent, type RoutedOperation } from "./reference/endpoint.ts";
import { closingSections, developerSection, type GuideSection, openingSections } from "./reference/guide.ts";
import { type Html, html } from "./reference/html.ts";
import { SCRIPT } from "./reference/script.ts";
import { STYLE } from "./reference/style.ts";

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}

/** Sources for the `style-src` and `script-src` of a Content-Security-Policy: the page's only style and script. */
export const REFERENCE_STYLE_SOURCE = hashSource(STYLE);
export const REFERENCE_SCRIPT_SOURCE = hashSource(SCRIPT);

/** The Content-Security-Policy under which the page works: nothing is loaded, sent or embedded. */
export const REFERENCE_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${REFERENCE_STYLE_SOURCE}`,
  `script-src ${REFERENCE_SCRIPT_SOURCE}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface NavigationGroup {
  readonly title: string;
  readonly entries: readonly (GuideSection & { readonly badge?: "GET" | "POST" | "PUSH" })[];
}

/** What the page shows: the Open API first, then the developer API as a group of its own. */
export interface ReferenceDocuments {
  readonly openapi: OpenApiDocument;
  readonly developer: OpenApiDocument;
}

/** The whole page. The same documents give the same page, so it can be rendered once and kept. */
export function renderReference({ openapi, developer }: ReferenceDocuments): string {
  const groups: readonly NavigationGroup[] = [
    { title: "Overview", entries: openingSections(openapi) },
    ...endpointGroups(openapi),
    callbackGroup(openapi),
    ...endpointGroups(developer).map(({ title, entries }) => ({
      title,
      entries: [developerSection(developer), ...entries],
    })),
    { title: "Reference", entries: closingSections(allErrors({ openapi, developer })) },
  ];
  const sections = groups.flatMap(({ entries }) => entries);
  const style: Html = { markup: `<style>${STYLE}</style>` };
  const script: Html = { markup: `<script>${SCRIPT}</script>` };
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${openapi.info.title}</title>${style}</head>
<body><div class="page">
<nav aria-label="Contents"><a class="brand" href="#start">${openapi.info.title}</a>
<input id="search" type="search" placeholder="Search ( / )" aria-label="Search the reference">
${groups.map(navigation)}</nav>
<main>${sections.map(({ id, content }) => html`<section id="${id}">${content}</section>\n`)}
<p id="nothing" hidden>Nothing matches.</p></main>
</div>${script}</body></html>
`.markup;
}

/** In the order of their codes, each once. */
function allErrors({ openapi, developer }: ReferenceDocuments): OpenApiDocument["x-error-codes"] {
  const known = new Set(openapi["x-error-codes"].map(({ code }) => code));
  return [...openapi["x-error-codes"], ...developer["x-error-codes"].filter(({ code }) => !known.has(code))];
}

function navigation(group: NavigationGroup): Html {
  return html`<div class="group"><h2>${group.title}</h2><ul>${group.entries.map(
    ({ id, title, badge }) => html`<li><a href="#${id}">${badgeOf(badge)}${title}</a></li>\n`,
  )}</ul></div>`;
}

function badgeOf(badge: "GET" | "POST" | "PUSH" | undefined): Html | string {
  return badge === undefined ? "" : html`<span class="badge ${badge.toLowerCase()}">${badge}</span>`;
}

function endpointGroups(openapi: OpenApiDocument): readonly NavigationGroup[] {
  const operations = routedOperations(openapi);
  const serverUrl = openapi.servers[0]?.url ?? "";
  return openapi.tags
    .map(({ name }) => ({
      title: name,
      entries: operations
        .filter(({ operation }) => operation.tags.includes(name))
        .map((routed) => ({
          id: routed.operation.operationId,
          title: routed.operation.summary,
          badge: routed.method,
          content: endpointContent(routed, serverUrl),
        })),
    }))
    .filter(({ entries }) => entries.length > 0);
}

function routedOperations(openapi: OpenApiDocument): readonly RoutedOperation[] {
  return Object.entries(openapi.paths).flatMap(([path, { get, post }]) => [
    ...(get === undefined ? [] : [{ method: "GET" as const, path, operation: get }]),
    ...(post === undefined ? [] : [{ method: "POST" as const, path, operation: post }]),
  ]);
}

function callbackGroup(openapi: OpenApiDocument): NavigationGroup {
  return {
    title: "Callbacks",
    entries: Object.entries(openapi.webhooks).map(([action, webhook]) => ({
      id: webhook.post.operationId,
      title: action,
      badge: "PUSH",
      content: callbackContent(action, webhook),
    })),
  };
}
