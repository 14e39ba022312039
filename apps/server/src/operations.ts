import fastify, { type FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

export interface OperationsDeps {
  readonly metrics: Registry;
  /** Why the process cannot serve now, or null when it can. */
  readonly unreadiness: () => Promise<string | null>;
}

/** Health and metrics, on a port of their own that the public never reaches. */
export function buildOperations(deps: OperationsDeps): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 5_000 });
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const reason = await deps.unreadiness();
    return reason === null ? { status: "ready" } : reply.code(503).send({ status: "not ready", reason });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(deps.metrics.contentType).send(await deps.metrics.metrics()),
  );
  return app;
}
