import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What a merchant's server received, for the tests of this room. */
export interface ReceivedPush {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Which of the connections that were ever opened it came on, from 1. */
  readonly connection: number;
}

export type Behaviour = (push: ReceivedPush, response: ServerResponse) => void;

export interface MerchantServer {
  readonly url: string;
  readonly received: ReceivedPush[];
  /** Connections that were ever opened. */
  connections(): number;
  /** Those that are open now. */
  open(): number;
  /** Ends every connection, as a server does that restarts. */
  hangUp(): void;
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export const approves: Behaviour = (_push, response) => answerJson(response, { code: 0, message: "" });
export const hangs: Behaviour = () => {};
export const answers =
  (answer: { readonly body: string; readonly status?: number; readonly headers?: Record<string, string> }): Behaviour =>
  (_push, response) => {
    response.writeHead(answer.status ?? 200, { "Content-Type": "application/json", ...answer.headers });
    response.end(answer.body);
  };
/** One byte every 100 ms: the first comes in time, the last does not. */
export const dribbles: Behaviour = (_push, response) => {
  const text = JSON.stringify({ code: 0, message: "x".repeat(200) });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(text.charAt(sent));
    sent += 1;
    if (sent === text.length) {
      response.end();
    }
  }, 100);
  response.on("close", () => clearInterval(timer));
};

export function answerJson(response: ServerResponse, answer: object): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(answer));
}

/** A merchant's server on a free port of 127.0.0.1 whose behaviour a test can change. */
export async function startMerchantServer(first: Behaviour = approves): Promise<MerchantServer> {
  const received: ReceivedPush[] = [];
  let behaviour = first;
  const sockets = new Map<Socket, number>();
  let open = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const connection = sockets.get(request.socket) ?? 0;
      const push = { ...pushOf(request, Buffer.concat(chunks).toString("utf8")), connection };
      received.push(push);
      behaviour(push, response);
    });
  });
  server.on("connection", (socket) => {
    sockets.set(socket, sockets.size + 1);
    open += 1;
    socket.on("close", () => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/callback?from=cardwright`,
    received,
    connections: () => sockets.size,
    open: () => open,
    hangUp: () => server.closeAllConnections(),
    behave: (next) => {
      behaviour = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") {
    throw new Error("the server does not listen on a port");
  }
  return address.port;
}

function pushOf(request: IncomingMessage, body: string): Omit<ReceivedPush, "connection"> {
  const parsed: { id: string; data: Record<string, unknown> } = JSON.parse(body);
  return { path: request.url ?? "", headers: request.headers, body, id: parsed.id, data: parsed.data };
}
