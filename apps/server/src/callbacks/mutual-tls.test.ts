import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createAuthority, type TestAuthority, type TestCertificate } from "@cardwright/testing/certificates";
import { startTlsServer, type TlsServer, type TlsServerOptions, trustOnly } from "@cardwright/testing/tls-server";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type Connections, createConnections } from "./connections.ts";
import { type Exchange, startExchange } from "./exchange.ts";
import type { CallbackTarget, ClientIdentity } from "./ports.ts";

let authority: TestAuthority;
let serverCertificate: TestCertificate;
let open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  authority = await createAuthority();
  serverCertificate = await authority.issue({ usage: "server" });
});
afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  open = [];
});

async function serve(options: Partial<TlsServerOptions> = {}): Promise<TlsServer> {
  const server = await startTlsServer({ certificate: serverCertificate, ...options });
  open.push(server);
  return server;
}

function connect(trusted: readonly TestAuthority[] = [authority]): Connections {
  trustOnly(trusted);
  const connections = createConnections({ allowPrivateAddresses: true });
  open.push(connections);
  return connections;
}

async function identity(name: string, issuer: TestAuthority = authority): Promise<ClientIdentity> {
  return { certificateId: randomUUID(), ...(await issuer.issue({ name, usage: "client" })) };
}

async function post(
  connections: Connections,
  target: Pick<CallbackTarget, "url" | "clientIdentity">,
  merchantId = 1,
): Promise<Exchange> {
  const connection = connections.to({ merchantId, target });
  if (!connection.ok) throw new Error(connection.reason);
  const request = { headers: [], body: '{"id":"1","data":{}}', deadlineMs: 20_000, lateMs: 0, answerBytesMax: 1_000 };
  const exchange = await startExchange(connection.value, request).outcome;
  // A connection takes the next request when this turn of the event loop is over.
  await nextTurn();
  return exchange;
}

const clientsOf = ({ received }: TlsServer): string[] => received.map(({ client }) => client);
const answered = { end: "answered", httpStatus: 200 };

test("a server that demands a client certificate gets the merchant's own, over one connection that is kept", async () => {
  const merchant = await serve({ clientAuthority: authority });
  const connections = connect();
  const clientIdentity = await identity("acme");
  for (let i = 0; i < 3; i += 1) {
    expect(await post(connections, { url: merchant.url, clientIdentity })).toMatchObject(answered);
  }
  expect(clientsOf(merchant)).toEqual(["acme", "acme", "acme"]);
  expect(merchant.agreed()).toBe(1);
});

test("without a certificate, or with one of another authority, such a server is not reached", async () => {
  const merchant = await serve({ clientAuthority: authority });
  const connections = connect();
  const stranger = await identity("stranger", await createAuthority("Another authority"));
  expect((await post(connections, { url: merchant.url })).end).not.toBe("answered");
  expect((await post(connections, { url: merchant.url, clientIdentity: stranger })).end).not.toBe("answered");
  expect(clientsOf(merchant)).toEqual([]);
});

test("a server whose certificate is of an authority that we do not trust gets no byte of a callback", async () => {
  const merchant = await serve();
  const another = await createAuthority("Another authority");
  for (const trusted of [[another], []]) {
    const exchange = await post(connect(trusted), { url: merchant.url });
    expect(exchange).toMatchObject({ end: "unreachable", httpStatus: null, timings: { connectMs: null } });
    expect(exchange.error).toMatch(/^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/u);
  }
  expect(clientsOf(merchant)).toEqual([]);
});

test("a certificate for another host, an expired one and one for clients are refused", async () => {
  const yesterday = Date.now() - 86_400_000;
  const wrong = [
    { usage: "server", host: "merchant.example" },
    { usage: "server", validFromMs: yesterday - 1_000, validToMs: yesterday },
    { usage: "client" },
  ] as const;
  const ends: string[] = [];
  for (const wanted of wrong) {
    const merchant = await serve({ certificate: await authority.issue(wanted) });
    const exchange = await post(connect(), { url: merchant.url });
    ends.push(`${exchange.end} ${exchange.error}`);
    expect(clientsOf(merchant)).toEqual([]);
  }
  expect(ends).toEqual([
    "unreachable ERR_TLS_CERT_ALTNAME_INVALID",
    "unreachable CERT_HAS_EXPIRED",
    "unreachable INVALID_PURPOSE",
  ]);
});

test("two merchants on one server are told apart by their certificates, also when one has none", async () => {
  const merchant = await serve();
  const asking = await serve({ clientAuthority: authority });
  const connections = connect();
  const [one, two] = [await identity("one"), await identity("two")];
  await post(connections, { url: asking.url, clientIdentity: one }, 1);
  await post(connections, { url: asking.url, clientIdentity: two }, 2);
  await post(connections, { url: asking.url, clientIdentity: one }, 1);
  expect(clientsOf(asking)).toEqual(["one", "two", "one"]);
  expect((await post(connections, { url: asking.url }, 3)).end).not.toBe("answered");
  expect(await post(connections, { url: merchant.url }, 3)).toMatchObject(answered);
});

test("another certificate is used for the next request, and the one under way ends as it began", async () => {
  const merchant = await serve({ clientAuthority: authority, waits: true });
  const connections = connect();
  const [before, after] = [await identity("before"), await identity("after")];
  const underWay = post(connections, { url: merchant.url, clientIdentity: before });
  await expect.poll(() => clientsOf(merchant), { timeout: 10_000 }).toEqual(["before"]);
  const next = post(connections, { url: merchant.url, clientIdentity: after });
  await expect.poll(() => clientsOf(merchant), { timeout: 10_000 }).toEqual(["before", "after"]);
  merchant.release();
  expect(await Promise.all([underWay, next])).toMatchObject([answered, answered]);
});

test("a certificate that was taken away is not shown any more", async () => {
  const asking = await serve({ clientAuthority: authority });
  const connections = connect();
  const clientIdentity = await identity("gone");
  expect(await post(connections, { url: asking.url, clientIdentity })).toMatchObject(answered);
  expect((await post(connections, { url: asking.url })).end).not.toBe("answered");
  expect(clientsOf(asking)).toEqual(["gone"]);
});

test("a server that does not speak TLS gets nothing", async () => {
  const plain = createServer((_request, response) => void response.end());
  await new Promise<void>((resolve) => {
    plain.listen(0, "127.0.0.1", resolve);
  });
  const { port } = plain.address() as AddressInfo;
  expect(await post(connect(), { url: `https://127.0.0.1:${port}/` })).toMatchObject({ end: "unreachable" });
  plain.closeAllConnections();
  await new Promise((resolve) => plain.close(resolve));
});
