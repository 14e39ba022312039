import {
  buildDeveloperOpenApi,
  buildOpenApi,
  REFERENCE_CONTENT_SECURITY_POLICY,
  renderReference,
} from "@cardwright/contract";
import type { FastifyInstance } from "fastify";

/** The OpenAPI documents of both APIs and the page about them at `/docs`: public, made once from the contract. */
export function registerReferencePages(app: FastifyInstance, options: { readonly publicUrl: string }): void {
  const serverUrl = options.publicUrl;
  const openapi = buildOpenApi({ serverUrl });
  const developer = buildDeveloperOpenApi({ serverUrl });
  for (const [path, document] of [
    ["/open-api/openapi.json", openapi],
    ["/developer/openapi.json", developer],
  ] as const) {
    const json = Buffer.from(JSON.stringify(document), "utf8");
    app.get(path, async (_request, reply) =>
      reply
        .headers({ ...pageHeaders, "content-security-policy": "default-src 'none'; frame-ancestors 'none'" })
        .type("application/json; charset=utf-8")
        .send(json),
    );
  }
  const page = Buffer.from(renderReference({ openapi, developer }), "utf8");
  app.get("/docs", async (_request, reply) =>
    reply
      .headers({ ...pageHeaders, "content-security-policy": REFERENCE_CONTENT_SECURITY_POLICY })
      .type("text/html; charset=utf-8")
      .send(page),
  );
}

const pageHeaders = {
  "cache-control": "public, max-age=300",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const;
