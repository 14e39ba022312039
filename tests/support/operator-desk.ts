import fastify, { type FastifyInstance } from "fastify";
import { operatorApi } from "../../apps/server/src/console-api/index.ts";
import type { TestApi } from "./api.ts";

const adminToken = "admin-token-of-the-operator-desk";

export interface OperatorAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The operator's API over the rooms of a test, over HTTP; paths are below `/operator/v1`. */
export interface OperatorDesk {
  call(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: object): Promise<OperatorAnswer>;
  close(): Promise<void>;
}

export async function openOperatorDesk(api: Pick<TestApi, "rooms" | "clock">): Promise<OperatorDesk> {
  const app: FastifyInstance = fastify();
  await app.register(operatorApi({ ...api.rooms, clock: api.clock, adminToken }), { prefix: "/operator/v1" });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    call: async (method, path, body) => {
      const answer = await fetch(`${url}/operator/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${adminToken}`,
          ...(body !== undefined && { "Content-Type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      const json: unknown = text === "" ? {} : JSON.parse(text);
      return { status: answer.status, body: Object.fromEntries(Object.entries(Object(json))) };
    },
    close: () => app.close(),
  };
}
