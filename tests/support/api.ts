import { createCipheriv, createDecipheriv, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MerchantMode } from "@cardwright/contract";
import fastify, { type FastifyInstance } from "fastify";
import pino from "pino";
import { Agent, request } from "undici";
import { composeRooms, type Rooms } from "../../apps/server/src/compose.ts";
import { readConfig } from "../../apps/server/src/config.ts";
import type { Merchant, NewMerchant } from "../../apps/server/src/merchants/index.ts";
import {
  type OpenApiDeps,
  type OpenApiLimits,
  openApi,
  openApiServerOptions,
} from "../../apps/server/src/open-api/index.ts";
import type { NewBin, NewPackage } from "../../apps/server/src/products/index.ts";
import { createCardMaker, startKycSimulator } from "../../apps/server/src/sandbox/index.ts";
import { newMasterKey } from "../../apps/server/src/vault/index.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** An answer of the API with everything a test may look at. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly code: number;
  readonly msg: string;
  readonly data: Data;
}

/** `data` of any endpoint: a test reads what it expects, and gets undefined where it is not. */
export interface Data {
  readonly [key: string]: Data;
}

export interface TestCredential {
  readonly merchant: Merchant;
  readonly credentialId: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export interface RawCall {
  readonly method?: string;
  /** Below the server's root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as it is; an object as JSON. */
  readonly body?: string | Uint8Array | object;
}

export type CallOptions = Pick<RawCall, "headers">;

export interface TestApi {
  readonly url: string;
  readonly port: number;
  readonly db: TestDatabase;
  readonly rooms: Rooms;
  readonly app: FastifyInstance;
  readonly clock: { now(): number; advance(ms: number): void };
  /** What the log was told, one JSON text a line. */
  readonly logLines: string[];
  /** Set to make the process stop taking calls. */
  stopping: boolean;
  call(raw: RawCall): Promise<ApiAnswer>;
  /** With all headers of a good call; `path` is below `/open-api/v1`. */
  get(credential: TestCredential, path: string, options?: CallOptions): Promise<ApiAnswer>;
  post(credential: TestCredential, path: string, body: RawCall["body"], options?: CallOptions): Promise<ApiAnswer>;
  tokenOf(credential: TestCredential): Promise<string>;
  headersOf(credential: TestCredential): Promise<Record<string, string>>;
  newMerchant(mode: MerchantMode, settings?: Partial<NewMerchant>): Promise<TestCredential>;
  newCredential(merchant: Merchant, options?: { allowList?: string[]; expiresAt?: number }): Promise<TestCredential>;
  newBin(changes?: Partial<NewBin>): Promise<string>;
  newPackage(cardBinNo: string, changes?: Partial<NewPackage>): Promise<string>;
  recharge(credential: TestCredential, amount: string): Promise<void>;
  /** Applies through the API with a share token that approves, and waits for the verdict. */
  approvedCardholder(credential: TestCredential, uniqueNo?: string): Promise<string>;
  /** Applies with a share token of this outcome (`reject`, `pending`, …); answers the number without waiting. */
  cardholder(credential: TestCredential, outcome: string, uniqueNo?: string): Promise<string>;
  cardholderBecomes(credential: TestCredential, cardholderNo: string, status: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly limits?: Partial<OpenApiLimits>;
  readonly trustedProxies?: readonly string[];
  /** To put trouble between the face and a room. */
  readonly deps?: (deps: OpenApiDeps) => OpenApiDeps;
}

export const generousLimits: OpenApiLimits = {
  addressPerSecond: 1_000_000,
  addressBurst: 1_000_000,
  keyPerSecond: 1_000_000,
  keyBurst: 1_000_000,
};

const kyc = { appToken: "sbx:app", secret: "request-secret", webhookSecret: "webhook-secret" };
const operator = { actor: "operator" };

/** The merchants' API over the real rooms, a database of its own and the KYC simulator, on a free port of this machine. */
export async function startApi(options: TestApiOptions = {}): Promise<TestApi> {
  let now = Date.UTC(2026, 4, 22, 8);
  const clock = { now: () => now, advance: (ms: number) => void (now += ms) };
  const db = await createTestDatabase();
  const logLines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void logLines.push(line) });

  // Nobody listens there: webhooks are the cardholders room's own tests' business, here `cardholderBecomes` brings the news.
  const webhookUrl = (): string => "http://127.0.0.1:9/webhooks/kyc";
  const simulator = await startKycSimulator({ port: 0, webhookUrl, clock, ...kyc });
  const rooms = composeRooms({
    config: testConfig(db),
    log,
    pools: { app: db.pool, vault: db.vaultPool },
    clock,
    kycUrl: simulator.url,
    maker: createCardMaker({ pool: db.pool, clock }),
  });

