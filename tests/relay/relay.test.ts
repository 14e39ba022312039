import { splitCallbackBody, verifyV1 } from "@cardwright/signing";
import pino from "pino";
import { request } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { readConfig } from "../../apps/server/src/config.ts";
import { type Platform, startPlatform } from "../../apps/server/src/platform.ts";
import type { OperatorDesk } from "../../scripts/sandbox/enrol.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { becomes, endAll, freePorts, newSecrets } from "../support/processes.ts";
import { type CardMerchant, enrolWithCard, getJson } from "../support/sandbox-merchant.ts";
import { callSandbox, listenThroughRelay, type RelayedCallback, type RelayListener } from "./relay-listener.ts";

/** The relay as a developer uses it: a platform with all its roles, a merchant in authorization mode, everything over HTTP. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let db: TestDatabase;
let platform: Platform;
let merchant: CardMerchant;
let place: { readonly api: string; readonly apiKey: string };
const secrets = newSecrets();

const start = (): Promise<Platform> =>
  startPlatform({
    config: readConfig({ CARDWRIGHT_ENV: "sandbox", DATABASE_URL: db.url, ...freePorts, ...secrets }),
    log: pino({ level: "silent" }),
  });
const placeOf = ({ urls }: Platform) => ({ api: urls.api ?? "", apiKey: merchant.account.apiKey });

beforeAll(async () => {
  db = await createTestDatabase();
  platform = await start();
  const desk: OperatorDesk = { apiUrl: platform.urls.api ?? "", adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: platform.urls.kycSimulator ?? "", mode: "AUTHORIZATION" });
  place = placeOf(platform);
});

// A test that failed half way leaves its listener behind: the others must not meet it.
beforeEach(async () => {
  await db.pool.query("UPDATE sandbox_listener SET streamed_at = 0");
  await becomes("nobody listens", async () => (await callbackUrl()) === merchant.listener.url);
});

afterAll(async () => {
  await merchant.close();
  await platform.stop();
  await endAll();
  await db.drop();
});

async function callbackUrl(): Promise<string> {
  const { json } = await getJson(`${platform.urls.api}/operator/v1/merchants/${merchant.account.merchantNo}`, {
    Authorization: `Bearer ${secrets.ADMIN_TOKEN}`,
  });
  return String(json["callback_url"]);
}

const yes = { status: 200, body: '{"code":0,"message":""}' };
const no = { status: 200, body: '{"code":1,"message":"no"}' };
const isAuth = ({ body }: RelayedCallback): boolean => body.includes('"action":"Auth"');

/** The process that asks hears of the new URL a moment later: buys until the listener is asked. */
async function buyUntilAsked(listener: RelayListener): Promise<{ approved: boolean; reason: string }> {
  const asked = () => listener.callbacks.filter(isAuth).length;
  const before = asked();
  let receipt = { approved: false, reason: "" };
  await becomes("the listener is asked", async () => {
    receipt = await merchant.buy("1.00");
    return asked() > before;
  });
  return receipt;
}

test("a purchase is approved by a listener through the relay, and the signature of what it gets is the platform's", async () => {
  const listener = await listenThroughRelay(place);
  expect(listener.previousUrl).toBe(merchant.listener.url);
  expect(listener.callbackUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/sandbox\/v1\/relay\/[\w-]{43}$/u);
  expect(await callbackUrl()).toBe(listener.callbackUrl);
  expect(await buyUntilAsked(listener)).toMatchObject({ approved: true });
  await becomes("the push follows", () =>
    listener.callbacks.some(({ body }) => body.includes('"action":"Consumption"')),
  );
  const { appId, apiSecret } = merchant.account;
  for (const { headers, body } of listener.callbacks) {
    const parts = splitCallbackBody(body);
    if (!parts.ok) throw new Error(parts.reason);
    const { timestamp, signature } = headers;
    const verified = verifyV1({
      appId,
      apiSecret,
      timestamp,
      signature,
      dataText: parts.value.dataText,
      nowMs: Date.now(),
    });
    expect(verified).toEqual({ ok: true });
    expect(headers).toMatchObject({ "content-type": "application/json", "sign-version": "V1", timezone: "UTC+8" });
  }
  const [auth] = listener.callbacks.filter(isAuth);
  expect(auth?.headers["deadline-ms"]).toBe("800");
  const push = listener.callbacks.find((callback) => !isAuth(callback));
  expect([push?.headers["sequence"], push?.headers["attempt"]]).toEqual([expect.any(String), expect.any(String)]);
  await becomes("every answer is taken", () => listener.handedIn.length === listener.callbacks.length);
  expect(new Set(listener.handedIn.map(String))).toEqual(new Set(["200,"]));
  expect(await listener.end()).toEqual({ status: 200, json: { callback_url: merchant.listener.url } });
  await listener.streamEnded;
  expect((await listener.end()).status).toBe(404);
});

