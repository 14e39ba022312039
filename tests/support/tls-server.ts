import type { IncomingHttpHeaders } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import type { TestAuthority, TestCertificate } from "./certificates.ts";

/** A merchant's server that speaks TLS on a free port of 127.0.0.1, and what came to it. */
export interface TlsServer {
  readonly url: string;
  readonly received: TlsRequest[];
  /** Connections over which TLS was agreed. */
  agreed(): number;
  /** Answers the requests that wait, when it was started with `waits`. */
  release(): void;
  close(): Promise<void>;
}

export interface TlsRequest {
  /** The common name of the client's certificate; empty without one. */
  readonly client: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TlsServerOptions {
  readonly certificate: TestCertificate;
  /** Asks every client for a certificate of this authority, and ends connections without. */
  readonly clientAuthority?: TestAuthority;
  /** Answers only when released. */
  readonly waits?: boolean;
}

/** From now on this process trusts these authorities and no other, like a machine whose store was changed; none: the public ones. */
export function trustOnly(authorities: readonly TestAuthority[]): void {
  const own = authorities.map((authority) => authority.certificatePem);
  setDefaultCACertificates(own.length === 0 ? getCACertificates("bundled") : own);
}

export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { certificate, clientAuthority, waits = false } = options;
  const received: TlsRequest[] = [];
  let agreed = 0;
  let waiting: (() => void)[] = [];
  const demand =
    clientAuthority === undefined
      ? {}
      : { ca: clientAuthority.certificatePem, requestCert: true, rejectUnauthorized: true };
  const server = createServer(
    { cert: certificate.certificatePem, key: certificate.privateKeyPem, ...demand },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const client = commonName(request.socket as TLSSocket);
        received.push({ client, headers: request.headers, body: Buffer.concat(chunks) });
        const answer = (): void => void response.end('{"code":0,"message":""}');
        if (waits) waiting.push(answer);
        else answer();
      });
    },
  );
  server.on("secureConnection", () => {
    agreed += 1;
  });
  return {
    url: `https://127.0.0.1:${await listen(server)}/callback`,
    received,
    agreed: () => agreed,
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

/** A connection without a certificate has an empty one. */
function commonName(socket: TLSSocket): string {
  const subject: { readonly CN?: string | string[] } | undefined = socket.getPeerCertificate().subject;
  return String(subject?.CN ?? "");
}
