import { createServer } from "node:http";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { authData, consumption, credentials, send, webhookSecret } from "../../test/pushes.ts";
import { type Endpoint, listening, serve, serverKinds } from "../../test/servers.ts";
import { approve, type Callback, createCallbacks, decline, type HandlerOptions } from "../index.ts";

const callbacks = createCallbacks({ ...credentials, webhookSecrets: [webhookSecret] });
const stranger = createCallbacks({ ...credentials, apiSecret: "another", webhookSecrets: [webhookSecret] });

let endpoint: Endpoint | undefined;
let errors: unknown[] = [];
afterEach(async () => {
  await endpoint?.close();
  endpoint = undefined;
  errors = [];
});

const handlerOf = (options: HandlerOptions) =>
  callbacks.handler({ onError: (error) => void errors.push(error), ...options });

test.each(serverKinds)("%s: a purchase is decided, with Unicode, part and reason", async (kind) => {
  const seen: Callback[] = [];
  const onAuth: HandlerOptions["onAuth"] = (callback) => {
    seen.push(callback);
    return callback.data.amount < 20
      ? approve({ approvedAmount: "10.00" })
      : decline("insufficient_funds", { code: 5101 });
  };
  endpoint = await serve(kind, handlerOf({ onAuth }));
  const yes = await send(endpoint.url, callbacks, { action: "Auth", data: authData, deadlineMs: 800 });
  expect(yes).toEqual({ status: 200, json: { code: 0, message: "", approved_amount: "10.00" } });
  const no = await send(endpoint.url, callbacks, { action: "Auth", data: { ...authData, amount: 20 } });
  expect(no).toEqual({ status: 200, json: { code: 5101, message: "", reason: "insufficient_funds" } });
  expect(seen[0]).toMatchObject({ data: authData, deadlineMs: 800, verifiedBy: ["v1", "standard_webhooks"] });
  expect(errors).toEqual([]);
});

test.each(serverKinds)(
  "%s: a foreign signature, a changed byte and a long body are refused without a word why",
  async (kind) => {
    endpoint = await serve(kind, handlerOf({ onConsumption: () => expect.unreachable() }));
    expect(await send(endpoint.url, stranger, consumption(1))).toEqual({
      status: 401,
      json: { code: 401, message: "not verified" },
    });
    const signed = await callbacks.sign(consumption(1));
    const changed = signed.body.replace('"fee":0.5', '"fee":0.6');
    expect(await send(endpoint.url, callbacks, consumption(1), { body: changed })).toMatchObject({ status: 401 });
    expect(await send(endpoint.url, callbacks, consumption(1), { body: "{" })).toMatchObject({ status: 401 });
    const long = await send(endpoint.url, callbacks, consumption(1), { body: `"${"x".repeat(70_000)}"` });
    expect(long.status).toBe(413);
    expect(errors.length).toBeGreaterThanOrEqual(3);
  },
);

test.each(serverKinds)("%s: only POST is answered as a callback", async (kind) => {
  endpoint = await serve(kind, handlerOf({}));
  expect([404, 405]).toContain((await fetch(endpoint.url)).status);
});

test("Express: a body that a parser has eaten is a clear mistake, and raw bytes are not", async () => {
  const handler = handlerOf({ onAuth: () => approve() });
  const app = express();
  app.post("/raw", express.raw({ type: "*/*" }), handler.express);
  app.use(express.json());
  app.post("/callback", handler.express);
  const told: unknown[] = [];
  const onError: express.ErrorRequestHandler = (error, _request, response, _next) => {
    told.push(error);
    response.status(500).json({});
  };
  app.use(onError);
  endpoint = await listening(createServer(app));
  expect(await send(endpoint.url, callbacks, { action: "Auth", data: authData })).toMatchObject({ status: 500 });
  expect(String(told[0])).toContain("before express.json()");
  const raw = endpoint.url.replace("/callback", "/raw");
  expect(await send(raw, callbacks, { action: "Auth", data: authData })).toMatchObject({ json: { code: 0 } });
});

test("any other server hands over headers and body", async () => {
  const { handle } = handlerOf({ onAuth: () => approve() });
  const signed = await callbacks.sign({ action: "Auth", data: authData });
  expect(await handle(signed)).toEqual({ status: 200, body: '{"code":0,"message":""}' });
  const bytes = { headers: new Headers(signed.headers), body: new TextEncoder().encode(signed.body) };
  expect(await handle(bytes)).toMatchObject({ status: 200 });
});
