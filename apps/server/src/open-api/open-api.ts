import type { EndpointDefinition } from "@cardwright/contract";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { createAccessTokens } from "./access-token.ts";
import { createAddressRules } from "./address-rules.ts";
import { type AdmissionDeps, admit, type Call } from "./admission.ts";
import type { Fault } from "./answer.ts";
import type { OpenApiDeps } from "./deps.ts";
import type { EndpointRoute } from "./endpoint-route.ts";
import { failure, success } from "./envelope.ts";
import { headerOf, isReadableAsJson, languageOfRequest, markAnswer, refuse, refuseUnrouted } from "./http-refusals.ts";
import { bucketsMax, defaultLimits } from "./limits.ts";
import { merchantRoutes } from "./merchant-routes.ts";
import { registerReferencePages } from "./reference-pages.ts";
import { createTokenBuckets } from "./token-buckets.ts";
import { answerUnexpected } from "./unexpected.ts";

/**
 * The merchants' API (contract sections 1 to 5 and 9) as a Fastify plugin: the 19 endpoints under `/open-api/v1`, the developer
 * API under `/developer/v1` behind the same checks, limits and envelope, their OpenAPI documents and their reference page. Register it without a prefix, on a server made with `openApiServerOptions`; every path that
 * nobody else on that server has is its 404.
 */
export function openApi(deps: OpenApiDeps): FastifyPluginAsync {
  return async (app) => {
    app.addHook("onRequest", async (request, reply) => {
      markAnswer(request, reply);
      // Before a body is read, so that nothing about the body can be told instead.
      return request.is404 ? refuseUnrouted(request, reply) : undefined;
    });
    app.setNotFoundHandler(refuseUnrouted);
    registerReferencePages(app, deps);
    await app.register(merchantApi(deps));
  };
}

const callOfRequest = Symbol("call");

function merchantApi(deps: OpenApiDeps): FastifyPluginAsync {
  const limits = { ...defaultLimits, ...deps.limits };
  const { clock } = deps;
  const accessTokens = createAccessTokens(deps);
  const admission: AdmissionDeps = {
    clock,
    merchants: deps.merchants,
    accessTokens,
    addressBuckets: createTokenBuckets({
      clock,
      perSecond: limits.addressPerSecond,
      burst: limits.addressBurst,
      bucketsMax,
    }),
    keyBuckets: createTokenBuckets({ clock, perSecond: limits.keyPerSecond, burst: limits.keyBurst, bucketsMax }),
  };
  const addressRules = createAddressRules(deps.unsupportedCountries);
  const options = { deps: { ...deps, accessTokens }, addressRules };

  return async (app) => {
    app.decorateRequest(callOfRequest, null);
    app.addHook("onRequest", async (request, reply) =>
      deps.isStopping() ? refuse(request, reply, "unavailable") : undefined,
    );
    app.setErrorHandler((error, request, reply) => answerUnexpected(deps.log, { error, request, reply }));
    readBodiesAsBytes(app);
    for (const route of merchantRoutes(options)) {
      registerEndpoint(app, { admission, route });
    }
  };
}

/** The contract's own parser reads the bytes: it refuses duplicate keys and broken UTF-8, which Fastify's lets through. */
function readBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
}

function registerEndpoint(
  app: FastifyInstance,
  { admission, route }: { readonly admission: AdmissionDeps; readonly route: EndpointRoute },
): void {
  const { endpoint } = route;
  app.route({
    method: endpoint.method,
    url: endpoint.path,
    exposeHeadRoute: false,
    schema: { response: { 200: envelopeSchema(endpoint) } },
    onRequest: async (request, reply) => {
      const admitted = await admit(admission, arrivalOf(request, endpoint));
      if (!admitted.ok) {
        return answerFault(request, reply, admitted.reason);
      }
      request.setDecorator(callOfRequest, admitted.value);
      return endpoint.input === "body" && !isReadableAsJson(request)
        ? refuse(request, reply, "unsupported_media_type")
        : undefined;
    },
    handler: async (request, reply) => {
      const call = request.getDecorator<Call | null>(callOfRequest);
      if (call === null) {
        throw new Error("a call reached its handler without having been let in");
      }
      const answer = await route.answer(call, request);
      return answer.ok
        ? reply.send(success(answer.value, languageOfRequest(request)))
        : answerFault(request, reply, answer.reason);
    },
  });
}

function arrivalOf(request: FastifyRequest, endpoint: EndpointDefinition): Parameters<typeof admit>[1] {
  return {
    endpoint,
    address: request.ip,
    apiKey: headerOf(request, "api-key"),
    timestamp: headerOf(request, "timestamp"),
    accessToken: headerOf(request, "access-token"),
    timezone: headerOf(request, "timezone"),
    requestId: request.id,
  };
}

function answerFault(request: FastifyRequest, reply: FastifyReply, fault: Fault): FastifyReply {
  if (fault.retryAfterSeconds !== undefined) {
    reply.header("retry-after", fault.retryAfterSeconds);
  }
  return reply.send(failure(fault, languageOfRequest(request)));
}

/** For the serializer: it writes the named fields and nothing else. */
function envelopeSchema(endpoint: EndpointDefinition): object {
  const envelope = z.object({ code: z.int(), msg: z.string(), data: endpoint.response.optional() });
  const { $schema: _, ...schema } = z.toJSONSchema(envelope, { target: "draft-7", io: "output" });
  return schema;
}
