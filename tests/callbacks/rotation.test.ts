import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { composeRooms, type Rooms } from "../../apps/server/src/compose.ts";
import { readConfig } from "../../apps/server/src/config.ts";
import { systemClock } from "../../apps/server/src/kernel/index.ts";
import { newMasterKey } from "../../apps/server/src/vault/index.ts";
import { splitCallbackBody, verifyStandard, verifyV1 } from "../../packages/signing/src/index.ts";
import { createAuthority, type TestAuthority } from "../support/certificates.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startTlsServer, type TlsRequest, type TlsServer, trustOnly } from "../support/tls-server.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** What docs/reference/callbacks.md promises of every change: it is in force in every process after this time. */
const inForceAfterMs = 5_000;
const by = { actor: "operator" };
let database: TestDatabase;
let authority: TestAuthority;
let merchantServer: TlsServer;
/** The rooms of two processes on one database. */
let processes: Rooms[];
let merchant: { merchantId: number; appId: string };
let first: { credentialId: string; apiSecret: string; webhookSecret: string };
const logged: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  authority = await createAuthority();
  trustOnly([authority]);
  merchantServer = await startTlsServer({
    certificate: await authority.issue({ usage: "server" }),
    clientAuthority: authority,
  });
  const settings = {
    CARDWRIGHT_ENV: "sandbox",
    DATABASE_URL: database.url,
    VAULT_MASTER_KEYS: newMasterKey("test"),
    ADMIN_TOKEN: "admin-token-of-the-rotation-tests",
    NETWORK_TOKEN: "network-token-of-the-rotation-tests",
    SUMSUB_APP_TOKEN: "sbx:app",
    SUMSUB_SECRET: "request-secret",
    SUMSUB_WEBHOOK_SECRET: "webhook-secret",
  };
  processes = [1, 2].map(() =>
    composeRooms({
      config: readConfig(settings),
      log: pino({ level: "debug" }, { write: (line) => void logged.push(line) }),
      pools: { app: database.pool, vault: database.vaultPool },
      clock: systemClock,
      kycUrl: "http://127.0.0.1:9",
      maker: { order: async () => undefined, stateOf: async () => "ordered" },
    }),
  );
  const { merchants } = room(0);
  const callbackUrl = merchantServer.url;
  merchant = sure(await merchants.create({ name: "Acme", mode: "AUTHORIZATION", callbackUrl }, by));
  const { credential, apiSecret, webhookSecret } = sure(await merchants.createCredential(merchant, by));
  first = { credentialId: credential.credentialId, apiSecret, webhookSecret: webhookSecret ?? "" };
  await setCertificate("first certificate");
});
afterAll(async () => {
  await Promise.all(processes.map(({ callbacks }) => callbacks.stop()));
  await Promise.all(processes.map(({ kyc }) => kyc.close()));
  await merchantServer.close();
  await database.drop();
});

function room(index: number): Rooms {
  const rooms = processes[index];
  if (rooms === undefined) throw new Error(`there is no process ${index}`);
  return rooms;
}

function sure<Value>(result: { ok: true; value: Value } | { ok: false; reason: unknown }): Value {
  if (!result.ok) throw new Error(`refused: ${String(result.reason)}`);
  return result.value;
}

async function setCertificate(name: string): Promise<string> {
  const { merchantId } = merchant;
  const pair = await authority.issue({ name, usage: "client" });
  sure(await room(0).merchants.clientCertificates.set({ merchantId, ...pair }, by));
  return pair.privateKeyPem;
}

/** Each process asks the merchant once; what came to it, in the order of the processes. */
async function askOnce(): Promise<TlsRequest[]> {
  const requests: TlsRequest[] = [];
  for (const rooms of processes) {
    requests.push(await ask(rooms));
  }
  return requests;
}

