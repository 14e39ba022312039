import { parseJsonBody } from "@cardwright/contract";
import { Ajv } from "ajv";
import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { MerchantEvents } from "#callbacks/index.ts";
import type { Management } from "#clearing/index.ts";
import type { Credit } from "#credit/index.ts";
import { errorCode } from "#database/index.ts";
import type { Exchange } from "#exchange/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import type { Products } from "#products/index.ts";
import { bonusRoutes } from "./bonus-routes.ts";
import { credentialRoutes } from "./credential-routes.ts";
import { type ErrorAnswer, errorBody, ownError, refusalAnswer, thrownAnswer } from "./error-answer.ts";
import { eventRoutes } from "./event-routes.ts";
import { exchangeRoutes } from "./exchange-routes.ts";
import { managementRoutes } from "./management-routes.ts";
import { merchantRoutes } from "./merchant-routes.ts";
import { operatorOpenApi } from "./openapi.ts";
import { productRoutes } from "./product-routes.ts";
import { rechargeRoutes } from "./recharge-routes.ts";
import type { Route } from "./route.ts";
import { createTokenGuard, type TokenGuard } from "./token-guard.ts";

export interface OperatorApiDeps {
  readonly merchants: Merchants;
  readonly products: Products;
  readonly credit: Credit;
  readonly exchange: Exchange;
  readonly callbacks: { readonly events: Pick<MerchantEvents, "list"> };
  readonly management: Pick<Management, "exempt" | "exemptions">;
  readonly clock: Clock;
  /** At least 24 characters. */
  readonly adminToken: string;
}

/** The longest body is a package with its texts, below 20 KiB. */
const bodyBytesMax = 32_768;

/**
 * The operator's API, a Fastify plugin to be mounted at `/operator/v1`. It brings its own body parser, validators, error answers
 * and guard, so nothing of the server around it changes what it accepts. Everything but its OpenAPI document asks for the admin
 * token. Throws at once for a token that is too short.
 */
export function operatorApi(deps: OperatorApiDeps): FastifyPluginAsync {
  const routes = operatorRoutes(deps);
  const document = JSON.stringify(operatorOpenApi(routes));
  const guard = createTokenGuard(deps);
  return async (app) => {
    readBodiesStrictly(app);
    validateByAjv(app);
    answerErrors(app);
    app.get("/openapi.json", (_request, reply) => reply.type("application/json; charset=utf-8").send(document));
    await app.register(async (guarded) => {
      guarded.addHook("onRequest", admission(guard));
      for (const route of routes) {
        registerRoute(guarded, route);
      }
    });
  };
}

export function operatorRoutes(deps: Omit<OperatorApiDeps, "clock" | "adminToken">): Route[] {
  return [
    ...merchantRoutes(deps),
    ...credentialRoutes(deps),
    ...eventRoutes(deps),
    ...rechargeRoutes(deps),
    ...bonusRoutes(deps),
    ...productRoutes(deps),
    ...exchangeRoutes(deps),
    ...managementRoutes(deps),
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

/** A typing error of an operator must be told, so nothing is coerced, dropped or defaulted on the way in. */
function validateByAjv(app: FastifyInstance): void {
  const ajv = new Ajv({ coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false });
  app.setValidatorCompiler<object>(({ schema }) => ajv.compile(schema));
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const answer = error instanceof RefusedBody ? error.answer : thrownAnswer(error);
    if (answer.status === 500) request.log.error(loggable(error), "an operator's call failed");
    return sendError(reply, answer);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, ownError("not_found")));
}

function admission(guard: TokenGuard) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const admitted = guard({ authorization: request.headers.authorization, address: request.ip });
    switch (admitted.kind) {
      case "admitted":
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

function registerRoute(app: FastifyInstance, route: Route): void {
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{([a-z_]+)\}/gu, ":$1"),
    bodyLimit: bodyBytesMax,
    schema: {
      ...(route.params !== undefined && { params: jsonSchema(route.params) }),
      ...(route.query !== undefined && { querystring: jsonSchema(route.query) }),
      ...(route.body !== undefined && { body: jsonSchema(route.body) }),
      response: {
        ...(route.answer !== undefined && { [route.status]: jsonSchema(route.answer) }),
        "4xx": jsonSchema(errorBody),
        "5xx": jsonSchema(errorBody),
      },
    },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const by = { actor: "operator", requestId: request.id };
      const outcome = await route.handle({ params, query, body, by });
      if (!outcome.ok) return sendError(reply, refusalAnswer(outcome.reason));
      // Answers hold settings and, once, a secret: no cache may keep them.
      return reply.header("Cache-Control", "no-store").status(route.status).send(outcome.value);
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

/** A database error's message and detail can hold values, so only its code and the place are logged. */
function loggable(error: Error): object {
  const code = errorCode(error);
  const place = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  return { error: { name: error.name, code, place, ...(code === "" && { message: error.message }) } };
}
