import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TestAuthority, TestCertificate } from "@cardwright/testing/certificates";

/** A merchant's server that speaks TLS; what it saw of who connects. */
export interface TlsServer {
  readonly url: string;
  readonly port: number;
  /** The common name of the client's certificate of each request; empty without one. */
  readonly clients: string[];
  /** Connections over which TLS was agreed, and those that failed. */
  readonly connections: { agreed: number; failed: number };
  /** Answers the requests that wait, when it was started with `waits`. */
  release(): void;
  close(): Promise<void>;
}

export interface TlsServerOptions {
  readonly certificate: TestCertificate;
  /** Asks every client for a certificate of this authority, and ends connections without. */
  readonly clientAuthority?: TestAuthority;
  /** Answers only when released. */
  readonly waits?: boolean;
}

export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { certificate, clientAuthority, waits = false } = options;
  const clients: string[] = [];
  const connections = { agreed: 0, failed: 0 };
  let waiting: (() => void)[] = [];
  const server = createServer(
    {
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      ...(clientAuthority !== undefined && {
        ca: clientAuthority.certificatePem,
        requestCert: true,
        rejectUnauthorized: true,
      }),
    },
    (request, response) => {
      clients.push(commonName(request.socket as TLSSocket));
      request.resume();
      const answer = (): void => void response.end('{"code":0,"message":""}');
      if (waits) waiting.push(answer);
      else answer();
    },
  );
  server.on("secureConnection", () => {
    connections.agreed += 1;
  });
  server.on("tlsClientError", () => {
    connections.failed += 1;
  });
  const port = await listen(server);
  return {
    url: `https://127.0.0.1:${port}/callback`,
    port,
    clients,
    connections,
    release: () => {
      for (const answer of waiting) answer();
      waiting = [];
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

function commonName(socket: TLSSocket): string {
  const name = socket.getPeerCertificate().subject?.CN ?? "";
  return typeof name === "string" ? name : name.join();
}
