import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { developerEndpoints } from "./developer.ts";
import { buildDeveloperOpenApi } from "./developer-openapi.ts";
import { endpoints, openApiPath } from "./endpoints.ts";
import { errorList } from "./errors.ts";
import { buildOpenApi } from "./openapi.ts";
import { REFERENCE_CONTENT_SECURITY_POLICY, renderReference } from "./reference.ts";

const document = buildOpenApi({ serverUrl: "http://127.0.0.1:8080" });
const developer = buildDeveloperOpenApi({ serverUrl: "http://127.0.0.1:8080" });
const page = renderReference({ openapi: document, developer });

function contentsOf(tag: "style" | "script"): readonly string[] {
  return [...page.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, "g"))].map(([, content]) => content ?? "");
}

test("the page shows every endpoint of both APIs, callback and error, and leads to both documents", () => {
  for (const { path } of [...endpoints, ...developerEndpoints]) expect(page).toContain(openApiPath(path));
  for (const action of Object.keys(document.webhooks)) expect(page).toContain(`<code>${action}</code>`);
  for (const file of ["/open-api/openapi.json", "/developer/openapi.json"]) expect(page).toContain(`href="${file}"`);
  for (const { code, zh } of errorList) {
    expect(page).toContain(`id="error-${code}"`);
    expect(page).toContain(zh);
  }
});

test("every link inside the page has a target, and every id is used once", () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});

test.each(["style", "script"] as const)("the page's only %s is the one that the security policy allows", (tag) => {
  const contents = contentsOf(tag);
  expect(contents).toHaveLength(1);
  const hash = createHash("sha256")
    .update(contents[0] ?? "")
    .digest("base64");
  expect(REFERENCE_CONTENT_SECURITY_POLICY).toContain(`${tag}-src 'sha256-${hash}'`);
});

test("the page loads nothing and has no inline style or handler, which the policy would block", () => {
  expect(page).not.toMatch(/<[^>]+\s(?:src|style|on[a-z]+)=/);
  expect(page).not.toMatch(/<(?:link|img|iframe)\b/);
});

test("texts cannot break out into markup", () => {
  const hostile = "</code><script>alert(1)</script>";
  const info = { ...document.info, title: hostile, description: hostile };
  const html = renderReference({ openapi: { ...document, info }, developer: { ...developer, info } });
  expect(html).not.toContain("<script>alert");
  expect(html).toContain("&lt;script&gt;alert(1)");
});
