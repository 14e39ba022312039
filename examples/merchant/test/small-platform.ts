import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { createCallbacks, type SignedCallback } from "@cardwright/sdk";

export interface SeenCall {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** What a call is answered: the envelope's data, or a refusal, or bytes of any kind, or nothing at all. */
export type Answer = { data: unknown } | { code: number; msg: string } | { raw: string } | "hang";

/** What its clock always shows. */
const clockMs = 1_716_307_200_000;

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
    outgoing.setHeader("Date", new Date(clockMs).toUTCString());
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

/** A callback as the platform sends it; `data` is written as it will be signed. */
export async function signedCallback(push: {
  id: string;
  action: string;
  data: Record<string, unknown>;
  nowMs: number;
}): Promise<SignedCallback> {
  const { id, action, data, nowMs } = push;
  const callbacks = createCallbacks(credentials);
  return await callbacks.sign({ id, action, dataText: JSON.stringify(data), timestampMs: nowMs });
}

/** `data` of a purchase as `Auth` or `Consumption` carries it; what is not told is that of a coffee. */
export function purchaseData(action: string, told: Record<string, unknown>): Record<string, unknown> {
  const { consume_relate_no = "", fee = 0, remark = "", ...rest } = told;
  const both = {
    consume_no: "O1",
    card_no: "C1",
    cardholder_no: "U1",
    type: "Consumption",
    amount: 40,
    local_amount: 40,
    local_currency: "USD",
    merchant_info: { country: "US", merchant_mcc: "5814", city: "New York", merchant_name: "Coffee & Co" },
    status: "Pending",
    time: 1_716_307_200_000,
    ...rest,
  };
  return action === "Auth" ? both : { ...both, consume_relate_no, fee, remark, detail: "", fee_detail: [] };
}
