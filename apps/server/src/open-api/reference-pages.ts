import { buildOpenApi, REFERENCE_CONTENT_SECURITY_POLICY, renderReference } from "@cardwright/contract";
import type { FastifyInstance } from "fastify";

/** `GET /open-api/openapi.json` and `GET /docs`: public, made once from the contract. */
export function registerReferencePages(app: FastifyInstance, options: { readonly publicUrl: string }): void {
  const document = buildOpenApi({ serverUrl: options.publicUrl });
  const json = Buffer.from(JSON.stringify(document), "utf8");
  const page = Buffer.from(renderReference(document), "utf8");
  app.get("/open-api/openapi.json", async (_request, reply) =>
    reply
      .headers({ ...pageHeaders, "content-security-policy": "default-src 'none'; frame-ancestors 'none'" })
      .type("application/json; charset=utf-8")
      .send(json),
  );
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
