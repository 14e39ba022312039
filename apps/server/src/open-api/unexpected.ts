import type { FastifyReply, FastifyRequest } from "fastify";
import { constraintOf, errorCode, isUnavailable } from "#database/index.ts";
import type { OpenApiLog } from "./deps.ts";
import { failure } from "./envelope.ts";
import { languageOfRequest, refuse } from "./http-refusals.ts";

/** Errors of Fastify's own body reading that have a status of their own. */
const statusOfBodyErrors: ReadonlyMap<string, "body_too_large" | "unsupported_media_type"> = new Map([
  ["FST_ERR_CTP_BODY_TOO_LARGE", "body_too_large"],
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", "unsupported_media_type"],
]);

/**
 * Everything that was thrown on the way to an answer. A body that broke off is the caller's fault (1004), a database that is
 * away is 503, and the rest is a bug: 1001 with nothing said, and one line in the log.
 */
export function answerUnexpected(
  log: OpenApiLog,
  {
    error,
    request,
    reply,
  }: { readonly error: unknown; readonly request: FastifyRequest; readonly reply: FastifyReply },
): FastifyReply {
  const refusal = statusOfBodyErrors.get(errorCode(error));
  if (refusal !== undefined) {
    return refuse(request, reply, refusal);
  }
  if (isCallersFault(error)) {
    return reply.code(200).send(failure({ name: "invalid_parameter", field: "body" }, languageOfRequest(request)));
  }
  log.error({ request_id: request.id, route: request.routeOptions.url, ...described(error) }, "a call failed");
  if (isUnavailable(error)) {
    return refuse(request, reply, "unavailable");
  }
  return reply.code(200).send(failure({ name: "system_error" }, languageOfRequest(request)));
}

/** Fastify gives what it refuses about a request a status of 4xx; nothing of ours has one. */
function isCallersFault(error: unknown): boolean {
  return (
    typeof error === "object" &&
    error !== null &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}

/**
 * What the log may know. The message of a database error can quote a value that a caller sent, so of those only the code and
 * the constraint are kept; the messages of our own errors name numbers and ids only.
 */
function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) {
    return { error: typeof error };
  }
  const code = errorCode(error);
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /u.test(line));
  return {
    error: error.name,
    ...(code === "" ? { reason: error.message } : { code, constraint: constraintOf(error) }),
    frames: frames?.map((line) => line.trim()),
  };
}
