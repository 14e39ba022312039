import { expect, test } from "vitest";
import { type EndpointId, endpointById, endpoints, openApiPath } from "./endpoints.ts";
import { isErrorName } from "./errors.ts";
import { jsonSchemaOf } from "./json-schema.ts";

const WIRE = [
  "GET /merchant/token",
  "POST /cardholder/apply",
  "POST /cardholder/list",
  "GET /cardholder/{cardholder_no}/info",
  "POST /card/apply",
  "POST /card/list",
  "GET /card/{card_no}/detail",
  "GET /card/{card_no}/private/info",
  "POST /card/active",
  "POST /card/status/update",
  "POST /card/pin/set",
  "GET /merchant/client/{card_no}/token",
  "POST /account/transfer",
  "GET /account/{cardholder_no}/info",
  "POST /account/transfer/list",
  "POST /card/package/list",
  "POST /card/support/bins",
  "GET /card/consume/{consume_no}/info",
  "POST /card/consume/list",
];

test("the 19 endpoints are those of section 3", () => {
  const built = endpoints.map(({ method, path }) => `${method} ${openApiPath(path)}`);
  expect(built).toEqual(WIRE.map((line) => line.replace(" ", " /open-api/v1")));
});

test("the modes are those of section 2", () => {
  const ids = (mode: string): readonly EndpointId[] =>
    endpoints.filter((endpoint) => endpoint.mode === mode).map(({ id }) => id);
  expect(ids("CREDIT_EXTENSION")).toEqual([
    "account.transfer",
    "account.info",
    "account.transfer_list",
    "card.package_list",
  ]);
  expect(ids("AUTHORIZATION")).toEqual(["card.support_bins"]);
});

test("only Get Token works without an Access-Token", () => {
  expect(endpoints.filter(({ auth }) => auth === "key").map(({ id }) => id)).toEqual(["merchant.token"]);
});

test("a list answers with a list and nothing else does", () => {
  for (const { response, isList } of endpoints) {
    const keys = Object.keys(jsonSchemaOf(response).properties ?? {});
    expect(keys.join() === "list").toBe(isList);
  }
});

test("path parameters are exactly those in the path", () => {
  for (const { path, request, input } of endpoints) {
    const inPath = [...path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name);
    expect(inPath).toEqual(input === "params" ? Object.keys(request.shape) : []);
  }
});

test.each([
  ["cardholder.list", "cardholder_no, cardholder_unique_no, start_time*, end_time*, page, size"],
  ["card.apply", "card_bin_no, package_no, cardholder_no*, card_unique_no*, card_type*, address_info"],
  ["card.list", "cardholder_no, card_unique_no, card_no, start_time*, end_time*, page, size"],
  ["card.active", "cardholder_no*, card_no*, cvv*, card_last_no*"],
  ["card.pin_set", "card_no*, cardholder_no*, pin*"],
  ["account.transfer", "cardholder_no*, transfer_unique_no*, type*, balance*"],
  ["account.transfer_list", "cardholder_no, transfer_no, transfer_unique_no, start_time*, end_time*, page, size"],
  ["card.package_list", "type, package_no, page, size"],
  ["card.consume_list", "cardholder_no, consume_no, card_no, start_time*, end_time*, page, size"],
] as const)("the fields of %s stand in the order of section 3", (id, expected) => {
  const { properties = {}, required = [] } = jsonSchemaOf(endpointById(id).request);
  const fields = Object.keys(properties).map((name) => (required.includes(name) ? `${name}*` : name));
  expect(fields.join(", ")).toBe(expected);
});

test.each([
  [
    "card.consume_info",
    "consume_no, consume_relate_no, card_no, cardholder_no, type, amount, local_amount, local_currency, fee, fee_list, remark, detail, merchant_info, status, time",
  ],
  [
    "card.detail",
    "card_no, card_unique_no, cardholder_no, card_name, package_name_en, package_name_cn, card_type, organization, card_last_no, fee_detail, status, time",
  ],
  [
    "cardholder.info",
    "cardholder_no, cardholder_unique_no, email, status, total_balance, time, card_list, account_list",
  ],
  ["account.transfer", "transfer_no, transfer_unique_no, before_balance, after_balance"],
] as const)("the answer of %s has the fields of section 3", (id, expected) => {
  expect(Object.keys(jsonSchemaOf(endpointById(id).response).properties ?? {}).join(", ")).toBe(expected);
});

test("every field of every request and answer is described", () => {
  const undescribed = (schema: ReturnType<typeof jsonSchemaOf>, path: string): readonly string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      ...(field.description === undefined && name !== "list" ? [`${path}.${name}`] : []),
      ...undescribed(field.items ?? field, `${path}.${name}`),
    ]);
  for (const { id, request, response } of endpoints) {
    expect([...undescribed(jsonSchemaOf(request), id), ...undescribed(jsonSchemaOf(response), id)]).toEqual([]);
  }
});

test("every listed error exists", () => {
  for (const { errors } of endpoints) expect(errors.every(isErrorName)).toBe(true);
});
