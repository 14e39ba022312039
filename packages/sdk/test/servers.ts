/** The same callback endpoint on each kind of server that the handler is made for, all with real HTTP. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import type { CallbackHandler } from "../src/index.ts";

export interface Endpoint {
  readonly url: string;
  readonly close: () => Promise<void>;
}

export const serverKinds = ["node:http", "Express", "Fastify", "Hono", "Fetch API"] as const;
export type ServerKind = (typeof serverKinds)[number];

export async function serve(kind: ServerKind, handler: CallbackHandler): Promise<Endpoint> {
  switch (kind) {
    case "node:http":
      return await listening(createServer(handler.node));
    case "Express": {
      const app = express();
      app.post("/callback", handler.express);
      app.use(express.json());
      return await listening(createServer(app));
    }
    case "Fastify": {
      const app = fastify();
      await app.register(handler.fastify, { prefix: "/callback" });
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      return { url: `${url}/callback`, close: () => app.close() };
    }
    case "Hono": {
      const app = new Hono();
      app.post("/callback", handler.hono);
      return await listening(serverOf((request) => app.fetch(request)));
    }
    case "Fetch API":
      return await listening(serverOf(handler.fetch));
  }
}

export async function listening(server: Server): Promise<Endpoint> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/callback`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Node has no server of the Fetch API: requests become `Request`s here, and answers come from `Response`s. */
export function serverOf(answer: (request: Request) => Response | Promise<Response>): Server {
  return createServer((incoming, outgoing) => {
    void (async () => {
      const response = await answer(requestOf(incoming));
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    })();
  });
}

function requestOf(incoming: IncomingMessage): Request {
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      incoming.on("data", (chunk: Buffer) => controller.enqueue(new Uint8Array(chunk)));
      incoming.on("end", () => controller.close());
      incoming.on("error", (error) => controller.error(error));
    },
  });
  const method = incoming.method ?? "GET";
  const withBody = method === "GET" ? {} : { body, duplex: "half" as const };
  return new Request(`http://127.0.0.1${incoming.url ?? "/"}`, { method, headers, ...withBody });
}
