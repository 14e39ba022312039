import { parseJsonBody } from "@cardwright/contract";
import { Ajv } from "ajv";
import fastJsonStringify from "fast-json-stringify";
import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  FastifySchemaCompiler,
} from "fastify";
import { z } from "zod";
import type { AuditTrail } from "#audit/index.ts";
import type { CallbackEndpoints, CallbackHistory, Callbacks, MerchantEvents } from "#callbacks/index.ts";
import type { Clearing, Management } from "#clearing/index.ts";
import type { Credit } from "#credit/index.ts";
import { errorCode } from "#database/index.ts";
import type { Exchange } from "#exchange/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { Merchants, Reserves } from "#merchants/index.ts";
import type { Products } from "#products/index.ts";
import type { Settlement } from "#settlement/index.ts";
import { bonusRoutes } from "./bonus-routes.ts";
import { callbackEndpointRoutes } from "./callback-endpoint-routes.ts";
import { callbackRoutes } from "./callback-routes.ts";
import { clientCertificateRoutes } from "./client-certificate-routes.ts";
import { credentialRoutes } from "./credential-routes.ts";
import { type ErrorAnswer, errorBody, ownError, refusalAnswer, thrownAnswer } from "./error-answer.ts";
import { eventRoutes } from "./event-routes.ts";
import { exchangeRoutes } from "./exchange-routes.ts";
import { managementRoutes } from "./management-routes.ts";
import { merchantRoutes } from "./merchant-routes.ts";
import { operatorOpenApi } from "./openapi.ts";
import { parkedRefundRoutes } from "./parked-refund-routes.ts";
import { productRoutes } from "./product-routes.ts";
import { questionRoutes } from "./question-routes.ts";
import { rechargeRoutes } from "./recharge-routes.ts";
import { reserveOrderRoutes } from "./reserve-order-routes.ts";
import { reserveRoutes } from "./reserve-routes.ts";
import { CsvText, type Route, type Upload } from "./route.ts";
import { settlementRoutes } from "./settlement-routes.ts";
import { UploadTooLarge } from "./spooled-upload.ts";
import { createTokenGuard, type Operator, type TokenGuard } from "./token-guard.ts";
import { webhookSecretRoutes } from "./webhook-secret-routes.ts";

export interface OperatorApiDeps {
  readonly merchants: Merchants;
  readonly reserves: Reserves;
  readonly products: Products;
  readonly credit: Credit;
  readonly exchange: Exchange;
  readonly callbacks: {
    readonly events: Pick<MerchantEvents, "list">;
    readonly history: CallbackHistory;
    readonly endpoints: CallbackEndpoints;
    readonly listQuestions: Callbacks["listQuestions"];
  };
  readonly auditTrail: AuditTrail;
  readonly management: Pick<Management, "exempt" | "exemptions">;
  readonly clearing: Pick<Clearing, "listParkedRefunds" | "resolveParkedRefund">;
  readonly settlement: Settlement;
  readonly clock: Clock;
  /** At least 24 characters. */
  readonly adminToken: string;
  /** Operators with a token of their own, beside `admin`. */
  readonly operators?: readonly Operator[];
}

/** The longest body is a client certificate with its issuers and its key, below 25 KiB. */
const bodyBytesMax = 32_768;

/**
 * The operator's API, a Fastify plugin to be mounted at `/operator/v1`. It brings its own body parser, validators, error answers
 * and guard, so nothing of the server around it changes what it accepts. Everything but its OpenAPI document asks for an operator's
 * token. Throws at once for a token that is too short.
 */
export function operatorApi(deps: OperatorApiDeps): FastifyPluginAsync {
  const routes = operatorRoutes(deps);
  /** Made when somebody asks for it. */
  let document: string | null = null;
  const guard = createTokenGuard(deps);
  return async (app) => {
    readBodiesStrictly(app);
    compileWhenCalled(app);
    answerErrors(app);
    app.get("/openapi.json", (_request, reply) => {
      document ??= JSON.stringify(operatorOpenApi(routes));
      return reply.type("application/json; charset=utf-8").send(document);
    });
    await app.register(async (guarded) => {
      const admitted: Admitted = new WeakMap();
      guarded.addHook("onRequest", admission(guard, admitted));
      for (const route of routes.filter(({ upload }) => upload === undefined)) {
        registerRoute(guarded, { route, admitted });
      }
      for (const route of routes) {
        if (route.upload !== undefined) await registerUpload(guarded, { route, admitted, upload: route.upload });
      }
    });
  };
}

export function operatorRoutes(deps: Omit<OperatorApiDeps, "clock" | "adminToken">): Route[] {
  return [
    ...merchantRoutes(deps),
    ...credentialRoutes(deps),
    ...webhookSecretRoutes(deps),
    ...clientCertificateRoutes(deps),
    ...eventRoutes(deps),
    ...callbackRoutes(deps),
    ...callbackEndpointRoutes(deps),
    ...questionRoutes(deps),
    ...rechargeRoutes(deps),
    ...parkedRefundRoutes(deps),
    ...bonusRoutes(deps),
    ...reserveRoutes(deps),
    ...reserveOrderRoutes(deps),
    ...productRoutes(deps),
    ...exchangeRoutes(deps),
    ...managementRoutes(deps),
    ...settlementRoutes(deps),
  ];
}