/** On a machine that is busy with other tests a question may miss its 800 ms; then it is asked again. */
async function ask({ callbacks }: Rooms): Promise<TlsRequest> {
  const question = { ...merchant, consumeNo: "O1", dataText: '{"consume_no":"O1","amount":12.5}' };
  for (let tries = 0; tries < 30; tries += 1) {
    const { outcome } = await callbacks.askMerchant(question);
    const request = merchantServer.received.at(-1);
    if (outcome.kind === "approved" && request !== undefined) return request;
    await sleep(500);
  }
  throw new Error("the merchant cannot be asked");
}

/** By V1 with an API secret, or by Standard Webhooks with a webhook secret. */
function isSignedWith(request: TlsRequest, secret: { apiSecret: string } | { webhookSecret: string }): boolean {
  const header = (name: string): string => String(request.headers[name]);
  const nowMs = Date.now();
  if ("webhookSecret" in secret) {
    const { body } = request;
    const [id, timestamp, signatureHeader] = ["id", "timestamp", "signature"].map((part) => header(`webhook-${part}`));
    return verifyStandard({ id, timestamp, signatureHeader, body, secrets: [secret.webhookSecret], nowMs }).ok;
  }
  const split = splitCallbackBody(request.body.toString());
  if (!split.ok) throw new Error(split.reason);
  const { dataText } = split.value;
  const { appId } = merchant;
  const [timestamp, signature] = [header("timestamp"), header("signature")];
  return verifyV1({ appId, ...secret, timestamp, signature, dataText, nowMs }).ok;
}

test("another primary credential, a rotated webhook secret and another certificate are in force in every process after 5 s, and at no moment is a callback sent that a merchant who follows the steps cannot verify", async () => {
  const before = { apiSecret: first.apiSecret };
  for (const request of await askOnce()) {
    expect([isSignedWith(request, before), request.client]).toEqual([true, "first certificate"]);
    expect(isSignedWith(request, { webhookSecret: first.webhookSecret })).toBe(true);
  }
  // The steps of the document: the second credential exists, and the merchant accepts both, before it is made primary.
  const { merchants } = room(0);
  const { merchantId } = merchant;
  const made = sure(await merchants.createCredential({ merchantId }, by));
  const { credentialId } = made.credential;
  const after = { apiSecret: made.apiSecret };
  sure(await merchants.setPrimary({ merchantId, credentialId }, by));
  const rotated = sure(await merchants.webhookSecrets.rotate({ merchantId, overlapMs: 86_400_000, by }));
  const privateKeyPem = await setCertificate("second certificate");
  const changedAt = performance.now();

  let asked = 0;
  while (performance.now() - changedAt < inForceAfterMs) {
    for (const request of await askOnce()) {
      expect(isSignedWith(request, before) || isSignedWith(request, after)).toBe(true);
      // Within the overlap the previous secret signs whether or not the process knows the new one.
      expect(isSignedWith(request, { webhookSecret: first.webhookSecret })).toBe(true);
      asked += 1;
    }
    await sleep(100);
  }
  expect(asked).toBeGreaterThan(2);
  for (const request of await askOnce()) {
    expect([isSignedWith(request, after), isSignedWith(request, before)]).toEqual([true, false]);
    expect(isSignedWith(request, { webhookSecret: rotated.secret })).toBe(true);
    expect(isSignedWith(request, { webhookSecret: first.webhookSecret })).toBe(true);
    expect(request.client).toBe("second certificate");
  }
  sure(await merchants.deleteCredential({ merchantId, credentialId: first.credentialId }, by));
  while ((await merchants.clientCertificates.eraseEnded()) > 0);
  for (const request of await askOnce()) expect(isSignedWith(request, after)).toBe(true);

  const lines = logged.join("\n");
  for (const secret of [first.apiSecret, made.apiSecret, first.webhookSecret, rotated.secret]) {
    expect(lines).not.toContain(secret.slice(6));
  }
  expect(lines).not.toContain(privateKeyPem.split("\n")[1]);
});
