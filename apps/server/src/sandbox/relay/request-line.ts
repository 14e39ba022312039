import type { IncomingHttpHeaders } from "node:http";

/** What a callback says in its headers; everything else belongs to the connection between us. */
const forwarded = [
  "content-type",
  "timestamp",
  "signature",
  "sign-version",
  "timezone",
  "sequence",
  "attempt",
  "late-answer",
  "deadline-ms",
  "test-push",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
] as const;

/** One line of the stream, with its end. The values are what came: a signature verifies at the other end. */
export function requestLine(request: {
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}): string {
  const headers = Object.fromEntries(
    forwarded.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    }),
  );
  return `${JSON.stringify({ request_id: request.requestId, headers, body: request.body })}\n`;
}
