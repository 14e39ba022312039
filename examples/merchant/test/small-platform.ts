import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { signatureV1 } from "../src/callback-signature.ts";
import { rawMembers } from "../src/raw-json.ts";

export interface SeenCall {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** What a call is answered: the envelope's data, or a refusal, or bytes of any kind, or nothing at all. */
export type Answer = { data: unknown } | { code: number; msg: string } | { raw: string } | "hang";

/** A real HTTP server that speaks the envelope; `answer` decides, `calls` is what came in. */
export async function startSmallPlatform(answer: (seen: SeenCall) => Answer) {
  const calls: SeenCall[] = [];
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const raw = await text(incoming);
    const call = `${incoming.method} ${incoming.url?.replace("/open-api/v1", "")}`;
    const body: unknown = JSON.parse(raw === "" ? "{}" : raw);
    const seen = { call, headers: incoming.headers, body: Object.fromEntries(Object.entries(body ?? {})) };
    calls.push(seen);
    const answered = answer(seen);
    if (answered === "hang") return;
    outgoing.setHeader("Content-Type", "application/json");
    if ("raw" in answered) outgoing.end(answered.raw);
    else outgoing.end(JSON.stringify("data" in answered ? { code: 0, msg: "Success", ...answered } : answered));
  };
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${address.port}`, calls, close };
}

export const credentials = { appId: "app_demo", apiSecret: "secret_demo" };

/** A callback as the platform sends it: headers and body. `data` is written as it will be signed. */
export function signedCallback(push: { id: string; action: string; data: Record<string, unknown>; nowMs: number }) {
  const data = JSON.stringify(push.data);
  const timestamp = String(push.nowMs);
  const members = rawMembers(data);
  if (members === undefined) throw new Error("data is not an object");
  const headers: Record<string, string> = {
    timestamp,
    signature: signatureV1({ data: members, timestamp, ...credentials }),
    "sign-version": "V1",
  };
  return {
    headers,
    body: Buffer.from(`{"id":${JSON.stringify(push.id)},"action":${JSON.stringify(push.action)},"data":${data}}`),
  };
}
