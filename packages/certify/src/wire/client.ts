import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SecureContext } from "node:tls";
import { buildConnector, Client, type Dispatcher, errors, Pool } from "undici";
import { limits } from "../limits.ts";
import type { Answer, AnswerEnd } from "./answer.ts";
import { type Cutting, cutRequest } from "./cut.ts";
import type { Envelope } from "./message.ts";
import { isAboutCertificate, trustIn } from "./trust.ts";

export interface Sending {
  readonly signal: AbortSignal;
  /** How long an answer is waited for. */
  readonly waitMs: number;
  /** POST when absent. */
  readonly method?: "GET";
  /** The body in pieces instead of in one; `chunked` leaves the length out. */
  readonly pieces?: { readonly of: () => AsyncIterable<Uint8Array>; readonly chunked: boolean };
}

/** The platform's connections to one callback URL. */
export interface Wire {
  /** Never rejects: what went wrong is in the answer. */
  post(envelope: Envelope, sending: Sending): Promise<Answer>;
  /** One connection of its own, for what is about connections. `opened` counts how often it had to be made. */
  line(): Line;
  /** Drops a connection in the middle of a request; see `cutRequest`. */
  cut(envelope: Envelope, cutting: Cutting): Promise<void>;
  close(): Promise<void>;
}

export interface Line {
  post(envelope: Envelope, sending: Sending): Promise<Answer>;
  opened(): number;
  close(): Promise<void>;
}

const settings = {
  allowH2: false,
  pipelining: 1,
  // As the platform does: shorter than the idle time-out of the usual servers.
  keepAliveTimeout: 4_000,
  // Each exchange has its own, exact one.
  headersTimeout: 0,
  bodyTimeout: 0,
} as const;

/**
 * Keep-alive connections as the platform has them: redirects are not followed, certificates are verified, HTTP/1.1. Authorities in `ca`
 * (PEM) are trusted besides those of this machine.
 */
export function openWire({ url, ca }: { readonly url: string; readonly ca: string | null }): Wire {
  const { origin, pathname, search } = new URL(url);
  const path = pathname + search;
  const trust = trustIn(ca);
  const place: Place = { origin, path, connect: () => connectorOf(trust) };
  const pool = new Pool(origin, { ...settings, connect: place.connect(), connections: limits.connectionsMax });
  const lines = new Set<Client>();
  return {
    post: (envelope, sending) => exchange({ dispatcher: pool, path, envelope }, sending),
    line: () => openLine(place, lines),
    cut: (envelope, cutting) => cutRequest({ url, trust }, envelope, cutting),
    close: async () => {
      await Promise.all([pool.destroy(), ...[...lines].map((line) => line.destroy())]);
    },
  };
}

interface Place {
  readonly origin: string;
  readonly path: string;
  readonly connect: () => buildConnector.connector;
}

function connectorOf(secureContext: SecureContext): buildConnector.connector {
  return buildConnector({ allowH2: false, timeout: limits.connectMs, secureContext });
}

function openLine({ origin, path, connect }: Place, lines: Set<Client>): Line {
  const client = new Client(origin, { ...settings, connect: connect() });
  let opened = 0;
  client.on("connect", () => {
    opened += 1;
  });
  lines.add(client);
  return {
    post: (envelope, sending) => exchange({ dispatcher: client, path, envelope }, sending),
    opened: () => opened,
    close: async () => {
      lines.delete(client);
      await client.destroy();
    },
  };
}

interface Target {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly envelope: Envelope;
}

async function exchange(target: Target, sending: Sending): Promise<Answer> {
  // In the next turn the end of an idle connection is known, if it has reached this machine.
  await nextTurn();
  const startedMs = performance.now();
  const deadline = AbortSignal.timeout(sending.waitMs);
  const signal = AbortSignal.any([sending.signal, deadline]);
  let status: number | null = null;
  const chunks: Buffer[] = [];
  try {
    const response = await request(target, sending, signal);
    status = response.statusCode;
    let bytes = 0;
    for await (const chunk of response.body) {
      const piece: Buffer = Buffer.from(chunk);
      if (bytes < limits.answerBytesMax) {
        chunks.push(piece);
      }
      bytes += piece.length;
      if (bytes > 64 * limits.answerBytesMax) {
        break;
      }
    }
    return {
      end: "answered",
      status,
      contentType: headerText(response.headers["content-type"]),
      closes: /\bclose\b/iu.test(headerText(response.headers["connection"])),
      text: Buffer.concat(chunks).toString("utf8"),
      bytes,
      tookMs: performance.now() - startedMs,
      error: "",
    };
  } catch (error) {
    const code = errorCode(error);
    const end = endOf({ error, code, timedOut: deadline.aborted, begun: status !== null });
    const why = end === "untrusted" ? `${reasonOf(error)}, ${code}` : code;
    return { ...nothing, end, status, tookMs: performance.now() - startedMs, error: why };
  }
}

const nothing = { contentType: "", closes: false, text: "", bytes: 0 } as const;

async function request(target: Target, sending: Sending, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { dispatcher, path, envelope } = target;
  const method = sending.method ?? "POST";
  const { pieces } = sending;
  const length = pieces !== undefined && !pieces.chunked ? { "Content-Length": String(envelope.body.length) } : {};
  const body = pieces === undefined ? envelope.body : Readable.from(pieces.of(), { objectMode: false });
  const sent = method === "GET" ? null : body;
  return await dispatcher.request({ path, method, headers: { ...envelope.headers, ...length }, body: sent, signal });
}

function endOf(what: {
  readonly error: unknown;
  readonly code: string;
  readonly timedOut: boolean;
  readonly begun: boolean;
}): AnswerEnd {
  if (what.timedOut || what.error instanceof errors.ConnectTimeoutError) {
    return "timeout";
  }
  if (isAboutCertificate(what.code)) {
    return "untrusted";
  }
  return what.begun || what.error instanceof errors.HTTPParserError ? "broken" : "unreachable";
}

/** What is behind the semicolon is Node's advice to who has started it. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("; ")[0] ?? "") : "";
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) {
    return "unknown error";
  }
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : error.message;
}

function headerText(value: string | string[] | undefined): string {
  return typeof value === "string" ? value : (value ?? []).join(", ");
}