  const app = fastify(openApiServerOptions({ trustedProxies: options.trustedProxies ?? [] }));
  const deps: OpenApiDeps = {
    ...rooms,
    businessClock: clock,
    environment: "sandbox",
    log,
    isStopping: () => api.stopping,
    publicUrl: "https://cards.example.com",
    limits: { ...generousLimits, ...options.limits },
  };
  await app.register(openApi(options.deps?.(deps) ?? deps));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const http = new Agent({ connections: 64 });
  const tokens = new Map<string, { readonly token: string; readonly expiresAt: number }>();

  const api: TestApi = {
    url,
    port: Number(new URL(url).port),
    db,
    rooms,
    app,
    clock,
    logLines,
    stopping: false,
    call: (raw) => send(http, url, raw),
    tokenOf: async (credential) => {
      const known = tokens.get(credential.credentialId);
      if (known !== undefined && known.expiresAt > clock.now()) return known.token;
      const headers = { "Api-Key": credential.apiKey };
      const { data } = await api.call({ path: "/open-api/v1/merchant/token", headers });
      const issued = { token: textAt(data, "access_token"), expiresAt: Number(textAt(data, "expired_time")) };
      tokens.set(credential.credentialId, issued);
      return issued.token;
    },
    headersOf: async (credential) => ({
      "Api-Key": credential.apiKey,
      "Access-Token": await api.tokenOf(credential),
      Timestamp: String(clock.now()),
      "Content-Type": "application/json",
    }),
    get: async (credential, path, { headers } = {}) =>
      api.call({ path: `/open-api/v1${path}`, headers: { ...(await api.headersOf(credential)), ...headers } }),
    post: async (credential, path, body, { headers } = {}) =>
      api.call({
        method: "POST",
        path: `/open-api/v1${path}`,
        headers: { ...(await api.headersOf(credential)), ...headers },
        ...(body !== undefined && { body }),
      }),
    newMerchant: async (mode, settings = {}) => {
      const created = await rooms.merchants.create(
        { name: "Test merchant", mode, pciEnabled: true, ...settings },
        operator,
      );
      return api.newCredential(must(created));
    },
    newCredential: async (merchant, { allowList = ["127.0.0.1"], expiresAt } = {}) => {
      const { merchantId } = merchant;
      const created = await rooms.merchants.createCredential(
        { merchantId, allowList, ...(expiresAt !== undefined && { expiresAt }) },
        operator,
      );
      const { credential, apiKey, apiSecret } = must(created);
      return { merchant, credentialId: credential.credentialId, apiKey, apiSecret };
    },
    newBin: async (changes = {}) =>
      must(await rooms.products.createBin({ ...someBin(), ...changes }, operator)).cardBinNo,
    newPackage: async (cardBinNo, changes = {}) =>
      must(await rooms.products.createPackage({ cardBinNo, ...somePackage, ...changes }, operator)).packageNo,
    recharge: async ({ merchant: { merchantId } }, amount) => {
      const minor = BigInt(amount.replace(".", ""));
      const order = await rooms.merchants.createRecharge(
        { merchantId, amount: minor, currency: "USD", reference: randomUUID() },
        operator,
      );
      must(await rooms.merchants.confirmRecharge({ rechargeNo: must(order).rechargeNo }, operator));
    },
    cardholder: async (credential, outcome, uniqueNo = `user-${randomUUID()}`) => {
      const applied = await api.post(credential, "/cardholder/apply", {
        cardholder_unique_no: uniqueNo,
        sumsub_share_token: `${outcome}-${randomUUID()}`,
      });
      if (applied.code !== 0) throw new Error(`cardholder/apply answered ${applied.text}`);
      return textAt(applied.data, "cardholder_no");
    },
    cardholderBecomes: async (credential, cardholderNo, status) =>
      eventually(async () => {
        const { rows } = await db.pool.query<{ id: string }>(
          "SELECT kyc_applicant_id AS id FROM cardholder WHERE merchant_id = $1 AND cardholder_no = $2",
          [credential.merchant.merchantId, cardholderNo],
        );
        await rooms.cardholders.handleWebhook({ applicantId: rows[0]?.id ?? "", type: "applicantReviewed" });
        const { data } = await api.get(credential, `/cardholder/${cardholderNo}/info`);
        return textAt(data, "status") === status;
      }),
    approvedCardholder: async (credential, uniqueNo) => {
      const cardholderNo = await api.cardholder(credential, "approve", uniqueNo);
      await api.cardholderBecomes(credential, cardholderNo, "Approved");
      return cardholderNo;
    },
    close: async () => {
      await http.destroy();
      await app.close();
      await simulator.close();
      await rooms.kyc.close();
      await rooms.callbacks.stop();
      await rooms.authorization.stop({ deadlineMs: 1_000 });
      await db.drop();
    },
  };
  return api;
}

