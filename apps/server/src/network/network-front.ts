import { parseJsonBody } from "@cardwright/contract";
import { Ajv, type AnySchema } from "ajv";
import type { FastifyError, FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AuthorizationAnswer, AuthorizationRequest } from "#authorization/index.ts";
import { isUnavailable } from "#database/index.ts";
import { type AuthorizationMessage, authorizationMessage, fieldRules, requestOf } from "./authorization-message.ts";
import { bearerTokenCheck } from "./bearer-token.ts";
import { type MessageRoute, messageAnswer, messageAnswerOf } from "./message-route.ts";
import { type NetworkAnswer, networkAnswer, networkAnswerOf } from "./network-answer.ts";

export const authorizationsPath = "/network/v1/authorizations";

/** Whether new authorizations can be decided now. */
export type Availability = "open" | "stopping" | "no_database";

export interface NetworkFrontDeps {
  readonly authorize: (request: AuthorizationRequest) => Promise<AuthorizationAnswer>;
  /** Messages about transactions that exist: clearings, advices, reversals. */
  readonly messages?: readonly MessageRoute[];
  /** What the network shows as `Authorization: Bearer …`. */
  readonly networkToken: string;
  readonly availability: () => Availability;
  /** Told what went wrong on our side; gets no part of the message. */
  readonly onError: (error: unknown) => void;
}

/** A message has about 600 bytes; the longest legal one stays under 5 KB. */
const bodyBytesMax = 16 * 1024;
/** Seconds after which the network may come again: a restart or a fail-over takes a few. */
const retryAfterSeconds = "2";

interface Fault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

const faults = {
  unauthorized: { status: 401, code: "unauthorized", message: "the network's token is missing or wrong" },
  stopping: { status: 503, code: "stopping", message: "this process is stopping" },
  no_database: { status: 503, code: "no_database", message: "the database cannot be reached" },
  not_json: { status: 400, code: "not_json", message: "the body must be a JSON object without duplicate keys" },
  too_large: { status: 413, code: "too_large", message: `the body may have ${bodyBytesMax} bytes` },
  wrong_media_type: { status: 415, code: "wrong_media_type", message: "the body must be application/json" },
  unknown_field: { status: 400, code: "invalid_field", message: "there is a field that is not known" },
  unexpected: { status: 500, code: "unexpected", message: "something failed on our side; send the message again" },
} as const satisfies Record<string, Fault>;

function send(reply: FastifyReply, fault: Fault): FastifyReply {
  if (fault.status === 503) {
    reply.header("retry-after", retryAfterSeconds);
  }
  const { code, message, field = "" } = fault;
  return reply.code(fault.status).send({ error: { code, message, field } });
}

function invalidField(field: string, rules = fieldRules): Fault {
  return { status: 400, code: "invalid_field", message: rules.get(field) ?? "is not valid", field };
}

/**
 * The network's HTTP front as a Fastify plugin with its own paths: `POST /network/v1/authorizations`, `…/reversals`. Every message that can be
 * understood is answered with 200 and a decision; a message that cannot is told which field is wrong, and no value of it is
 * ever repeated or logged. Register it on a server whose request log leaves bodies out, as Fastify's does.
 */
export function buildNetworkFront(deps: NetworkFrontDeps): FastifyPluginCallback {
  const mayEnter = bearerTokenCheck(deps.networkToken);
  return (app, _options, done) => {
    readBodiesStrictly(app);
    app.setErrorHandler<FastifyError>((error, _request, reply) => send(reply, faultOf(deps, error)));
    // Before the body is read: a stranger's bytes are not worth parsing.
    app.addHook("onRequest", async (request, reply) => {
      if (!mayEnter(request.headers.authorization)) {
        return send(reply, faults.unauthorized);
      }
      const availability = deps.availability();
      return availability === "open" ? undefined : send(reply, faults[availability]);
    });
    app.post<{ Body: AuthorizationMessage }>(
      authorizationsPath,
      { schema: { body: schemaOf(authorizationMessage), response: { 200: schemaOf(networkAnswer) } } },
      (request, reply) => answer(deps, request, reply),
    );
    for (const route of deps.messages ?? []) {
      registerMessage(app, deps, route);
    }
    done();
  };
}

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { target: "draft-7" });

/** The plugin's own parser and validator, whatever the server it is mounted on uses. */
function readBodiesStrictly(app: FastifyInstance): void {
  const ajv = new Ajv({ coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false });
  app.setValidatorCompiler<AnySchema>(({ schema }) => ajv.compile(schema));
  app.removeAllContentTypeParsers();
  const limit = { parseAs: "buffer", bodyLimit: bodyBytesMax } as const;
  app.addContentTypeParser<Buffer>("application/json", limit, (_request, body, done) => {
    const parsed = parseJsonBody(body);
    if (parsed.ok) {
      done(null, parsed.value);
    } else {
      done(Object.assign(new Error("not JSON"), { statusCode: 400 }));
    }
  });
}

async function answer(
  deps: NetworkFrontDeps,
  request: FastifyRequest<{ Body: AuthorizationMessage }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const startedAt = performance.now();
  const authorization = requestOf(request.body);
  if (!authorization.ok) {
    return send(reply, invalidField(authorization.reason));
  }
  const decided = await deps.authorize(authorization.value);
  const availability = deps.availability();
  if (!decided.approved && decided.reason === "system_error" && availability === "no_database") {
    // Nothing was decided: the network may send the same message again and get a decision.
    return send(reply, faults.no_database);
  }
  const body: NetworkAnswer = networkAnswerOf(decided, { elapsedMs: performance.now() - startedAt });
  return reply.send(body);
}

/** Like an authorization, a message that can be understood is answered with 200 and what became of it. */
function registerMessage(app: FastifyInstance, deps: NetworkFrontDeps, route: MessageRoute): void {
  app.post(
    route.path,
    {
      schema: { body: schemaOf(route.schema), response: { 200: schemaOf(messageAnswer) } },
      errorHandler: (error: FastifyError, _request, reply) => {
        send(reply, faultOf(deps, error, route.rules));
      },
    },
    async (request, reply) => {
      const startedAt = performance.now();
      const taken = await route.take(request.body);
      return taken.ok
        ? reply.send(messageAnswerOf(taken.value, { elapsedMs: performance.now() - startedAt }))
        : send(reply, invalidField(taken.reason, route.rules));
    },
  );
}

function faultOf(deps: NetworkFrontDeps, error: FastifyError, rules = fieldRules): Fault {
  const [wrong] = error.validation ?? [];
  if (wrong !== undefined) {
    return validationFault(wrong, rules);
  }
  if (isUnavailable(error)) {
    // Whether it was done or not: the network may send the same message again and gets the one answer.
    return faults.no_database;
  }
  switch (error.statusCode ?? 500) {
    case 400:
      return faults.not_json;
    case 413:
      return faults.too_large;
    case 415:
      return faults.wrong_media_type;
    default:
      deps.onError(error);
      return faults.unexpected;
  }
}

function validationFault(
  wrong: NonNullable<FastifyError["validation"]>[number],
  rules: ReadonlyMap<string, string>,
): Fault {
  if (wrong.keyword === "additionalProperties") {
    // Its name is not repeated: it could be a card number.
    return faults.unknown_field;
  }
  const missing: unknown = wrong.params["missingProperty"];
  const path = [...wrong.instancePath.split("/").slice(1), ...(typeof missing === "string" ? [missing] : [])];
  return path.length === 0 ? faults.not_json : invalidField(path.join("."), rules);
}
