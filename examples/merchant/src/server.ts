import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, ApiError, ConnectionError } from "@cardwright/sdk";
import { centsOf } from "./amounts.ts";
import type { ReceiveCallback } from "./callbacks.ts";
import type { Database } from "./database.ts";
import { cappedBody, NoAnswer } from "./http-json.ts";
import { accountsPage, verificationPage } from "./pages.ts";
import { readCard, readState, readUser } from "./state.ts";
import type { Mode, Users } from "./users.ts";

export interface ServerDeps {
  readonly db: Database;
  readonly mode: Mode;
  readonly users: Users;
  readonly receiveCallback: ReceiveCallback;
}

type Fields = Readonly<Record<string, unknown>>;

interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly html?: string;
  readonly location?: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const bodyBytesMax = 64 * 1024;
const nameLengthMax = 128;
const securityHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/** The merchant's own HTTP server: its users' API, its two pages, and the callback URL that the platform calls. */
export function createMerchantServer(deps: ServerDeps): Server {
  const server = createServer((incoming, outgoing) => {
    // Once it closes nothing more is wanted on this connection; kept alive, it would hold the closing up.
    if (!server.listening) outgoing.setHeader("Connection", "close");
    outgoing.once("finish", () => {
      if (!server.listening) server.closeIdleConnections();
    });
    void answer(deps, incoming, outgoing);
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxConnections = 1000;
  // Longer than any caller keeps idle connections: an Auth must not meet a connection that we close at that moment.
  server.keepAliveTimeout = 65_000;
  return server;
}

async function answer(deps: ServerDeps, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const reply = await replyTo(deps, incoming).catch((error: unknown) =>
    incoming.complete ? failure(error) : refusal(400, "the request broke off"),
  );
  if (outgoing.destroyed) return;
  if (!incoming.complete) outgoing.setHeader("Connection", "close");
  if (reply.location !== undefined) outgoing.setHeader("Location", reply.location);
  const kind = reply.html === undefined ? "application/json" : "text/html; charset=utf-8";
  outgoing.writeHead(reply.status, { ...securityHeaders, "Content-Type": kind });
  outgoing.end(reply.html ?? JSON.stringify(reply.json ?? {}));
}

async function replyTo(deps: ServerDeps, incoming: IncomingMessage): Promise<Reply> {
  // The connection must outlive a body that is too large, to carry the answer that says so.
  const body = await cappedBody(incoming.iterator({ destroyOnReturn: false }), bodyBytesMax);
  if (body === undefined) return { status: 413, json: { code: 413, message: "body too large" } };
  const { method = "GET", headers, url = "/" } = incoming;
  const request = { method, path: url.split("?", 1)[0] ?? "/", headers, body };
  if (method === "POST" && request.path === "/callback") {
    const { status, body } = await deps.receiveCallback(request);
    return { status, json: JSON.parse(body) };
  }
  // A page of another site must not act through a visitor's browser; other clients do not send this header.
  if (method === "POST" && headers["sec-fetch-site"] === "cross-site") return refusal(403, "cross-site request");
  return await route(deps, request);
}

async function route(deps: ServerDeps, request: Request): Promise<Reply> {
  const userPath = /^\/users\/(?<userId>[\w-]{1,64})(?<rest>\/topup|\/cards|\/status|)$/u.exec(request.path)?.groups;
  switch (`${request.method} ${userPath === undefined ? request.path : `/users/{id}${userPath["rest"]}`}`) {
    case "GET /":
      return { status: 200, html: accountsPage({ mode: deps.mode, state: readState(deps.db) }) };
    case "GET /kyc":
      return { status: 200, html: verificationPage() };
    case "POST /kyc":
      return await postVerificationForm(deps, request);
    case "GET /state":
      return { status: 200, json: { mode: deps.mode, ...readState(deps.db) } };
    case "POST /users":
      return await withBody(request, (body) => postUser(deps, body));
    case "GET /users/{id}":
      return await withUser(deps, userPath?.["userId"], async (userId) => {
        await deps.users.refresh(userId);
        return { status: 200, json: readUser(deps.db, userId) };
      });
    case "POST /users/{id}/topup":
      return await withUser(deps, userPath?.["userId"], (id) => withBody(request, (body) => postTopUp(deps, id, body)));
    case "POST /users/{id}/cards":
      return await withUser(deps, userPath?.["userId"], (id) => withBody(request, (body) => postCard(deps, id, body)));
    case "POST /users/{id}/status":
      return await withUser(deps, userPath?.["userId"], (id) =>
        withBody(request, (body) => postStatus(deps, id, body)),
      );
    default:
      return refusal(404, "no such page");
  }
}

async function postUser(deps: ServerDeps, body: Fields): Promise<Reply> {
  return await signUp(deps, {
    name: textIn(body, "name"),
    email: textIn(body, "email"),
    balance: centsOf(body["balance"]),
    kycOutcome: textIn(body, "outcome") ?? "approve",
  });
}

async function postVerificationForm(deps: ServerDeps, request: Request): Promise<Reply> {
  const form = new URLSearchParams(request.body.toString("utf8"));
  const reply = await signUp(deps, {
    name: form.get("name")?.trim(),
    email: form.get("email")?.trim(),
    balance: centsOf(form.get("balance")),
    kycOutcome: form.get("outcome") ?? "approve",
  });
  return reply.status === 201 ? { status: 303, location: "/" } : reply;
}

async function signUp(
  deps: ServerDeps,
  form: { name: string | undefined; email: string | undefined; balance: bigint | undefined; kycOutcome: string },
): Promise<Reply> {
  const { name, email, balance, kycOutcome } = form;
  if (name === undefined || name === "" || name.length > nameLengthMax) return refusal(400, "name");
  if (email === undefined || email.length > nameLengthMax || !/^\S+@\S+$/u.test(email)) return refusal(400, "email");
  if (balance === undefined || balance < 0n) return refusal(400, "balance");
  if (!/^[a-z]{1,32}$/u.test(kycOutcome)) return refusal(400, "outcome");
  const userId = await deps.users.signUp({ name, email, balance, kycOutcome });
  return { status: 201, json: readUser(deps.db, userId) };
}

async function postTopUp(deps: ServerDeps, userId: string, body: Fields): Promise<Reply> {
  const amount = centsOf(body["amount"]);
  if (amount === undefined || amount <= 0n) return refusal(400, "amount");
  const state = await deps.users.topUp({ userId, amount });
  return { status: 200, json: { topup: state, ...readUser(deps.db, userId) } };
}

async function postCard(deps: ServerDeps, userId: string, body: Fields): Promise<Reply> {
  const cardType = (["Virtual", "Physical"] as const).find((type) => type === (textIn(body, "type") ?? "Virtual"));
  if (cardType === undefined) return refusal(400, "type");
  // A caller that gives its own number may repeat a request that broke off, and still gets one card.
  const cardUniqueNo = textIn(body, "card_unique_no") ?? `card-${randomUUID()}`;
  const cardNo = await deps.users.openCard({
    userId,
    cardType,
    cardUniqueNo,
    address: addressIn(body),
  });
  return { status: 201, json: readCard(deps.db, cardNo) };
}

async function postStatus(deps: ServerDeps, userId: string, body: Fields): Promise<Reply> {
  const status = (["Active", "Frozen"] as const).find((known) => known === textIn(body, "status"));
  if (status === undefined) return refusal(400, "status");
  deps.users.setStatus({ userId, status });
  return { status: 200, json: readUser(deps.db, userId) };
}

function textIn(body: Fields, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}

/** As it came: what is wrong with an address, the platform says best. */
function addressIn(body: Fields): AddressInfo | undefined {
  const address = body["address_info"];
  if (typeof address !== "object" || address === null) return undefined;
  return Object.fromEntries(Object.entries(address).map(([name, value]) => [name, String(value)]));
}

function fieldsOf(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? Object.fromEntries(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

async function withBody(request: Request, work: (body: Fields) => Promise<Reply>): Promise<Reply> {
  const body = fieldsOf(request.body.toString("utf8"));
  return body === undefined ? refusal(400, "body is not a JSON object") : await work(body);
}

async function withUser(
  deps: ServerDeps,
  userId: string | undefined,
  work: (userId: string) => Promise<Reply>,
): Promise<Reply> {
  return userId !== undefined && deps.users.exists(userId) ? await work(userId) : refusal(404, "no such user");
}

function refusal(status: number, error: string): Reply {
  return { status, json: { error } };
}

function failure(error: unknown): Reply {
  if (error instanceof ApiError) {
    return { status: 502, json: { error: error.message, code: error.code, msg: error.msg } };
  }
  if (error instanceof ConnectionError || error instanceof NoAnswer) return refusal(504, error.message);
  if (error instanceof Error && error.name === "AbortError") return refusal(503, "shutting down");
  console.error(error);
  return refusal(500, "internal error");
}