function testConfig(db: TestDatabase) {
  return readConfig({
    CARDWRIGHT_ENV: "sandbox",
    DATABASE_URL: db.url,
    VAULT_MASTER_KEYS: newMasterKey("test"),
    ADMIN_TOKEN: "admin-token-of-the-api-tests",
    NETWORK_TOKEN: "network-token-of-the-api-tests",
    SUMSUB_APP_TOKEN: kyc.appToken,
    SUMSUB_SECRET: kyc.secret,
    SUMSUB_WEBHOOK_SECRET: kyc.webhookSecret,
  });
}

async function send(http: Agent, url: string, raw: RawCall): Promise<ApiAnswer> {
  const { body } = raw;
  const isText = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const answer = await request(`${url}${raw.path}`, {
    dispatcher: http,
    method: (raw.method ?? "GET") as "GET",
    headers: Object.fromEntries(Object.entries(raw.headers ?? {}).filter(([, value]) => value !== undefined)),
    body: isText ? (body ?? null) : JSON.stringify(body),
  });
  const text = await answer.body.text();
  const envelope = envelopeOf(text);
  return { status: answer.statusCode, headers: answer.headers, text, ...envelope };
}

function envelopeOf(text: string): Pick<ApiAnswer, "code" | "msg" | "data"> {
  try {
    return JSON.parse(text);
  } catch {
    return { code: Number.NaN, msg: "", data: {} };
  }
}

let binCount = 0;

/** A BIN of its own each time: number ranges do not overlap. */
function someBin(): NewBin {
  binCount += 1;
  return {
    bin: String(40_000_000 + binCount),
    organization: "VISA",
    supportVirtual: true,
    supportPhysical: true,
    limits: {
      limit_balance: "5000",
      limit_week_balance: "20000",
      limit_atm_day_balance: "1000",
      limit_atm_month_balance: "10000",
    },
  };
}

const somePackage = {
  enName: "Everyday",
  cnName: "日常卡",
  enDesc: "For daily purchases.",
  cnDesc: "适合日常消费。",
  enTagList: ["Online"],
  cnTagList: ["线上"],
  supportVirtual: true,
  supportPhysical: true,
  limits: {
    limit_balance: "1000",
    limit_week_balance: "5000",
    limit_atm_day_balance: "500",
    limit_atm_month_balance: "2000",
  },
  rates: { consume_rate: "0.05", cross_consume_rate: "0.07", open_cost: "1.5" },
} satisfies Omit<NewPackage, "cardBinNo">;

function must<Value>(result: { ok: true; value: Value } | { ok: false; reason: unknown }): Value {
  if (!result.ok) throw new Error(`the test's set-up was refused: ${JSON.stringify(result.reason)}`);
  return result.value;
}

/** The text or number at a place of `data`, as a text: `textAt(data, "list", 0, "card_no")`. Throws when there is none. */
export function textAt(data: unknown, ...path: readonly (string | number)[]): string {
  let value = data;
  for (const key of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new Error(`there is no ${path.join(".")} in ${JSON.stringify(data)}`);
}

/** Asks until it is so; for what happens on the other side of a socket. */
export async function eventually(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 500; looks += 1) {
    if (await isSo()) return;
    await sleep(10);
  }
  throw new Error("it did not become so within 5 s");
}

/** AES/ECB/PKCS5Padding in Base64, written as a merchant's developer would (contract section 6). */
export function encrypt(credential: TestCredential, plain: string): string {
  const cipher = createCipheriv("aes-256-ecb", Buffer.from(credential.apiSecret, "utf8"), null);
  return Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]).toString("base64");
}

export function decrypt(credential: TestCredential, cipherText: string): string {
  const decipher = createDecipheriv("aes-256-ecb", Buffer.from(credential.apiSecret, "utf8"), null);
  return Buffer.concat([decipher.update(Buffer.from(cipherText, "base64")), decipher.final()]).toString("utf8");
}
