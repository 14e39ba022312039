import {
  buildDeveloperOpenApi,
  buildOpenApi,
  REFERENCE_CONTENT_SECURITY_POLICY,
  renderReference,
} from "@cardwright/contract";
import type { FastifyInstance } from "fastify";

interface Pages {
  readonly openapi: Buffer;
  readonly developer: Buffer;
  readonly reference: Buffer;
}

/**
 * The OpenAPI documents of both APIs and the page about them at `/docs`: public, made once from the contract, when one of them is asked
 * for. Made at each start they took a fifth of its CPU.
 */
export function registerReferencePages(app: FastifyInstance, options: { readonly publicUrl: string }): void {
  let made: Pages | null = null;
  const pages = (): Pages => (made ??= makePages(options.publicUrl));
  for (const [path, name] of [
    ["/open-api/openapi.json", "openapi"],
    ["/developer/openapi.json", "developer"],
  ] as const) {
    app.get(path, async (_request, reply) =>
      reply
        .headers({ ...pageHeaders, "content-security-policy": "default-src 'none'; frame-ancestors 'none'" })
        .type("application/json; charset=utf-8")
        .send(pages()[name]),
    );
  }
  app.get("/docs", async (_request, reply) =>
    reply
      .headers({ ...pageHeaders, "content-security-policy": REFERENCE_CONTENT_SECURITY_POLICY })
      .type("text/html; charset=utf-8")
      .send(pages().reference),
  );
}

function makePages(serverUrl: string): Pages {
  const openapi = buildOpenApi({ serverUrl });
  const developer = buildDeveloperOpenApi({ serverUrl });
  return {
    openapi: Buffer.from(JSON.stringify(openapi), "utf8"),
    developer: Buffer.from(JSON.stringify(developer), "utf8"),
    reference: Buffer.from(renderReference({ openapi, developer }), "utf8"),
  };
}

const pageHeaders = {
  "cache-control": "public, max-age=300",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const;