test("the platform gets exactly what the listener says: status, content type and every byte", async () => {
  const odd = { status: 418, content_type: "text/x-odd; a=b", body: 'no {"JSON" ü€😀\u0000\r\n' };
  const listener = await listenThroughRelay(place, () => odd);
  const raw = `{"id":"x","text":"ü€😀\\u0000 \\" "}`;
  const answer = await request(listener.callbackUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      timestamp: "1",
      signature: "Ab",
      "webhook-id": "w",
      "webhook-signature": "v1,a v1,b",
      "test-push": "true",
      "late-answer": "code=0; after_ms=900",
      cookie: "not=yours",
    },
    body: raw,
  });
  expect([answer.statusCode, answer.headers["content-type"], await answer.body.text()]).toEqual([
    odd.status,
    odd.content_type,
    odd.body,
  ]);
  // A push of an earlier test may come as well.
  expect(listener.callbacks.filter(({ headers }) => headers["webhook-id"] === "w")).toEqual([
    {
      requestId: expect.any(String),
      headers: {
        "content-type": "application/json",
        timestamp: "1",
        signature: "Ab",
        "webhook-id": "w",
        "webhook-signature": "v1,a v1,b",
        "test-push": "true",
        "late-answer": "code=0; after_ms=900",
      },
      body: raw,
    },
  ]);
  await listener.end();
});

test("a listener that dies fails the purchase at once, may come back within 30 s, and else the URL goes back", async () => {
  let says = (): typeof yes | null => yes;
  const listener = await listenThroughRelay(place, () => says());
  await buyUntilAsked(listener);
  says = () => null;
  const waiting = merchant.buy("2.00");
  await becomes("it is asked", () => listener.callbacks.filter(isAuth).length >= 2);
  await listener.die();
  expect(await waiting).toMatchObject({ approved: false });
  await becomes("nobody listens", async () => (await pushByHand(listener)) === 503);
  says = () => yes;
  await listener.connect();
  expect(await merchant.buy("3.00")).toMatchObject({ approved: true });
  await listener.die();
  await becomes("the URL is back", async () => {
    // Each time anew: the end of the stream may be noted after the first.
    await db.pool.query("UPDATE sandbox_listener SET streamed_at = streamed_at - 30000");
    return (await callbackUrl()) === merchant.listener.url;
  });
  await expect(listener.connect()).rejects.toThrow("listen_unknown");
  expect((await db.pool.query("SELECT FROM sandbox_listener")).rowCount).toBe(0);
});

/** A push of an earlier test may come beside it. */
const isByHand = ({ body }: RelayedCallback): boolean => body === "{}";

