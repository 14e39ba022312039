import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { developerEndpoints } from "./developer.ts";
import { buildDeveloperOpenApi } from "./developer-openapi.ts";
import { endpoints, openApiPath } from "./endpoints.ts";
import { developerOpenApiFile, generateDeveloperOpenApi, generateOpenApi, openApiFile } from "./generate.ts";
import { buildOpenApi } from "./openapi.ts";

test.each([
  [openApiFile, generateOpenApi],
  [developerOpenApiFile, generateDeveloperOpenApi],
])("the committed %s is the generated one", (file, generate) => {
  expect(readFileSync(file, "utf8")).toBe(generate());
});

test("the document is plain JSON", () => {
  const document = buildOpenApi({ serverUrl: "https://cards.example.com" });
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});

test("the document has every endpoint and every callback once, each with its own operation id", () => {
  const document = buildOpenApi({ serverUrl: "http://127.0.0.1:8080" });
  expect(document.servers).toEqual([{ url: "http://127.0.0.1:8080" }]);
  const operations = endpoints.map(({ path, method }) => {
    const item = document.paths[openApiPath(path)];
    return method === "GET" ? item?.get : item?.post;
  });
  const ids = new Set(operations.map((operation) => operation?.operationId));
  expect(ids.size).toBe(19);
  expect(ids.has(undefined)).toBe(false);
  expect(Object.keys(document.webhooks)).toEqual(["Auth", "Consumption", "Card_update"]);
});

test("the developer API has a document of its own, with its endpoints and the codes that they answer", () => {
  const document = buildDeveloperOpenApi({ serverUrl: "http://127.0.0.1:8080" });
  expect(Object.keys(document.paths)).toEqual(developerEndpoints.map(({ path }) => openApiPath(path)));
  expect(document.webhooks).toEqual({});
  const codes = document["x-error-codes"].map(({ code }) => code);
  expect(codes).toEqual([
    1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1019, 1021, 1022, 4010, 6001, 6002, 6003,
  ]);
  const openApiCodes = buildOpenApi({ serverUrl: "" })["x-error-codes"].map(({ code }) => code);
  expect(openApiCodes.filter((code) => code >= 6000)).toEqual([]);
});

test.each([generateOpenApi, generateDeveloperOpenApi])("every reference inside a document leads somewhere", (make) => {
  const document: unknown = JSON.parse(make());
  const references = [...make().matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path]) => path ?? "");
  expect(references.length).toBeGreaterThan(0);
  for (const path of new Set(references)) {
    const target = path
      .split("/")
      .reduce<unknown>(
        (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
        document,
      );
    expect(target).toBeDefined();
  }
});

test("an endpoint's error table has its own codes and those of every endpoint, in order, each once", () => {
  const { paths } = buildOpenApi({ serverUrl: "" });
  const codes = paths["/open-api/v1/account/transfer"]?.post?.["x-errors"].map(({ code }) => code);
  expect(codes).toEqual([
    1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1021, 1022, 2002, 3001, 3002, 3003, 3004,
    3005, 3006, 4010,
  ]);
});
