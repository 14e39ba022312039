import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { request } from "undici";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { declineOnFailure, type Merchants } from "#merchants/index.ts";
import { headerLine, rowLine, trailerLine } from "#settlement/index.ts";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";
import { settlementFileBytesMax } from "./settlement-routes.ts";
import { UploadTooLarge, withSpooledUpload } from "./spooled-upload.ts";

/** Settlement as an operator works with it: over HTTP, from the upload to the decision. */

const adminToken = "test-admin-token-of-32-characters";
const now = Date.UTC(2026, 4, 23, 2);
const clock = { now: () => now };
let database: TestDatabase;
let merchants: Merchants;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];
let app: FastifyInstance;
let base: string;
/** Where uploads are spooled while this file runs. */
let uploads: string;

beforeAll(async () => {
  uploads = await mkdtemp(join(tmpdir(), "cardwright-test-"));
  vi.stubEnv("TMPDIR", uploads);
  database = await createTestDatabase();
  const rooms = operatorRooms(database, clock);
  ({ merchants, callbacks } = rooms);
  // As the platform does: the connections of callers who never end are not waited for.
  app = Fastify({ logger: false, forceCloseConnections: true });
  await app.register(operatorApi({ ...rooms, clock, adminToken }), {
    prefix: "/operator/v1",
  });
  base = `${await app.listen({ host: "127.0.0.1", port: 0 })}/operator/v1/settlement`;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(uploads, { recursive: true });
  await app.close();
  await callbacks.stop();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function get(path: string): Promise<Answer> {
  return answerOf(await request(base + path, { headers: { authorization: `Bearer ${adminToken}` } }));
}

async function post(path: string, body: string | Readable, type: string, token = adminToken): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": type };
  return answerOf(await request(base + path, { method: "POST", headers, body }));
}

async function answerOf({ statusCode, body }: Awaited<ReturnType<typeof request>>): Promise<Answer> {
  return { status: statusCode, body: Object.fromEntries(Object.entries((await body.json()) ?? {})) };
}

const upload = (file: string | Readable) => post("/files", file, "text/csv");

/** A file of one clearing of 12.50. */
function fileOf(networkReference: string, fileId: string, rows = 1): string {
  return [
    headerLine({ fileId, network: "testnet", settlementDate: "2026-05-22", rows }),
    rowLine({
      networkReference,
      originalReference: "",
      kind: "clearing",
      lastFour: "4242",
      amount: 1_250n,
      currency: "USD",
      settledAmount: 1_250n,
      at: now,
    }),
    trailerLine({ rows, debits: 1_250n, credits: 0n }),
  ].join("");
}

async function newMerchant(): Promise<{ merchantId: number; merchantNo: string }> {
  const made = await merchants.create(
    {
      name: "Shop",
      mode: "AUTHORIZATION",
      callbackUrl: "",
      pciEnabled: false,
      cardFrameOrigins: [],
      utcOffsetMinutes: 0,
      failurePolicy: declineOnFailure,
    },
    { actor: "operator" },
  );
  if (!made.ok) throw new Error(made.reason);
  return made.value;
}

const uploadsLeft = () => readdir(uploads);

test("an upload is imported and answered with its counts; sending it again answers the same file", async () => {
  const { merchantId, merchantNo } = await newMerchant();
  await database.pool.query(
    `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, card_no, consume_no, settled_amount, effect, at)
     VALUES ($1, 'http-1', 'clearing', '\\x00', 'C1', 'O1', 1249, 'cleared', $2)`,
    [merchantId, now],
  );
  const sent = await upload(fileOf("http-1", "http-1"));
  expect(sent).toMatchObject({
    status: 200,
    body: {
      repeat: false,
      file: {
        file_id: "http-1",
        state: "imported",
        settlement_date: "2026-05-22",
        debits: "12.50",
        credits: "0.00",
        counts: { matched: 0, amount_differs: 1, only_theirs: 0, named_twice: 0, malformed: 0, only_ours: null },
        open_items: 1,
        begun_by: "admin",
      },
    },
  });
  expect(await upload(fileOf("http-1", "http-1"))).toEqual({ status: 200, body: { ...sent.body, repeat: true } });

  const listed = await get(`/items?state=open&merchant_no=${merchantNo}`);
  expect(listed.body).toMatchObject({
    list: [
      {
        kind: "amount_differs",
        merchant_no: merchantNo,
        consume_no: "O1",
        their_amount: "12.50",
        our_amount: "12.49",
        line_no: 2,
      },
    ],
  });
});

test("a difference is shown with the rows that name it, and resolved once with a note", async () => {
  await upload(fileOf("http-2", "http-2"));
  const { body } = await get("/items?network_reference=http-2");
  const itemId = /"item_id":"([^"]+)"/u.exec(JSON.stringify(body))?.[1] ?? "";
  expect(await get(`/items/${itemId}`)).toMatchObject({
    status: 200,
    body: { item: { kind: "only_theirs", state: "open", merchant_no: null }, named_by: [{ settled_amount: "12.50" }] },
  });
  const decide = (decision: object) => post(`/items/${itemId}/resolve`, JSON.stringify(decision), "application/json");
  expect(await decide({ resolution: "paid", note: "x" })).toMatchObject({ status: 400 });
  expect(await decide({ resolution: "claimed", note: "" })).toMatchObject({ status: 400 });
  const decision = { resolution: "claimed", note: "asked the network" };
  const resolved = await decide(decision);
  expect(resolved).toMatchObject({ status: 200, body: { state: "resolved", ...decision, resolved_by: "admin" } });
  expect(await decide(decision)).toEqual(resolved);
  expect(await decide({ ...decision, resolution: "keep_ours" })).toMatchObject({
    status: 409,
    body: { error: { code: "settlement_item_resolved" } },
  });
});

