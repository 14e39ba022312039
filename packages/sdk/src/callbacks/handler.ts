import { CardwrightError } from "../errors.ts";
import { createHandle, type Handle } from "./handle.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { Callback, CallbackRequest, RawAnswer } from "./types.ts";
import { wireAnswers } from "./wire-answers.ts";

/** What of a request of `node:http` the handler needs; a body that somebody has read is then in `body`, as bytes. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface NodeResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  end(body: string): unknown;
}

/** What of Fastify the plugin needs. */
export interface FastifyScope {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: "*",
    options: { parseAs: "buffer" },
    parse: (request: unknown, body: Uint8Array, done: (error: null, body: Uint8Array) => void) => void,
  ): unknown;
  post(path: "/", options: { bodyLimit: number }, handle: FastifyRouteHandler): unknown;
}

type FastifyRouteHandler = (
  request: { readonly headers: NodeRequest["headers"]; readonly body: unknown },
  reply: FastifyReply,
) => unknown;

interface FastifyReply {
  code(status: number): FastifyReply;
  header(name: string, value: string): FastifyReply;
  send(body: string): unknown;
}

/** A merchant's callback endpoint, for whatever server there is. Each of these is to be mounted where no parser sees the body first. */
export interface CallbackHandler {
  /** For any other server: headers and raw body in, status and JSON out. Never throws. */
  readonly handle: Handle;
  /** `Deno.serve(handler.fetch)`, `export default { fetch: handler.fetch }`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** `createServer(handler.node)` */
  readonly node: (request: NodeRequest, response: NodeResponse) => void;
  /** `app.post("/callback", handler.express)`, before `express.json()` or behind `express.raw({ type: "*\/*" })`. */
  readonly express: (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void) => void;
  /** `await app.register(handler.fastify, { prefix: "/callback" })` */
  readonly fastify: (scope: FastifyScope, options: object, done: (error?: Error) => void) => void;
  /** `app.post("/callback", handler.hono)` */
  readonly hono: (context: { readonly req: { readonly raw: Request } }) => Promise<Response>;
}

const contentType = "application/json";

export function createHandler(
  verifier: { readonly verify: (request: CallbackRequest) => Promise<Callback>; readonly bodyBytesMax: number },
  options: HandlerOptions,
): CallbackHandler {
  const handle = createHandle(verifier.verify, options);
  const answerFetch = async (request: Request): Promise<Response> => {
    const { status, body } = request.method === "POST" ? await handle(request) : wireAnswers.notPost;
    return new Response(body, { status, headers: { "Content-Type": contentType } });
  };
  const answerNode = async (
    request: NodeRequest,
    response: NodeResponse,
    onFailure: (error: unknown) => void,
  ): Promise<void> => {
    try {
      const answer = request.method === "POST" ? await handle(request) : wireAnswers.notPost;
      response.writeHead(answer.status, headersOf(answer));
      response.end(answer.body);
    } catch (error) {
      onFailure(error);
    }
  };
  return {
    handle,
    fetch: answerFetch,
    hono: ({ req }) => answerFetch(req.raw),
    node: (request, response) => {
      void answerNode(request, response, (error) => options.onError?.(error, null));
    },
    express: (request, response, next) => {
      const parsed: unknown = "body" in request ? request.body : undefined;
      if (parsed !== undefined && !(parsed instanceof Uint8Array) && typeof parsed !== "string") {
        // Express 4 puts an empty object there, Express 5 nothing, before any parser has run: that one is no mistake.
        if (!isEmptyObject(parsed)) {
          next(
            new CardwrightError(
              "the callback's body was parsed before it was verified: mount the route before express.json()",
            ),
          );
          return;
        }
        Reflect.deleteProperty(request, "body");
      }
      void answerNode(request, response, next);
    },
    fastify: (scope, _, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
      scope.post("/", { bodyLimit: verifier.bodyBytesMax }, async ({ headers, body }, reply) => {
        const bytes = body instanceof Uint8Array ? body : new Uint8Array(0);
        const answer = await handle({ headers, body: bytes });
        return reply.code(answer.status).header("Content-Type", contentType).send(answer.body);
      });
      done();
    },
  };
}

/** After a body that was not read to its end, nothing more can be understood on this connection. */
function headersOf({ status }: RawAnswer): Record<string, string> {
  const isUnread = status === wireAnswers.tooLarge.status || status === wireAnswers.notPost.status;
  return { "Content-Type": contentType, ...(isUnread && { Connection: "close" }) };
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
