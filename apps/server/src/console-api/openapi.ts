import { z } from "zod";
import { errorBody, ownErrors } from "./error-answer.ts";
import { type RefusalCode, refusalAnswers } from "./refusals.ts";
import type { Route } from "./route.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the operator's API, from the very routes that are served. */
export function operatorOpenApi(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Cardwright operator API",
      version: "1",
      description:
        "What the operator of the platform does: merchants, credentials, reserves, BINs and packages, settlement.",
    },
    servers: [{ url: "/operator/v1" }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      securitySchemes: { adminToken: { type: "http", scheme: "bearer" } },
      schemas: { Error: schema(errorBody) },
    },
  };
}

function operation(route: Route): Json {
  return {
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    parameters: [...parameters("path", route.params), ...parameters("query", route.query)],
    ...(route.body !== undefined && { requestBody: { required: true, content: json(schema(route.body)) } }),
    ...(route.upload !== undefined && {
      requestBody: {
        required: true,
        content: { [route.upload.mediaType]: { schema: { type: "string", format: "binary" } } },
      },
    }),
    responses: {
      [route.status]: {
        description: "Success",
        ...(route.answer !== undefined && { content: json(schema(route.answer)) }),
      },
      ...refusalResponses(route),
    },
  };
}

function parameters(place: "path" | "query", part: z.ZodType | undefined): Json[] {
  if (!(part instanceof z.ZodObject)) return [];
  return Object.entries(part.shape).map(([name, value]) => ({
    name,
    in: place,
    required: place === "path",
    schema: value instanceof z.ZodType ? schema(value) : {},
  }));
}

/** One response a status, which lists the codes that it can carry. */
function refusalResponses(route: Route): Json {
  const named = route.refusals.map((code: RefusalCode) => ({ code, ...refusalAnswers[code] }));
  const own = Object.entries(ownErrors)
    .filter(([code]) => appliesTo(route, code))
    .map(([code, answer]) => ({ code, ...answer }));
  const statuses = [...new Set([...named, ...own].map((answer) => answer.status))].sort((left, right) => left - right);
  return Object.fromEntries(
    statuses.map((status) => {
      const lines = [...named, ...own]
        .filter((answer) => answer.status === status)
        .map((answer) => `- \`${answer.code}\`: ${answer.message}`);
      return [status, { description: lines.join("\n"), content: json({ $ref: "#/components/schemas/Error" }) }];
    }),
  );
}

function appliesTo(route: Route, code: string): boolean {
  const needsBody = ["body_too_large", "unsupported_media_type"];
  if (code === "invalid_json") return route.body !== undefined;
  if (needsBody.includes(code)) return route.body !== undefined || route.upload !== undefined;
  if (code === "invalid_field") {
    return route.body !== undefined || route.query !== undefined || route.upload !== undefined;
  }
  return code !== "not_found" && code !== "bad_request";
}

function schema(part: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(part, { target: "draft-2020-12", io: "input" });
  return rest;
}

function json(content: Json): Json {
  return { "application/json": { schema: content } };
}
