import { createAuthority, type TestAuthority } from "@cardwright/testing/certificates";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#kernel/index.ts";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

const adminToken = "test-admin-token-of-32-characters";
const hourMs = 3_600_000;
const logged: string[] = [];
let database: TestDatabase;
let rooms: ReturnType<typeof operatorRooms>;
let app: FastifyInstance;
let base: string;
let authority: TestAuthority;

beforeAll(async () => {
  database = await createTestDatabase();
  authority = await createAuthority();
  rooms = operatorRooms(database, systemClock);
  app = Fastify({ logger: { level: "trace", stream: { write: (line: string) => void logged.push(line) } } });
  await app.register(operatorApi({ ...rooms, clock: systemClock, adminToken }), { prefix: "/operator/v1" });
  base = `${await app.listen({ host: "127.0.0.1", port: 0 })}/operator/v1`;
});
afterAll(async () => {
  await app.close();
  await rooms.callbacks.stop();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      Authorization: `Bearer ${adminToken}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: Object.fromEntries(Object.entries(Object(JSON.parse(text || "{}")))) };
}

async function newMerchantPath(): Promise<string> {
  const made = await call("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION" });
  return `/merchants/${String(made.body["merchant_no"])}`;
}

test("the first credential's answer shows the webhook secret, once; lists never do", async () => {
  const path = await newMerchantPath();
  const first = await call("POST", `${path}/credentials`, {});
  const secret = String(first.body["webhook_secret"]);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/u);
  expect(await call("POST", `${path}/credentials`, {})).toMatchObject({ status: 201 });
  expect((await call("POST", `${path}/credentials`, {})).body).not.toHaveProperty("webhook_secret");
  const listed = await call("GET", `${path}/webhook-secrets`);
  expect(listed.body).toEqual({
    list: [{ secret_id: expect.any(String), created_at: expect.any(Number), expires_at: null }],
  });
  for (const read of [listed, await call("GET", `${path}/credentials`), await call("GET", path)]) {
    expect(read.text).not.toContain(secret.slice(6));
  }
});

test("a rotation shows the new secret once, and the previous one ends after the hours that were asked for, 24 without", async () => {
  const path = await newMerchantPath();
  await call("POST", `${path}/credentials`, {});
  for (const [body, hours] of [
    [{}, 24],
    [{ overlap_hours: 168 }, 168],
    [{ overlap_hours: 0 }, 0],
  ] as const) {
    const before = Date.now();
    const rotated = await call("POST", `${path}/webhook-secrets`, body);
    const after = Date.now();
    expect(rotated).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/u) } });
    const ends = Number(rotated.body["previous_expires_at"]);
    expect(ends).toBeGreaterThanOrEqual(before + hours * hourMs);
    expect(ends).toBeLessThanOrEqual(after + hours * hourMs);
    expect((await call("GET", `${path}/webhook-secrets`)).text).not.toContain(String(rotated.body["secret"]).slice(6));
  }
  for (const overlap_hours of [-1, 169, 1.5, "24", null]) {
    const refused = await call("POST", `${path}/webhook-secrets`, { overlap_hours });
    expect(refused).toMatchObject({ status: 400, body: { error: { field: "overlap_hours" } } });
  }
  expect((await call("POST", "/merchants/M0/webhook-secrets", {})).status).toBe(404);
  expect((await call("GET", "/merchants/M0/webhook-secrets")).status).toBe(404);
});

test("a client certificate is set, read without its key, replaced and taken away", async () => {
  const path = `${await newMerchantPath()}/client-certificate`;
  expect(await call("GET", path)).toMatchObject({
    status: 404,
    body: { error: { code: "client_certificate_unknown" } },
  });
  const pairs = [await authority.issue({ name: "one" }), await authority.issue({ name: "two" })];
  for (const [index, pair] of pairs.entries()) {
    const { certificatePem: certificate_pem, privateKeyPem: private_key_pem } = pair;
    const set = await call("PUT", path, { certificate_pem, private_key_pem });
    expect(set).toMatchObject({
      status: 200,
      body: { subject: `C=DE, O=Cardwright tests, CN=${["one", "two"][index]}` },
    });
    expect(set.body["fingerprint_sha256"]).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/u);
    const read = await call("GET", path);
    expect(read).toEqual(set);
    expect(read.text).not.toContain("PRIVATE");
  }
  for (let times = 0; times < 2; times += 1) expect((await call("DELETE", path)).status).toBe(204);
  expect((await call("GET", path)).status).toBe(404);
  expect((await call("DELETE", "/merchants/M0/client-certificate")).status).toBe(404);
});

test("a certificate that cannot be used is refused by its field, and no answer and no log has a line of the key", async () => {
  const path = `${await newMerchantPath()}/client-certificate`;
  const [one, two] = [await authority.issue(), await authority.issue()];
  const good = { certificate_pem: one.certificatePem, private_key_pem: one.privateKeyPem };
  const attempts = [
    [{ ...good, certificate_pem: "no certificate" }, "client_certificate_invalid", "certificate_pem"],
    [{ ...good, private_key_pem: one.privateKeyPem.slice(0, 120) }, "client_key_invalid", "private_key_pem"],
    [{ ...good, private_key_pem: two.privateKeyPem }, "client_key_mismatch", "private_key_pem"],
    [{ ...good, private_key_pem: [one.privateKeyPem] }, "invalid_field", "private_key_pem"],
    [{ ...good, key: one.privateKeyPem }, "invalid_field", "key"],
    [{ ...good, private_key_pem: one.privateKeyPem.repeat(40) }, "invalid_field", "private_key_pem"],
  ] as const;
  const texts: string[] = [];
  for (const [body, code, field] of attempts) {
    const answer = await call("PUT", path, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code, field } } });
    texts.push(answer.text);
  }
  const everything = [...texts, ...logged].join("\n");
  expect(logged.length).toBeGreaterThan(10);
  for (const pair of [one, two]) {
    for (const line of pair.privateKeyPem.split("\n").slice(1, 3)) expect(everything).not.toContain(line);
  }
});
