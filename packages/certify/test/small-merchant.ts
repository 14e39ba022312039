import { once } from "node:events";
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type Server as NetServer } from "node:net";
import { type CallbackBody, signV1, splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import { type Answer, createBook, type Said } from "./small-book.ts";

/** One thing that this merchant does wrong. */
export type Defect =
  | "none"
  | "accepts any signature"
  | "accepts a missing signature"
  | "compares a prefix"
  | "no timestamp check"
  | "ignores standard webhooks"
  | "books a repeated push again"
  | "holds twice on a repeated Auth"
  | "overdraws under concurrency"
  | "code as a text"
  | "answers a text"
  | "dies on an unknown field"
  | "dies on Unicode"
  | "loses cents"
  | "refuses out of order"
  | "old news counts"
  | "keeps what timed out"
  | "late question holds"
  | "slow under load"
  | "closes connections"
  | "refuses forced purchases"
  | "gives a reversal back twice"
  | "ignores the final amount"
  | "ignores refunds"
  | "declines with HTTP 402"
  | "approves unknown cards"
  | "refuses unknown actions"
  | "reads one packet"
  | "dies on a broken request"
  | "approves everything"
  | "no money";

export interface SmallMerchant {
  readonly url: string;
  /** What is available now, minor units. */
  available(): bigint;
  /** Bodies that came, in order of arrival. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

export interface SmallTls {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** So long a connection waits for its TLS handshake. */
  readonly handshakeMs?: number;
}

export const credentials = {
  appId: "app_certify",
  apiSecret: "Zk3nQ8wLx2Vb7Rt5Yp9Mc4Hd6Jf1Gs0A",
  webhookSecret: `whsec_${Buffer.from("thirty-two bytes of webhook key!").toString("base64")}`,
  cardNo: "C202605220001",
  cardholderNo: "U202605220001",
} as const;

interface Server {
  readonly defect: Defect;
  readonly now: () => number;
  readonly book: ReturnType<typeof createBook>;
  readonly received: string[];
  /** Its process has died; it is started again after the next request. */
  isDead: boolean;
}

const bodyBytesMax = 256 * 1024;

/** A real HTTP server, or HTTPS when it has a certificate, with books in memory; right in everything but its defect. */
export async function startSmallMerchant(
  defect: Defect,
  options: { readonly balance?: bigint; readonly now?: () => number; readonly tls?: SmallTls } = {},
): Promise<SmallMerchant> {
  const { cardNo, cardholderNo } = credentials;
  const balance = defect === "no money" ? 0n : (options.balance ?? 13_037n);
  const state: Server = {
    defect,
    now: options.now ?? Date.now,
    book: createBook({ defect, balance, cardNo, cardholderNo }),
    received: [],
    isDead: false,
  };
  const { tls } = options;
  const { door, http } = doorsOf(tls, (incoming, outgoing) => void serve(state, incoming, outgoing));
  await once(door.listen(0, "127.0.0.1", 512), "listening");
  const address = door.address();
  if (address === null || typeof address === "string") {
    throw new Error("no port");
  }
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${address.port}/callback`,
    available: state.book.available,
    received: state.received,
    close: async () => {
      const closed = once(door, "close");
      door.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

/** What is listened with, and what speaks HTTP behind it. */
interface Doors {
  readonly door: NetServer;
  readonly http: HttpServer;
}

function doorsOf(
  tls: SmallTls | undefined,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Doors {
  if (tls === undefined) {
    const http = createServer(answer);
    return { door: http, http };
  }
  const http = createTlsServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, answer);
  const { handshakeMs = 0 } = tls;
  if (handshakeMs === 0) {
    return { door: http, http };
  }
  const door = createTcpServer((socket) => void setTimeout(() => http.emit("connection", socket), handshakeMs));
  return { door, http };
}

async function serve(state: Server, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (state.isDead) {
    state.isDead = false;
    incoming.socket.destroy();
    return;
  }
  try {
    send(state, outgoing, await replyTo(state, incoming));
  } catch {
    // The request broke off, or a defect has thrown: as a server without a handler would end.
    state.isDead = state.defect === "dies on a broken request";
    incoming.socket.destroy();
  }
}

function send(state: Server, outgoing: ServerResponse, said: Said): void {
  const { status = 200, code, message } = said;
  if (state.defect === "closes connections") {
    outgoing.setHeader("Connection", "close");
  }
  if (state.defect === "answers a text") {
    outgoing.writeHead(status, { "Content-Type": "text/plain" }).end(code === 0 ? "success" : "fail");
    return;
  }
  const answer = { code: state.defect === "code as a text" ? String(code) : code, message };
  outgoing.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
}

async function replyTo(state: Server, incoming: IncomingMessage): Promise<Said> {
  const body = await bodyOf(state, incoming);
  if (incoming.method !== "POST") {
    return { status: 405, code: 405, message: "POST only" };
  }
  if (body === null) {
    return { status: 413, code: 413, message: "too large" };
  }
  const bodyText = body.toString("utf8");
  const split = splitCallbackBody(bodyText);
  if (!split.ok) {
    return { status: 400, code: 400, message: split.reason };
  }
  if (!isGenuine(state, { incoming, body, callback: split.value })) {
    return { status: 401, code: 401, message: "signature" };
  }
  state.received.push(bodyText);
  return await answerTo(state, split.value);
}

async function bodyOf(state: Server, incoming: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > bodyBytesMax) {
      incoming.resume();
      return null;
    }
    chunks.push(piece);
    if (state.defect === "reads one packet") {
      incoming.resume();
      break;
    }
  }
  return Buffer.concat(chunks);
}

interface Received {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly callback: CallbackBody;
}

function isGenuine({ defect, now }: Server, { incoming, body, callback }: Received): boolean {
  const header = (name: string): string | undefined => {
    const value = incoming.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const signature = header("signature");
  const isUnsigned = signature === undefined || signature === "";
  if (defect === "accepts any signature" || (defect === "accepts a missing signature" && isUnsigned)) {
    return Math.abs(now() - Number(header("timestamp"))) < 300_000;
  }
  const timing = defect === "no timestamp check" ? { toleranceMs: 1e12 } : {};
  const common = { nowMs: now(), ...timing };
  const timestamp = header("timestamp") ?? "";
  if (defect === "compares a prefix" && !isUnsigned && /^\d{13}$/u.test(timestamp)) {
    const isFresh = Math.abs(now() - Number(timestamp)) < 300_000;
    return isFresh && signV1({ ...credentials, timestamp, dataText: callback.dataText }).startsWith(signature);
  }
  const v1 = { ...credentials, ...common, timestamp, dataText: callback.dataText };
  const standard = verifyStandard({
    ...common,
    id: header("webhook-id"),
    timestamp: header("webhook-timestamp"),
    signatureHeader: header("webhook-signature"),
    body,
    secrets: [credentials.webhookSecret],
  });
  const isStandard = standard.ok || defect === "ignores standard webhooks" || header("webhook-id") === undefined;
  return verifyV1({ ...v1, signature }).ok && isStandard;
}

async function answerTo(state: Server, callback: CallbackBody): Promise<Said> {
  const { defect, book } = state;
  const data: unknown = JSON.parse(callback.dataText);
  const answer: Answer = { id: callback.id, action: callback.action, data };
  if (defect === "dies on Unicode" && /[\u{100}-\u{10ffff}]/u.test(callback.dataText)) {
    throw new Error("cannot be written in latin1");
  }
  if (defect === "dies on an unknown field" && callback.dataText.includes('"installments"')) {
    throw new Error("unknown field");
  }
  return await book.take(answer);
}
