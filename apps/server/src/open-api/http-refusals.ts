import { developerEndpoints, type EndpointDefinition, endpoints, languageOf } from "@cardwright/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Fault } from "./answer.ts";
import { failure } from "./envelope.ts";
import { unavailableRetrySeconds } from "./limits.ts";

/** The cases in which the HTTP status is not 200 (contract section 1): no endpoint was reached, or it could not be. */
type HttpRefusal = "not_found" | "method_not_allowed" | "body_too_large" | "unsupported_media_type" | "unavailable";

const refusals: Readonly<Record<HttpRefusal, { readonly status: number; readonly fault: Fault }>> = {
  not_found: { status: 404, fault: { name: "invalid_parameter", field: "path" } },
  method_not_allowed: { status: 405, fault: { name: "invalid_parameter", field: "method" } },
  body_too_large: { status: 413, fault: { name: "invalid_parameter", field: "body" } },
  unsupported_media_type: { status: 415, fault: { name: "invalid_parameter", field: "content_type" } },
  unavailable: { status: 503, fault: { name: "system_error" } },
};

export function languageOfRequest(request: FastifyRequest): ReturnType<typeof languageOf> {
  return languageOf(headerOf(request, "language"));
}

/** A header's text; Node joins repeated ones, except the few that it keeps as a list. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.join(", ");
}

/** Answers are about one merchant's money and cards: nobody keeps them. */
const answerHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** The headers of every answer; the id finds the log lines that belong to it. */
export function markAnswer(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(answerHeaders).header("request-id", request.id);
}

export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: HttpRefusal): FastifyReply {
  const { status, fault } = refusals[refusal];
  if (refusal === "unavailable") {
    reply.header("retry-after", unavailableRetrySeconds);
  }
  return reply.code(status).send(failure(fault, languageOfRequest(request)));
}

interface KnownPath {
  readonly form: RegExp;
  readonly endpoint: EndpointDefinition;
}

const knownPaths: readonly KnownPath[] = [...endpoints, ...developerEndpoints].map((endpoint) => ({
  form: new RegExp(`^${endpoint.path.replaceAll(/:[a-z_]+/g, "[^/]*")}$`, "u"),
  endpoint,
}));

/** For a request that met no route: 405 when its path is an endpoint's with another method, else 404. */
export function refuseUnrouted(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = ""] = request.url.split("?", 1);
  const known = knownPaths.find(({ form }) => form.test(path));
  if (known === undefined) {
    return refuse(request, reply, "not_found");
  }
  reply.header("allow", known.endpoint.method);
  return refuse(request, reply, "method_not_allowed");
}

/**
 * Whether a body may be read as JSON (contract section 9): `application/json`, whatever parameters come with it, or no type
 * at all. A compressed body is of another type.
 */
export function isReadableAsJson(request: FastifyRequest): boolean {
  const encoding = headerOf(request, "content-encoding")?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== "" && encoding !== "identity") {
    return false;
  }
  const [type = ""] = headerOf(request, "content-type")?.split(";", 1) ?? [];
  return type.trim() === "" || type.trim().toLowerCase() === "application/json";
}
