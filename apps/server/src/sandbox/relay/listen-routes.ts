import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { asMerchant, type Call, type Fault, faults, inputFault, type MerchantOf, send } from "../sandbox-call.ts";
import { relayLimits } from "./limits.ts";
import type { Listeners } from "./listeners.ts";

interface ListenRouteDeps {
  readonly merchantOf: MerchantOf;
  readonly listeners: Listeners;
}

const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
const listenPath = z.object({ listen_id: uuid });
const answerPath = z.object({ listen_id: uuid, request_id: uuid });
const secretPath = z.object({ secret: z.string().min(1).max(64) });

const answerInput = z.strictObject({
  /** Without those that would not end a request. */
  status: z.int().min(200).max(599),
  content_type: z
    .string()
    .max(relayLimits.contentTypeCharactersMax)
    .regex(/^[\x20-\x7e]*$/u)
    .default("application/json"),
  body: z.string().max(relayLimits.answerCharactersMax).default(""),
});

const relayFaults = {
  nobody_listens: { status: 503, code: "nobody_listens", message: "nobody listens to this merchant's callbacks here" },
  too_many_waiting: {
    status: 503,
    code: "too_many_waiting",
    message: `${relayLimits.waitingOfListenerMax} callbacks wait for the listener's answer already`,
  },
  callback_too_long: { status: 413, code: "callback_too_long", message: "the callback is too long for a line" },
  no_answer_in_time: {
    status: 504,
    code: "no_answer_in_time",
    message: `the listener gave no answer within ${relayLimits.answerMsMax / 1_000} s`,
  },
} as const satisfies Record<string, Fault>;

/**
 * A developer's machine receives a merchant's callbacks through us: it opens a stream of them and answers each, as fast as it comes,
 * so that an `Auth` is decided in time.
 */
export function listenRoutes(
  app: FastifyInstance,
  deps: ListenRouteDeps,
  options: { readonly bodyLimit: number },
): void {
  app.post("/listen", options, asMerchant(deps, begin));
  app.get("/listen/:listen_id/requests", asMerchant(deps, stream));
  app.post(
    "/listen/:listen_id/answers/:request_id",
    { bodyLimit: relayLimits.answerBytesMax },
    asMerchant(deps, answer),
  );
  app.post("/listen/:listen_id/end", options, asMerchant(deps, end));
  app.register((scope, _options, done) => {
    relayRoute(scope, deps);
    done();
  });
}

async function begin({ deps, merchantId, reply }: Call<ListenRouteDeps>): Promise<FastifyReply> {
  const begun = await deps.listeners.begin(merchantId);
  if (!begun.ok) {
    return send(reply, faults[begun.reason]);
  }
  const { listenId, callbackUrl, previousUrl } = begun.value;
  return reply.code(201).send({ listen_id: listenId, callback_url: callbackUrl, previous_callback_url: previousUrl });
}

async function stream({ deps, merchantId, request, reply }: Call<ListenRouteDeps>): Promise<FastifyReply> {
  const path = listenPath.safeParse(request.params);
  if (!path.success) {
    return send(reply, faults.listen_unknown);
  }
  const opened = await deps.listeners.open({ merchantId, listenId: path.data.listen_id });
  return opened.ok
    ? reply
        .headers({ "content-type": "application/x-ndjson", "cache-control": "no-store", "x-accel-buffering": "no" })
        .send(opened.value)
    : send(reply, faults[opened.reason]);
}

function answer({ deps, merchantId, request, reply }: Call<ListenRouteDeps>): FastifyReply {
  const path = answerPath.safeParse(request.params);
  if (!path.success) {
    return send(reply, faults.request_unknown);
  }
  const input = answerInput.safeParse(request.body);
  if (!input.success) {
    return send(reply, inputFault(input.error));
  }
  const { status, content_type: contentType, body } = input.data;
  const { listen_id: listenId, request_id: requestId } = path.data;
  const taken = deps.listeners.answer({ merchantId, listenId, requestId }, { status, contentType, body });
  return taken ? reply.send({ request_id: requestId }) : send(reply, faults.request_unknown);
}

async function end({ deps, merchantId, request, reply }: Call<ListenRouteDeps>): Promise<FastifyReply> {
  const path = listenPath.safeParse(request.params);
  const ended = path.success ? await deps.listeners.end({ merchantId, listenId: path.data.listen_id }) : null;
  return ended === null ? send(reply, faults.listen_unknown) : reply.send({ callback_url: ended.callbackUrl });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where the platform's own callbacks come. Who has no listener is told so before a body is read. */
function relayRoute(app: FastifyInstance, deps: ListenRouteDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));
  const secretOf = (request: FastifyRequest): string => secretPath.safeParse(request.params).data?.secret ?? "";
  app.route({
    method: "POST",
    url: "/relay/:secret",
    bodyLimit: relayLimits.requestBytesMax,
    onRequest: async (request, reply) =>
      deps.listeners.hasListener(secretOf(request)) ? undefined : send(reply, relayFaults.nobody_listens),
    handler: async (request, reply) => {
      const body = textOf(request.body);
      if (body === null) {
        return send(reply, faults.not_json);
      }
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const outcome = await deps.listeners.forward(secretOf(request), {
        headers: request.headers,
        body,
        gone: gone.signal,
      });
      if (!outcome.ok) {
        return send(reply, relayFaults[outcome.reason]);
      }
      const { status, contentType, body: text } = outcome.value;
      // Bytes, because Fastify would complete the content type of a text.
      const answered = reply.code(status);
      return (contentType === "" ? answered : answered.header("content-type", contentType)).send(Buffer.from(text));
    },
  });
}

function textOf(body: unknown): string | null {
  try {
    return body instanceof Uint8Array ? utf8.decode(body) : "";
  } catch {
    return null;
  }
}
