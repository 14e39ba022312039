import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import {
  buildDeveloperOpenApi,
  buildOpenApi,
  REFERENCE_CONTENT_SECURITY_POLICY,
  renderReference,
} from "@cardwright/contract";
import { type ApiAnswer, eventually, startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
let merchant: TestCredential;

const list = "/open-api/v1/card/list";
const day = { start_time: "2026-05-22", end_time: "2026-05-22" };

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("CREDIT_EXTENSION");
});
afterAll(() => api.close());

const said = ({ status, code, msg }: ApiAnswer) => `${status} ${code} ${msg}`;

async function postList(
  body: string | Uint8Array | object,
  headers: Record<string, string | undefined> = {},
): Promise<string> {
  return said(await api.post(merchant, "/card/list", body, { headers }));
}

/** Sends bytes as they are and answers everything that comes back until the server closes or 5 s are over. */
async function sendRaw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(api.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  await once(socket, "connect");
  for (const part of parts) socket.write(part);
  socket.setTimeout(5_000, () => socket.destroy());
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

test("an unknown path is 404 with the envelope, before any header is looked at", async () => {
  for (const path of [
    "/open-api",
    "/open-api/",
    "/open-api/v1",
    "/open-api/v1/",
    "/open-api/v1/nothing",
    "/open-api/v2/merchant/token",
    "/open-api/v1/merchant/token/",
    "/open-api/v1/Merchant/Token",
    "/open-api/v1//merchant/token",
    "/open-api/v1/card/C1/detail/more",
    "/open-api/v1/card/C1%2Fdetail",
    "/open-api/v1/card/%ZZ/detail",
    "/open-api/v1/card/%/detail",
    "/open-api/v1/card/%C3%28/detail",
    "/open-api/v1/%2e%2e/%2e%2e/etc/passwd",
    "/",
    "/etc/passwd",
    "/docs/",
  ]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await api.call({
        method,
        path,
        headers: { "Content-Type": "text/plain" },
        ...(method === "POST" && { body: "x" }),
      });
      expect([path, said(answer)]).toEqual([path, "404 1004 path invalid parameter"]);
      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    }
  }
});

test("another method of a known path is 405 with the envelope and the right method", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]) {
    const answer = await api.call({ method, path: "/open-api/v1/card/C1/detail" });
    expect([method, said(answer)]).toEqual([method, "405 1004 method invalid parameter"]);
    expect(answer.headers["allow"]).toBe("GET");
  }
  const get = await api.call({ path: list });
  expect(said(get)).toBe("405 1004 method invalid parameter");
  expect(get.headers["allow"]).toBe("POST");
  const head = await api.call({ method: "HEAD", path: "/open-api/v1/merchant/token" });
  expect([head.status, head.text]).toEqual([405, ""]);
});

test("a query is ignored", async () => {
  const answer = await api.call({
    path: "/open-api/v1/merchant/token?a=1&a=2&__proto__=x",
    headers: { "Api-Key": merchant.apiKey },
  });
  expect(answer.code).toBe(0);
});

test("a POST body is JSON without a Content-Type, and with any spelling of application/json", async () => {
  for (const type of [
    undefined,
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=UTF-8",
    "application/json;v=1",
  ]) {
    expect(await postList(day, { "Content-Type": type })).toBe("200 0 Success");
  }
});

test("another Content-Type is 415, also for an empty or broken body, but never before the caller is known", async () => {
  for (const type of [
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application",
    ";",
    "application/json, text/plain",
  ]) {
    for (const body of [JSON.stringify(day), "", "{"]) {
      expect(await postList(body, { "Content-Type": type })).toBe("415 1004 content_type invalid parameter");
    }
  }
  expect(await postList(day, { "Content-Encoding": "gzip" })).toBe("415 1004 content_type invalid parameter");
  expect(await postList(day, { "Content-Encoding": "identity" })).toBe("200 0 Success");
  expect(await postList(day, { "Content-Type": "text/plain", "Api-Key": "ck_x" })).toBe(
    "200 1008 Api-Key does not exist",
  );
});

