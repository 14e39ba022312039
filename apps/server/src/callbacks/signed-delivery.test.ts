import { splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import { createAuthority } from "@cardwright/testing/certificates";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { startTlsServer, type TlsRequest, type TlsServer, trustOnly } from "@cardwright/testing/tls-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import type { CallbackTarget } from "./ports.ts";
import { apiSecret, appId, insertPushes, movableClock, roomOptions, targetAt } from "./room.testing.ts";

const secrets = ["c", "p"].map((letter) => `whsec_${Buffer.from(letter.repeat(32)).toString("base64")}`);
/** Business time; the machine's is years behind it, as in a sandbox that was moved. */
const clock = movableClock();
const machineMs = Date.UTC(2024, 0, 31, 12) + 345;
let database: TestDatabase;
let merchant: TlsServer;
let callbacks: Callbacks;
let target: CallbackTarget;

beforeAll(async () => {
  database = await createTestDatabase();
  const authority = await createAuthority();
  trustOnly([authority]);
  const certificate = await authority.issue({ usage: "server" });
  merchant = await startTlsServer({ certificate, clientAuthority: authority });
  const clientIdentity = { certificateId: "1", ...(await authority.issue({ name: "cardwright", usage: "client" })) };
  target = { ...targetAt(merchant.url), webhookSecrets: secrets, clientIdentity };
  const ports = { clock, transportClock: { now: () => machineMs }, target: () => target };
  callbacks = createCallbacks(roomOptions(database, ports));
});
afterAll(async () => {
  await callbacks.stop();
  await merchant.close();
  await database.drop();
});

function headerOf({ headers }: TlsRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join() : value;
}

/** What of a callback's own signatures is not good, from the bytes that came. */
function faults(request: TlsRequest): string[] {
  const body = splitCallbackBody(new TextDecoder("utf-8", { fatal: true }).decode(request.body));
  if (!body.ok) return [body.reason];
  const v1 = verifyV1({
    appId,
    apiSecret,
    timestamp: headerOf(request, "timestamp"),
    signature: headerOf(request, "signature"),
    dataText: body.value.dataText,
    nowMs: machineMs,
  });
  const standard = secrets.map((secret) =>
    verifyStandard({
      id: headerOf(request, "webhook-id"),
      timestamp: headerOf(request, "webhook-timestamp"),
      signatureHeader: headerOf(request, "webhook-signature"),
      body: request.body,
      secrets: [secret],
      nowMs: machineMs,
    }),
  );
  const sameId = headerOf(request, "webhook-id") === body.value.id ? [] : ["another id"];
  return [...[v1, ...standard].flatMap((each) => (each.ok ? [] : [each.reason])), ...sameId];
}

test("a question and a push both carry both signatures, by the machine's clock, over a connection that shows our certificate", async () => {
  const question = { merchantId: 1, consumeNo: "O1", dataText: '{"consume_no":"O1","name":"Café ☕ & more"}' };
  // On a machine that is busy with other tests a question may miss its 800 ms; then it is asked again.
  await expect
    .poll(async () => (await callbacks.askMerchant(question)).outcome.kind, { timeout: 20_000 })
    .toBe("approved");
  const push = { merchantId: 1, cardNo: "C1", sequence: 1, nowMs: clock.now() };
  const [callbackId] = await insertPushes(database, [push]);
  callbacks.delivery.start();
  const pushedRequest = () => merchant.received.find(({ headers }) => headers["sequence"] !== undefined);
  await expect.poll(pushedRequest, { timeout: 20_000 }).toBeDefined();
  const [asked, pushed] = [merchant.received[0], pushedRequest()];
  for (const request of merchant.received) {
    expect(faults(request)).toEqual([]);
    expect(request.client).toBe("cardwright");
  }
  expect(pushed?.headers).toMatchObject({ "webhook-id": callbackId, sequence: "1", attempt: "1" });
  expect(asked?.headers).toMatchObject({
    timestamp: String(machineMs),
    "webhook-timestamp": String((machineMs - 345) / 1000),
    "sign-version": "V1",
    "deadline-ms": "800",
  });
});