test("files are listed by state and day and read by number; what is not there answers 404", async () => {
  await upload(fileOf("http-3", "http-3", 7));
  const rejected = await get("/files?state=rejected&settlement_date=2026-05-22&size=10");
  expect(rejected.body).toMatchObject({ list: [{ file_id: "http-3", reason: "rows_differ" }] });
  const fileNo = /"file_no":"([0-9]+)"/u.exec(JSON.stringify(rejected.body))?.[1] ?? "";
  expect(await get(`/files/${fileNo}`)).toMatchObject({ status: 200, body: { file_no: fileNo, state: "rejected" } });
  for (const path of ["/files/999999", "/files/x", "/items/00000000-0000-4000-8000-000000000000", "/items/x"]) {
    expect(await get(path)).toMatchObject({ status: 404 });
  }
  expect(await get("/files?settlement_date=2026-02-30")).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_field", field: "settlement_date" } },
  });
});

test("what is no settlement file, of another type, from a stranger or with a reused id is refused by name", async () => {
  expect(await upload("hello\n")).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_field", field: "body", message: expect.stringMatching(/first line/u) } },
  });
  expect(await upload("")).toMatchObject({ status: 400 });
  expect(await post("/files", "{}", "application/json")).toMatchObject({ status: 415 });
  expect(await post("/files", fileOf("http-4", "http-4"), "text/csv", "wrong")).toMatchObject({ status: 401 });
  await upload(fileOf("http-4", "http-4"));
  expect(await upload(fileOf("http-5", "http-4"))).toMatchObject({
    status: 409,
    body: { error: { code: "settlement_file_id_reused" } },
  });
  expect(await uploadsLeft()).toEqual([]);
});

test("an upload that is announced as too large is refused before it is read", async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${adminToken}`,
      "content-type": "text/csv",
      "content-length": String(settlementFileBytesMax + 1),
    };
    const sending = httpRequest(`${base}/files`, { method: "POST", headers }, ({ statusCode }) => {
      resolve(statusCode);
      sending.destroy();
    });
    sending.on("error", reject);
    sending.write("H,");
  });
  expect(status).toBe(413);
  expect(await uploadsLeft()).toEqual([]);
});

test("an upload that turns out too large is cut off, and its file removed", async () => {
  const body = Readable.from([Buffer.alloc(600), Buffer.alloc(600)]);
  const work = async () => "imported";
  await expect(withSpooledUpload(body, { bytesMax: 1_000 }, work)).rejects.toThrow(UploadTooLarge);
  expect(await uploadsLeft()).toEqual([]);
});

test("an upload whose connection breaks leaves nothing behind", async () => {
  const broken = request(`${base}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "text/csv" },
    body: Readable.from(
      (async function* () {
        yield Buffer.from(fileOf("http-6", "http-6").slice(0, 120));
        throw new Error("the connection broke");
      })(),
    ),
  });
  await expect(broken).rejects.toThrow(/broke/u);
  await expect.poll(uploadsLeft, { timeout: 5_000 }).toEqual([]);
  expect(await get("/items?network_reference=http-6")).toMatchObject({ body: { list: [] } });
});
