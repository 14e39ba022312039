import { connect, isIP, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, type SecureContext } from "node:tls";
import { limits } from "../limits.ts";
import type { Envelope } from "./message.ts";

export interface Cutting {
  readonly bytesOfBody: number;
  readonly signal: AbortSignal;
}

interface Destination {
  readonly url: string;
  readonly trust: SecureContext;
}

/**
 * Sends the first bytes of a request, or all of them, and drops the connection without reading an answer, as a network fault
 * would. Resolves once the connection is gone; never rejects, since a connection that fails is gone as well.
 */
export async function cutRequest(
  { url, trust }: Destination,
  envelope: Envelope,
  { bytesOfBody, signal }: Cutting,
): Promise<void> {
  const socket = dial(new URL(url), trust);
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await written(socket, Buffer.concat([headOf(url, envelope), envelope.body.subarray(0, bytesOfBody)]));
    // What was written is on its way before the connection drops.
    await sleep(limits.packetGapMs);
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

function dial({ protocol, hostname, port }: URL, secureContext: SecureContext): Socket {
  const host = hostname.replace(/^\[|\]$/gu, "");
  return protocol === "https:"
    ? connectTls({
        host,
        port: Number(port || 443),
        servername: isIP(host) === 0 ? host : "",
        timeout: limits.connectMs,
        secureContext,
      })
    : connect({ host, port: Number(port || 80), timeout: limits.connectMs });
}

function headOf(url: string, { headers, body }: Envelope): Buffer {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ Host: host, ...headers, "Content-Length": String(body.length) });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${pathname}${search} HTTP/1.1\r\n${text}\r\n`);
}

async function written(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
    socket.once("timeout", () => resolve());
    socket.write(bytes, () => resolve());
  });
}
