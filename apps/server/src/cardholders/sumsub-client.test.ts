import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { createSumsubClient, type SumsubClient } from "./sumsub-client.ts";

const nowMs = 1_716_307_200_123;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A client whose provider is the given listener. */
async function clientOf(listener: RequestListener, options: { basePath?: string; tryTimeoutMs?: number } = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createSumsubClient({
    baseUrl: `http://127.0.0.1:${portOf(server)}${options.basePath ?? ""}`,
    appToken: "app-token",
    secret: "request-secret",
    webhookSecret: "webhook-secret",
    clock: { now: () => nowMs },
    tryTimeoutMs: options.tryTimeoutMs ?? 5_000,
    retryWaitMs: 1,
  });
  closing.push(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return address.port;
}

const fetched = (client: SumsubClient) => client.fetchApplicant({ applicantId: "a1", budgetMs: 5_000 });
const green = JSON.stringify({
  id: "a1",
  review: { reviewStatus: "completed", reviewResult: { reviewAnswer: "GREEN" } },
});

test("every request is signed over seconds, method and the path as it is sent", async () => {
  const seen: IncomingMessage[] = [];
  const client = await clientOf(
    (request, response) => {
      seen.push(request);
      response.end('{"id":"a1"}');
    },
    { basePath: "/kyc/" },
  );
  await client.importApplicant({ shareToken: "_act-jwt&=/ü" });
  await fetched(client);
  expect(seen.map(({ url }) => url)).toEqual([
    "/kyc/resources/applicants/-/import?shareToken=_act-jwt%26%3D%2F%C3%BC",
    "/kyc/resources/applicants/a1/one",
    // An answer that is no applicant is not asked for again.
  ]);
  for (const { method, url, headers } of seen) {
    const signed = createHmac("sha256", "request-secret").update(`1716307200${method}${url}`).digest("hex");
    expect(headers).toMatchObject({ "x-app-token": "app-token", "x-app-access-ts": "1716307200" });
    expect(headers["x-app-access-sig"]).toBe(signed);
  }
});

test.each([
  [200, '{"id":"a1"}', { ok: true, value: { applicantId: "a1" } }],
  [401, "{}", { ok: false, reason: "token_refused" }],
  [400, '{"errorCode":10501}', { ok: false, reason: "token_refused" }],
  [429, "{}", { ok: false, reason: "unreachable" }],
  [500, "{}", { ok: false, reason: "unreachable" }],
  [302, "{}", { ok: false, reason: "unreachable" }],
  [200, "{}", { ok: false, reason: "unreachable" }],
  [200, "<html>", { ok: false, reason: "unreachable" }],
  [200, '{"id":"../a1"}', { ok: false, reason: "unreachable" }],
])("an import that is answered %i %s is tried once and understood", async (status, body, expected) => {
  let calls = 0;
  const client = await clientOf((_, response) => {
    calls += 1;
    response.writeHead(status, { location: "/elsewhere" }).end(body);
  });
  expect(await client.importApplicant({ shareToken: "t" })).toEqual(expected);
  expect(calls).toBe(1);
});

test("an import that is not answered is given up and not repeated", async () => {
  let calls = 0;
  const client = await clientOf(
    () => {
      calls += 1;
    },
    { tryTimeoutMs: 50 },
  );
  expect(await client.importApplicant({ shareToken: "t" })).toEqual({ ok: false, reason: "unreachable" });
  expect(calls).toBe(1);
});

test.each([429, 500, 503])("a read that meets a passing %i is tried again", async (status) => {
  let calls = 0;
  const client = await clientOf((_, response) => {
    calls += 1;
    response.writeHead(calls < 3 ? status : 200).end(green);
  });
  expect(await fetched(client)).toMatchObject({ ok: true, value: { review: { state: "approved" } } });
  expect(calls).toBe(3);
});

test("a read is tried three times at most", async () => {
  let calls = 0;
  const client = await clientOf((_, response) => {
    calls += 1;
    response.writeHead(500).end();
  });
  expect(await fetched(client)).toEqual({ ok: false, reason: "unreachable" });
  expect(calls).toBe(3);
});

test("a read that hangs is tried again within its budget", async () => {
  let calls = 0;
  const client = await clientOf(
    (_, response) => {
      calls += 1;
      if (calls > 1) response.end(green);
    },
    { tryTimeoutMs: 50 },
  );
  expect(await fetched(client)).toMatchObject({ ok: true });
  expect(calls).toBe(2);
});

test("a read whose budget is spent is not tried again", async () => {
  let calls = 0;
  const client = await clientOf(() => {
    calls += 1;
  });
  const result = await client.fetchApplicant({ applicantId: "a1", budgetMs: 40 });
  expect(result).toEqual({ ok: false, reason: "unreachable" });
  expect(calls).toBe(1);
});

test.each([
  [404, "not_found"],
  [401, "unauthorized"],
  [403, "unauthorized"],
  [302, "unreachable"],
])("a read that is answered %i is not tried again", async (status, reason) => {
  let calls = 0;
  const client = await clientOf((_, response) => {
    calls += 1;
    response.writeHead(status, { location: "/elsewhere" }).end("{}");
  });
  expect(await fetched(client)).toEqual({ ok: false, reason });
  expect(calls).toBe(1);
});

test("an answer over 256 KB is not read to its end", async () => {
  const client = await clientOf((_, response) => {
    response.end(`${green.slice(0, -1)},"padding":"${"x".repeat(300_000)}"}`);
  });
  expect(await fetched(client)).toEqual({ ok: false, reason: "unreachable" });
});

test("nobody listening is a value, not an exception", async () => {
  const client = await clientOf((_, response) => response.end());
  await Promise.all(closing.splice(0).map((close) => close()));
  expect(await client.importApplicant({ shareToken: "t" })).toEqual({ ok: false, reason: "unreachable" });
});
