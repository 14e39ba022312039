import { expect, test } from "vitest";
import { compileDeveloperValidator, type DeveloperEndpointId, developerEndpoints } from "./developer.ts";
import { endpoints, openApiPath } from "./endpoints.ts";
import { isErrorName } from "./errors.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";

const WIRE = [
  "GET /merchant/info",
  "POST /merchant/callback-url",
  "GET /callback-endpoint/info",
  "POST /callback-endpoint/pause",
  "POST /callback-endpoint/resume",
  "POST /callback-endpoint/test",
  "POST /callback/list",
  "GET /callback/{callback_id}/info",
  "POST /callback/resend",
  "GET /webhook-secret/list",
  "POST /webhook-secret/rotate",
];

test("the developer API is its own list beside the 19 endpoints, each with a token and for both modes", () => {
  const built = developerEndpoints.map(({ method, path }) => `${method} ${openApiPath(path)}`);
  expect(built).toEqual(WIRE.map((line) => line.replace(" ", " /developer/v1")));
  expect(endpoints).toHaveLength(19);
  for (const { auth, mode, errors } of developerEndpoints) {
    expect([auth, mode, errors.every(isErrorName)]).toEqual(["token", "both", true]);
  }
});

test("path parameters are exactly those in the path, a list answers with a list, and every field is described", () => {
  const undescribed = (schema: JsonSchema, path: string): readonly string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      ...(field.description === undefined && name !== "list" ? [`${path}.${name}`] : []),
      ...undescribed(field.items ?? field, `${path}.${name}`),
    ]);
  for (const { id, path, request, response, input, isList } of developerEndpoints) {
    const inPath = [...path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name);
    expect(inPath).toEqual(input === "params" ? Object.keys(request.shape) : []);
    expect(Object.keys(response.shape).join() === "list").toBe(isList);
    expect([...undescribed(jsonSchemaOf(request), id), ...undescribed(jsonSchemaOf(response), id)]).toEqual([]);
  }
});

const id = "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234";

test.each<[DeveloperEndpointId, unknown, string, string]>([
  ["developer.callback_url", {}, "callback_url", "invalid_parameter"],
  ["developer.callback_url", { callback_url: 5 }, "callback_url", "wrong_type"],
  ["developer.callback_url", { callback_url: "x".repeat(2049) }, "callback_url", "invalid_parameter"],
  ["developer.callback_url", [], "body", "invalid_parameter"],
  ["developer.callback_list", { state: "GivenUp" }, "state", "invalid_parameter"],
  ["developer.callback_list", { action: "Auth" }, "action", "invalid_parameter"],
  ["developer.callback_list", { start_time: "2026-05-22" }, "start_time", "wrong_type"],
  ["developer.callback_list", { start_time: 1.5 }, "start_time", "invalid_parameter"],
  ["developer.callback_list", { end_time: -1 }, "end_time", "invalid_parameter"],
  ["developer.callback_list", { start_time: 5, end_time: 5 }, "end_time", "end_not_after_start"],
  ["developer.callback_list", { size: 0 }, "size", "invalid_parameter"],
  ["developer.callback_list", { size: 101 }, "size", "invalid_parameter"],
  ["developer.callback_list", { before: 7 }, "before", "wrong_type"],
  ["developer.callback_resend", {}, "callback_ids", "invalid_parameter"],
  ["developer.callback_resend", { callback_ids: [] }, "callback_ids", "invalid_parameter"],
  ["developer.callback_resend", { callback_ids: id }, "callback_ids", "wrong_type"],
  ["developer.callback_resend", { callback_ids: [id, 5] }, "callback_ids", "wrong_type"],
  ["developer.callback_resend", { callback_ids: [null] }, "callback_ids", "wrong_type"],
  ["developer.callback_resend", { callback_ids: ["x".repeat(65)] }, "callback_ids", "invalid_parameter"],
  ["developer.callback_resend", { callback_ids: Array(101).fill(id) }, "callback_ids", "invalid_parameter"],
  ["developer.callback_resend", { callback_ids: [id], since: 5 }, "since", "invalid_parameter"],
  ["developer.callback_resend", { since: 5, missed: true }, "missed", "invalid_parameter"],
  ["developer.callback_resend", { missed: false }, "missed", "invalid_parameter"],
  ["developer.callback_resend", { missed: "yes" }, "missed", "wrong_type"],
  ["developer.secret_rotate", { overlap_hours: 169 }, "overlap_hours", "invalid_parameter"],
  ["developer.secret_rotate", { overlap_hours: "24" }, "overlap_hours", "wrong_type"],
])("%s refuses %j by its field %s: %s", (endpoint, input, field, error) => {
  expect(compileDeveloperValidator(endpoint)(input)).toEqual({ ok: false, field, error });
});

test.each<[DeveloperEndpointId, object, object]>([
  ["developer.callback_url", { callback_url: "" }, { callback_url: "" }],
  [
    "developer.callback_list",
    { state: "Given_up", start_time: 4, end_time: 5, card_no: "", size: null },
    { state: "Given_up", start_time: 4, end_time: 5 },
  ],
  ["developer.callback_resend", { callback_ids: [id], since: null, unknown: 1 }, { callback_ids: [id] }],
  ["developer.callback_resend", { since: 0 }, { since: 0 }],
  ["developer.callback_resend", { missed: true }, { missed: true }],
  ["developer.secret_rotate", {}, {}],
  ["developer.secret_rotate", { overlap_hours: 0 }, { overlap_hours: 0 }],
])("%s takes %j, where empty counts as absent", (endpoint, input, value) => {
  expect(compileDeveloperValidator(endpoint)(input)).toEqual({ ok: true, value });
});