test("a GET may say Content-Type: application/json, with an empty body or none", async () => {
  const headers = await api.headersOf(merchant);
  const path = "/open-api/v1/card/C1/detail";
  expect(said(await api.call({ path, headers }))).toBe("200 4001 card does not exist");
  expect(said(await api.call({ path, headers: { ...headers, "Content-Type": "text/plain" } }))).toContain("4001");
  const raw = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const answer = await sendRaw(
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${raw}Content-Length: 2\r\nConnection: close\r\n\r\n{}`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"code":4001/u);
});

test("a body of 65,536 bytes is read, one byte more is 413, whether its length is announced or not", async () => {
  const padded = (bytes: number) => {
    const text = JSON.stringify(day);
    return `${text.slice(0, -1)},"pad":"${"x".repeat(bytes - text.length - 9)}"}`;
  };
  expect(padded(65_536)).toHaveLength(65_536);
  expect(await postList(padded(65_536))).toBe("200 0 Success");
  for (const bytes of [65_537, 70_000, 1_000_000]) {
    expect(await postList(padded(bytes))).toBe("413 1004 body invalid parameter");
  }
  const headers = await api.headersOf(merchant);
  const chunked = await request(`${api.url}${list}`, {
    method: "POST",
    headers,
    body: Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(1_000, " "))),
  });
  expect(chunked.statusCode).toBe(413);
  expect(await chunked.body.json()).toMatchObject({ code: 1004 });
});

test("a length that lies, a body that stops half-way and a caller who leaves do no harm", async () => {
  const headers = Object.entries(await api.headersOf(merchant))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const head = `POST ${list} HTTP/1.1\r\nHost: x\r\n${headers}`;
  const left = connect(api.port, "127.0.0.1");
  await once(left, "connect");
  left.write(`${head}Content-Length: 1000\r\n\r\n{"start`);
  left.end();
  await once(left, "finish");
  const gone = connect(api.port, "127.0.0.1");
  await once(gone, "connect");
  gone.write(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"sta`);
  gone.destroy();
  const both = await sendRaw(`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
  expect(both).toMatch(/^HTTP\/1\.1 400 /u);
  expect(await postList(day)).toBe("200 0 Success");
});

test("what is no HTTP, or more headers than 16 KB, is told so and the connection closed", async () => {
  expect(await sendRaw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":1004/u);
  expect(await sendRaw("GET / HTTP/9.9\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":1004/u);
  expect(await sendRaw("GET /open-api/v1/merchant/token HTTP/1.1\r\nApi-Key: a\r\nbroken\r\n\r\n")).toMatch(
    /^HTTP\/1\.1 400 /u,
  );
  const huge = `GET /open-api/v1/merchant/token HTTP/1.1\r\nHost: x\r\nApi-Key: ${"k".repeat(20_000)}\r\n\r\n`;
  expect(await sendRaw(huge)).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":1004/u);
  expect(await postList(day)).toBe("200 0 Success");
});

test("headers with odd characters are wrong values, not failures", async () => {
  const headers = await api.headersOf(merchant);
  const call = (changed: Record<string, string>) =>
    sendRaw(
      `GET /open-api/v1/card/C1/detail HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Object.entries({
        ...headers,
        ...changed,
      })
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("")}\r\n`,
    );
  expect(await call({ "Api-Key": "ключ" })).toContain('"code":1008');
  expect(await call({ "Api-Key": "k".repeat(10_000) })).toContain('"code":1008');
  expect(await call({ "Access-Token": "\u00ff\u00fe" })).toContain('"code":1007');
  expect(await call({ "api-key": merchant.apiKey })).toContain('"code":1008');
  expect(await call({ Timestamp: "1e13" })).toContain('"code":1005');
  expect(await call({ Language: "\u00e9" })).toContain('"code":4001');
  expect(await call({ __proto__x: "1", constructor: "1" })).toContain('"code":4001');
});

test("every answer has its headers: JSON, not stored, not sniffed, not framed, with the id of the request", async () => {
  for (const answer of [
    await api.call({ path: "/open-api/v1/merchant/token", headers: { "Api-Key": merchant.apiKey } }),
    await api.call({ path: "/open-api/v1/merchant/token" }),
    await api.call({ path: "/open-api/v1/nothing" }),
    await api.call({ path: "/open-api/v1/card/%ZZ/detail" }),
    await api.call({ path: "/" }),
    await api.post(merchant, "/card/list", "{"),
  ]) {
    expect(answer.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "request-id": expect.stringMatching(/^[0-9a-f-]{36}$/u),
    });
  }
});

test("while the process stops every new call is 503 with Retry-After, and one in flight is finished", async () => {
  const blocker = await api.db.ownerPool.connect();
  try {
    await blocker.query("BEGIN");
    await blocker.query("LOCK TABLE card IN ACCESS EXCLUSIVE MODE");
    const inFlight = api.post(merchant, "/card/list", day);
    await eventually(async () => {
      const waiting =
        "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
      return (await blocker.query(waiting)).rowCount === 1;
    });
    api.stopping = true;
    for (const answer of [
      await api.call({ path: "/open-api/v1/merchant/token", headers: { "Api-Key": merchant.apiKey } }),
      await api.call({ method: "POST", path: list, body: day }),
    ]) {
      expect([answer.status, answer.code, answer.headers["retry-after"]]).toEqual([503, 1001, "5"]);
    }
    await blocker.query("COMMIT");
    expect(said(await inFlight)).toBe("200 0 Success");
  } finally {
    blocker.release(true);
    api.stopping = false;
  }
  expect(await postList(day)).toBe("200 0 Success");
});

test("a bug is 1001 with nothing said, and a log line with the request's id and nothing that the caller sent", async () => {
  const before = api.logLines.length;
  await api.db.ownerPool.query("ALTER TABLE card RENAME TO card_hidden");
  let answer: ApiAnswer;
  try {
    answer = await api.post(merchant, "/card/list", { ...day, card_unique_no: "a-secret-of-the-caller" });
  } finally {
    await api.db.ownerPool.query("ALTER TABLE card_hidden RENAME TO card");
  }
  expect(answer.text).toBe('{"code":1001,"msg":"system error"}');
  const lines = api.logLines.slice(before);
  expect(lines).toHaveLength(1);
  const line = lines[0] ?? "";
  expect(JSON.parse(line)).toMatchObject({
    request_id: answer.headers["request-id"],
    route: "/open-api/v1/card/list",
    code: "42P01",
  });
  const token = await api.tokenOf(merchant);
  for (const secret of ["a-secret-of-the-caller", merchant.apiKey, token, "SELECT"]) expect(line).not.toContain(secret);
});

test("without its database the API is 503 with Retry-After", async () => {
  const dark = await startApi();
  try {
    const { apiKey } = await dark.newMerchant("CREDIT_EXTENSION");
    const call = () => dark.call({ path: "/open-api/v1/merchant/token", headers: { "Api-Key": apiKey } });
    expect((await call()).code).toBe(0);
    await dark.db.pool.end();
    const answer = await call();
    expect([answer.status, answer.code, answer.headers["retry-after"]]).toEqual([503, 1001, "5"]);
    expect((await dark.call({ path: "/open-api/v1/nothing" })).status).toBe(404);
  } finally {
    await dark.close();
  }
});

test("the OpenAPI documents and the reference page are public and made from the contract", async () => {
  const serverUrl = "https://cards.example.com";
  const openapi = buildOpenApi({ serverUrl });
  const developer = buildDeveloperOpenApi({ serverUrl });
  for (const [path, document] of [
    ["/open-api/openapi.json", openapi],
    ["/developer/openapi.json", developer],
  ] as const) {
    const json = await api.call({ path });
    expect(json.status).toBe(200);
    expect(json.text).toBe(JSON.stringify(document));
    expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
  }
  const page = await api.call({ path: "/docs" });
  expect(page.text).toBe(renderReference({ openapi, developer }));
  expect(page.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": REFERENCE_CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
  });
});
