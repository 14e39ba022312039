import { readFileSync } from "node:fs";
import { developerEndpoints, endpoints } from "@cardwright/contract";
import { expect, test } from "vitest";
import { sdkMethods } from "../generator/methods.ts";
import { Cardwright } from "./index.ts";

const page = readFileSync(new URL("../api.md", import.meta.url), "utf8");
const client = new Cardwright({
  baseUrl: "https://cards.example.com",
  apiKey: "key",
  apiSecret: "s".repeat(32),
  appId: "app",
});
const { cardholders, cards, accounts, products, consumptions, developer, sandbox, callbacks } = client;
const resources = { cardholders, cards, accounts, products, consumptions, developer, sandbox, callbacks };
const methods = Object.entries(resources).flatMap(([resource, object]) =>
  Object.keys(object).map((method) => `client.${resource}.${method}`),
);

test("each of the 19 endpoints and each of the developer API has a method", () => {
  const all = [...endpoints, ...developerEndpoints].map(({ id }) => id);
  expect(sdkMethods.map(({ endpoint }) => endpoint).toSorted()).toEqual(all.toSorted());
  expect(sdkMethods.map(({ call }) => `client.${call}`).filter((call) => !page.includes(`### ${call}\n`))).toEqual([]);
});

/** They are told of beside another one. */
const besides = ["client.cards.encryptedPrivateInfo", "client.sandbox.shipCard", "client.sandbox.failCard"];

test("every method there is stands in api.md, and none that is not", () => {
  const told = [...page.matchAll(/^### (client\.\w+\.\w+)$/gmu)].map((match) => match[1] ?? "");
  expect(told.toSorted()).toEqual(methods.filter((method) => !besides.includes(method)).toSorted());
  for (const method of besides) expect(page).toContain(method.split(".").at(-1));
});
