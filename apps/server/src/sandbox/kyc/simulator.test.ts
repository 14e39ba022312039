import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { connect } from "node:net";
import { request } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./kyc-stage.ts";
import { type KycSimulator, type KycSimulatorOptions, startKycSimulator } from "./simulator.ts";

const start = Date.UTC(2026, 4, 22);
let now: number;
let received: { headers: IncomingHttpHeaders; text: string }[];
let receiver: Server;
let simulator: KycSimulator;

beforeEach(async () => {
  now = start;
  received = [];
  receiver = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      received.push({ headers: incoming.headers, text: Buffer.concat(chunks).toString("utf8") });
      response.end();
    });
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  simulator = await open({});
});
afterEach(async () => {
  await simulator.close();
  receiver.close();
  receiver.closeAllConnections();
});

function open(options: Partial<KycSimulatorOptions>): Promise<KycSimulator> {
  const address = receiver.address();
  return startKycSimulator({
    port: 0,
    appToken: "app-token",
    secret: "request-secret",
    webhookSecret: "webhook-secret",
    webhookUrl: () => `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`,
    clock: { now: () => now },
    ...options,
  });
}

async function call(method: "GET" | "POST", path: string, changed: Record<string, string> = {}) {
  const seconds = changed["x-app-access-ts"] ?? String(Math.floor(now / 1000));
  const signature = createHmac("sha256", "request-secret").update(`${seconds}${method}${path}`).digest("hex");
  const headers = { "x-app-token": "app-token", "x-app-access-ts": seconds, "x-app-access-sig": signature, ...changed };
  const answer = await request(`${simulator.url}${path}`, { method, headers });
  return { status: answer.statusCode, json: (await answer.body.json()) as Record<string, unknown> };
}

const importPath = (token: string): string => `/resources/applicants/-/import?shareToken=${token}`;

test("an imported applicant is pending first, then has the verdict of its token", async () => {
  await simulator.close();
  simulator = await open({ reviewWaitMs: 1_000 });
  const imported = await call("POST", importPath("reject-1"));
  expect(imported).toMatchObject({ status: 200, json: { id: expect.stringMatching(/^[0-9a-f]{24}$/u) } });
  const path = `/resources/applicants/${String(imported.json["id"])}/one`;
  expect((await call("GET", path)).json).toMatchObject({ review: { reviewStatus: "pending" } });
  now += 1_000;
  expect((await call("GET", path)).json).toMatchObject({
    email: "applicant1@example.com",
    info: { firstName: "Ada", lastName: "Example" },
    review: {
      reviewStatus: "completed",
      reviewResult: { reviewAnswer: "RED", reviewRejectType: "FINAL", rejectLabels: ["FORGERY"] },
    },
  });
});

test("a request whose signature, token or time is wrong is refused", async () => {
  const path = "/resources/applicants/x/one";
  expect((await call("GET", path)).status).toBe(404);
  expect((await call("GET", path, { "x-app-access-sig": "00".repeat(32) })).status).toBe(401);
  expect((await call("GET", path, { "x-app-access-sig": "" })).status).toBe(401);
  expect((await call("GET", path, { "x-app-token": "other" })).status).toBe(401);
  for (const [offset, status] of Object.entries({ "-61": 401, "-60": 404, "60": 404, "61": 401 })) {
    const seconds = String(start / 1000 + Number(offset));
    expect((await call("GET", path, { "x-app-access-ts": seconds })).status).toBe(status);
  }
  expect((await call("GET", path, { "x-app-access-ts": "now" })).status).toBe(401);
});

test("a share token is used up by use; an unknown one has an error code from 10501 on", async () => {
  expect((await call("POST", importPath("pending-1"))).status).toBe(200);
  expect(await call("POST", importPath("pending-1"))).toMatchObject({ status: 401, json: { code: 401 } });
  expect(await call("POST", importPath("nonsense"))).toMatchObject({ status: 400, json: { errorCode: 10_502 } });
  expect(await call("POST", importPath(""))).toMatchObject({ status: 400 });
});

test("a refused request does not use its share token up", async () => {
  await call("POST", importPath("pending-1"), { "x-app-access-sig": "00" });
  expect((await call("POST", importPath("pending-1"))).status).toBe(200);
});

test.each([
  ["HMAC_SHA1_HEX", "sha1"],
  ["HMAC_SHA256_HEX", "sha256"],
  ["HMAC_SHA512_HEX", "sha512"],
] as const)("webhooks carry their %s digest and no personal data", async (digestAlgorithm, hash) => {
  await simulator.close();
  simulator = await open({ digestAlgorithm });
  const { json } = await call("POST", importPath("approve-1"));
  await eventually(() => received.length === 2);
  const bodies = received.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
  expect(new Set(bodies.map(({ type }) => type))).toEqual(new Set(["applicantCreated", "applicantReviewed"]));
  for (const { headers, text } of received) {
    expect(headers["x-payload-digest-alg"]).toBe(digestAlgorithm);
    expect(headers["x-payload-digest"]).toBe(createHmac(hash, "webhook-secret").update(text).digest("hex"));
    expect(text).toContain(String(json["id"]));
    expect(text).not.toContain("example.com");
  }
});

test("the control calls refuse what they do not understand", async () => {
  const control = async (path: string, body: string): Promise<number> => {
    const answer = await request(`${simulator.url}${path}`, { method: "POST", body });
    await answer.body.dump();
    return answer.statusCode;
  };
  expect(await control("/simulator/share-tokens", "not json")).toBe(400);
  expect(await control("/simulator/share-tokens", '{"outcome":"maybe","applicant":{}}')).toBe(400);
  expect(await control("/simulator/applicants/x/review", '{"reviewAnswer":"GREEN"}')).toBe(404);
  expect(await control("/simulator/nothing", "{}")).toBe(404);
});

test("a request line or a body that is nonsense ends its own connection only", async () => {
  const { port } = new URL(simulator.url);
  const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
  socket.write("GET //%%% HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const closed = once(socket, "close");
  socket.resume();
  socket.setTimeout(1_000, () => socket.destroy());
  await closed;
  const tooLarge = request(`${simulator.url}/simulator/share-tokens`, { method: "POST", body: "x".repeat(100_000) });
  // The connection may be gone before the answer is read.
  const refusal = await tooLarge.then(
    ({ statusCode }) => statusCode,
    () => 413,
  );
  expect(refusal).toBe(413);
  expect((await call("POST", importPath("pending-1"))).status).toBe(200);
});

test("closing ends imports that hang", async () => {
  const hanging = call("POST", importPath("timeout-1")).then(
    () => "answered",
    () => "ended",
  );
  await eventually(async () => (await call("POST", importPath("timeout-1"))).status === 401);
  await simulator.close();
  expect(await hanging).toBe("ended");
  simulator = await open({});
});