/** An action without a body may come with a JSON content type; a route that needs a body refuses its absence by its schema. */
function readBodiesStrictly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, bytes: Buffer, done) => {
    if (bytes.length === 0) {
      done(null, undefined);
      return;
    }
    const parsed = parseJsonBody(bytes);
    if (parsed.ok) {
      done(null, parsed.value);
    } else {
      const { field } = parsed;
      done(new RefusedBody(ownError("invalid_json", field === undefined ? {} : { field })));
    }
  });
}

/** A body that is not JSON, with the answer it gets. */
class RefusedBody extends Error {
  readonly answer: ErrorAnswer;

  constructor(answer: ErrorAnswer) {
    super("the body is not JSON");
    this.answer = answer;
  }
}

/**
 * The validators and serializers of a route are compiled when it is called, which takes some milliseconds once: those of all routes
 * took 0.3 s of CPU at each start of a platform. A typing error of an operator must be told, so nothing is coerced, dropped or
 * defaulted on the way in.
 */
function compileWhenCalled(app: FastifyInstance): void {
  const ajv = new Ajv({ coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false });
  app.setValidatorCompiler<object>(({ schema }) => {
    const validate: ReturnType<FastifySchemaCompiler<object>> = (data: unknown) => {
      // Ajv keeps what it has compiled for a schema.
      const compiled = ajv.compile(schema);
      const isValid = compiled(data);
      validate.errors = compiled.errors ?? null;
      return isValid;
    };
    return validate;
  });
  const serializers = new Map<object, (data: unknown) => string>();
  app.setSerializerCompiler<object>(({ schema }) => (data: unknown) => {
    const serialize = serializers.get(schema) ?? fastJsonStringify(schema);
    serializers.set(schema, serialize);
    return serialize(data);
  });
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const answer = error instanceof RefusedBody ? error.answer : thrownAnswer(error);
    if (answer.status === 500) request.log.error(loggable(error), "an operator's call failed");
    return sendError(reply, answer);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, ownError("not_found")));
}

/** The name of the operator whose token a request carries. */
type Admitted = WeakMap<FastifyRequest, string>;

function admission(guard: TokenGuard, requests: Admitted) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const admitted = guard({ authorization: request.headers.authorization, address: request.ip });
    switch (admitted.kind) {
      case "admitted":
        requests.set(request, admitted.operator);
        return undefined;
      case "wrong_token":
        return sendError(reply.header("WWW-Authenticate", "Bearer"), ownError("unauthorized"));
      case "too_many_attempts":
        return sendError(reply, {
          ...ownError("too_many_attempts"),
          retryAfterSeconds: admitted.retryAfterSeconds,
        });
    }
  };
}

/** A route, and who was let in to each of its requests. */
interface Guarded {
  readonly route: Route;
  readonly admitted: Admitted;
}

/** A route whose body is a file, in a scope where nothing but that file's media type is read, and that unread. */
async function registerUpload(
  app: FastifyInstance,
  { upload, ...guarded }: Guarded & { upload: Upload },
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(upload.mediaType, (request, payload, done) => {
      const announcedBytes = Number(request.headers["content-length"] ?? 0);
      done(announcedBytes > upload.bytesMax ? new UploadTooLarge("the upload is too large") : null, payload);
    });
    registerRoute(scope, guarded);
  });
}

function registerRoute(app: FastifyInstance, { route, admitted }: Guarded): void {
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{([a-z_]+)\}/gu, ":$1"),
    bodyLimit: route.upload?.bytesMax ?? bodyBytesMax,
    schema: {
      ...(route.params !== undefined && { params: jsonSchema(route.params) }),
      ...(route.query !== undefined && { querystring: jsonSchema(route.query) }),
      ...(route.body !== undefined && { body: jsonSchema(route.body) }),
      response: {
        ...(route.answer !== undefined && { [route.status]: jsonSchema(route.answer) }),
        "4xx": errorSchema,
        "5xx": errorSchema,
      },
    },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const actor = admitted.get(request);
      if (actor === undefined) throw new Error("a call came past the guard");
      const accept = request.headers.accept ?? "";
      const outcome = await route.handle({ params, query, body, accept, by: { actor, requestId: request.id } });
      if (!outcome.ok) return sendError(reply, refusalAnswer(outcome.reason));
      // Answers hold settings and, once, a secret: no cache may keep them.
      const answered = reply.header("Cache-Control", "no-store").status(route.status);
      return outcome.value instanceof CsvText
        ? answered.type("text/csv; charset=utf-8").send(outcome.value.text)
        : answered.send(outcome.value);
    },
  });
}

function sendError(reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  if (answer.retryAfterSeconds !== undefined) void reply.header("Retry-After", answer.retryAfterSeconds);
  return reply.status(answer.status).header("Cache-Control", "no-store").send(answer.body);
}

function jsonSchema(part: z.ZodType): object {
  return z.toJSONSchema(part, { target: "draft-7", io: "input" });
}

const errorSchema = jsonSchema(errorBody);

/** A database error's message and detail can hold values, so only its code and the place are logged. */
function loggable(error: Error): object {
  const code = errorCode(error);
  const place = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  return { error: { name: error.name, code, place, ...(code === "" && { message: error.message }) } };
}