async function pushByHand({ callbackUrl: url }: RelayListener): Promise<number> {
  const answer = await request(url, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  await answer.body.dump();
  return answer.statusCode;
}

test("a second listener takes the place of the first, whose URL is not what goes back", async () => {
  const first = await listenThroughRelay(place, () => no);
  const second = await listenThroughRelay(place, () => yes);
  await first.streamEnded;
  expect(second.previousUrl).toBe(merchant.listener.url);
  await expect(first.connect()).rejects.toThrow("listen_unknown");
  expect(await first.end()).toMatchObject({ status: 404, json: { error: { code: "listen_unknown" } } });
  expect(await buyUntilAsked(second)).toMatchObject({ approved: true });
  // Many at once: one row, one URL, and the one before them all is remembered.
  const begun = await Promise.all(Array.from({ length: 8 }, () => callSandbox(place, "/listen")));
  expect(new Set(begun.map(({ json }) => json["previous_callback_url"]))).toEqual(new Set([merchant.listener.url]));
  const { rows } = await db.pool.query<{ listen_id: string }>("SELECT listen_id FROM sandbox_listener");
  expect(rows).toHaveLength(1);
  const ended = await callSandbox(place, `/listen/${rows[0]?.listen_id}/end`);
  expect(ended).toEqual({ status: 200, json: { callback_url: merchant.listener.url } });
});

test("a URL that somebody sets meanwhile stays when the listener ends", async () => {
  const listener = await listenThroughRelay(place);
  const own = "http://127.0.0.1:9/own";
  const patch = (url: string) =>
    request(`${platform.urls.api}/operator/v1/merchants/${merchant.account.merchantNo}`, {
      method: "PATCH",
      headers: { Authorization: `Bearer ${secrets.ADMIN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ callback_url: url }),
    });
  expect((await patch(own)).statusCode).toBe(200);
  expect(await listener.end()).toEqual({ status: 200, json: { callback_url: own } });
  expect((await patch(merchant.listener.url)).statusCode).toBe(200);
});

test("who does not answer within 5 s is answered for with 504, and its late answer is told to be late", async () => {
  const listener = await listenThroughRelay(place, () => null);
  expect(await pushByHand(listener)).toBe(504);
  const callback = listener.callbacks.find(isByHand);
  const late = await callSandbox(place, `/listen/${listener.listenId}/answers/${callback?.requestId}`, yes);
  expect(late).toMatchObject({ status: 404, json: { error: { code: "request_unknown" } } });
  expect(listener.beats()).toBeGreaterThan(0);
  await listener.end();
});

test("only the merchant's own key listens and answers, and what is not an answer is named by its field", async () => {
  const listener = await listenThroughRelay(place, () => null);
  const stranger = { api: place.api, apiKey: "ck_nobody" };
  const answers = `/listen/${listener.listenId}/answers`;
  expect((await callSandbox(stranger, "/listen")).status).toBe(401);
  expect((await callSandbox(stranger, `/listen/${listener.listenId}/end`)).status).toBe(401);
  const waiting = pushByHand(listener);
  await becomes("it is asked", () => listener.callbacks.some(isByHand));
  const requestId = listener.callbacks.find(isByHand)?.requestId;
  expect((await callSandbox(stranger, `${answers}/${requestId}`, yes)).status).toBe(401);
  for (const [body, field] of [
    [{}, "status"],
    [{ status: 199 }, "status"],
    [{ status: 600 }, "status"],
    [{ status: "200" }, "status"],
    [{ status: 200, body: { code: 0 } }, "body"],
    [{ status: 200, body: "x".repeat(32_769) }, "body"],
    [{ status: 200, content_type: "a\r\nb: c" }, "content_type"],
    [{ status: 200, more: 1 }, ""],
  ] as const) {
    const refused = await callSandbox(place, `${answers}/${requestId}`, body);
    expect([body, refused]).toEqual([
      body,
      { status: 400, json: { error: { code: "invalid_field", message: expect.any(String), field } } },
    ]);
  }
  for (const id of ["nothing", "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234", "%00"]) {
    expect((await callSandbox(place, `${answers}/${id}`, yes)).status).toBe(404);
    expect((await callSandbox(place, `/listen/${id}/end`)).status).toBe(404);
  }
  expect((await callSandbox(place, `${answers}/${requestId}`, { status: 204, body: "" })).status).toBe(200);
  expect(await waiting).toBe(204);
  const tooLong = await request(listener.callbackUrl, { method: "POST", body: "x".repeat(65_537) });
  expect(tooLong.statusCode).toBe(413);
  await tooLong.body.dump();
  await listener.end();
});

test("an open stream does not hold up a stop, and the next process puts the URL back that a killed one has left", async () => {
  const listener = await listenThroughRelay(place);
  const relay = listener.callbackUrl;
  await platform.stop();
  await listener.streamEnded;
  platform = await start();
  place = placeOf(platform);
  expect(await callbackUrl()).toBe(relay);
  await db.pool.query("UPDATE sandbox_listener SET streamed_at = streamed_at - 30000");
  await becomes("the URL is back", async () => (await callbackUrl()) === merchant.listener.url);
});
