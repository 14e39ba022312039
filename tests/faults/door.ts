import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { Pool } from "undici";

/** A callback as it came to a merchant's door. */
export interface Arrival {
  readonly id: string;
  readonly action: string;
  /** Of the header; null for a question, which has none. */
  readonly sequence: number | null;
  readonly cardNo: string;
  readonly consumeNo: string;
  /** The text of the body, without the push's id. */
  readonly body: string;
}

/** Stands before a merchant's server, writes down what comes, in its order, and hands it on. */
export interface Door {
  readonly callbackUrl: string;
  arrivals(): readonly Arrival[];
  close(): Promise<void>;
}

/** Far beyond what a proof makes; a door is not where an endless loop should be found. */
const arrivalsMax = 1_000_000;

export async function openDoor(options: { readonly callbackUrl: string }): Promise<Door> {
  const target = new URL(options.callbackUrl);
  const merchant = new Pool(target.origin, { connections: 64 });
  const arrivals: Arrival[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      if (arrivals.length < arrivalsMax) arrivals.push(arrivalOf(body.toString("utf8"), request.headers["sequence"]));
      const { host: _host, connection: _connection, "content-length": _length, ...headers } = request.headers;
      void handOn(merchant, { path: target.pathname, headers, body, response });
    });
  });
  // Longer than any caller keeps idle connections.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    callbackUrl: `http://127.0.0.1:${port}${target.pathname}`,
    arrivals: () => arrivals,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await merchant.close();
    },
  };
}

async function handOn(
  merchant: Pool,
  call: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer;
    readonly response: ServerResponse;
  },
): Promise<void> {
  const { response, ...request } = call;
  try {
    const answer = await merchant.request({ method: "POST", ...request });
    const text = await answer.body.text();
    response.writeHead(answer.statusCode, { "Content-Type": "application/json" });
    response.end(text);
  } catch {
    response.destroy();
  }
}

function arrivalOf(text: string, sequence: string | string[] | undefined): Arrival {
  const { id, action, data } = fieldsOf(JSON.parse(text));
  const { card_no: cardNo, consume_no: consumeNo } = fieldsOf(data);
  return {
    id: String(id),
    action: String(action),
    sequence: typeof sequence === "string" ? Number(sequence) : null,
    cardNo: textOf(cardNo),
    consumeNo: textOf(consumeNo),
    body: text.replace(/^\{"id":"[^"]*"/u, ""),
  };
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
