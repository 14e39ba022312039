import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { BODY_BYTES_MAX } from "@cardwright/contract";
import type { ConnectionError, FastifyHttpOptions, FastifyReply, FastifyRequest } from "fastify";
import { failure } from "./envelope.ts";
import { markAnswer, refuse } from "./http-refusals.ts";
import { headerBytesMax, headersTimeoutMs, keepAliveMs, requestTimeoutMs } from "./limits.ts";

/**
 * How the server that carries this API must be made: bounds of time and size, whose `X-Forwarded-For` is believed (addresses
 * and ranges; nobody's when empty), and envelopes also for what never reaches a route.
 */
export function openApiServerOptions(options: {
  readonly trustedProxies: readonly string[];
}): FastifyHttpOptions<Server> {
  return {
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    http: { maxHeaderSize: headerBytesMax, headersTimeout: headersTimeoutMs },
    // A number of any length is one that does not exist, not a path that does not.
    routerOptions: { maxParamLength: headerBytesMax },
    exposeHeadRoutes: false,
    // The API itself answers 503 with its envelope while the process stops.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    frameworkErrors: (_error, request, reply) => refuseUnreadablePath(request, reply),
    clientErrorHandler: refuseUnreadableRequest,
  };
}

/** A path with broken percent-encoding leads nowhere. */
function refuseUnreadablePath(request: FastifyRequest, reply: FastifyReply): void {
  markAnswer(request, reply);
  refuse(request, reply, "not_found");
}

const statusOfClientErrors: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

/** What is no HTTP, too slow or too large for a request: there is no reply object yet, only the socket. */
function refuseUnreadableRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const status = statusOfClientErrors.get(error.code) ?? "400 Bad Request";
  const body = JSON.stringify(failure({ name: "invalid_parameter", field: "request" }, "en_US"));
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
