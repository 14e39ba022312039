import { Pool } from "undici";
import { type Result, refused } from "#kernel/index.ts";

export interface NetworkLineDeps {
  /** Where the network front listens, e.g. `http://127.0.0.1:8090`; asked when the first message is sent. */
  readonly networkUrl: () => string;
  readonly networkToken: string;
}

/** Why the network gave no answer to a message. */
export type LineRefusal =
  | { readonly kind: "too_many_messages" }
  /** No network front, or one that does not decide now. */
  | { readonly kind: "network_unavailable" }
  /** The front did not understand the message. `field` in the words of the network front. */
  | { readonly kind: "not_accepted"; readonly field: string; readonly message: string };

export type LineAnswer =
  | { readonly ok: true; readonly fields: Readonly<Record<string, unknown>>; readonly terminalMs: number }
  | { readonly ok: false; readonly reason: LineRefusal };

/** The card network's line to the platform: JSON over HTTP, as its messages really come. */
export interface NetworkLine {
  /** Does what ends in one message; refused when too many are being put together or under way. */
  occupy<Value, Reason>(
    work: () => Promise<Result<Value, Reason>>,
  ): Promise<Result<Value, Reason | { readonly kind: "too_many_messages" }>>;
  send(message: { readonly path: string; readonly body: object }): Promise<LineAnswer>;
  close(): Promise<void>;
}

const connectionsMax = 64;
const messagesInFlightMax = 512;
/** Far above the 800 ms of a merchant's answer: a terminal waits longer than anything that is worth waiting for. */
const answerTimeoutMs = 15_000;
const answerBytesMax = 16 * 1024;

export function createNetworkLine(deps: NetworkLineDeps): NetworkLine {
  let pool: Pool | null = null;
  let inFlight = 0;
  return {
    occupy: async (work) => {
      if (inFlight >= messagesInFlightMax) {
        return refused({ kind: "too_many_messages" });
      }
      inFlight += 1;
      try {
        return await work();
      } finally {
        inFlight -= 1;
      }
    },
    send: ({ path, body }) => {
      pool ??= new Pool(new URL(deps.networkUrl()).origin, {
        connections: connectionsMax,
        headersTimeout: answerTimeoutMs,
        bodyTimeout: answerTimeoutMs,
        maxResponseSize: answerBytesMax,
      });
      return exchange(pool, { token: deps.networkToken, path, body: JSON.stringify(body) });
    },
    close: async () => {
      await pool?.close();
    },
  };
}

async function exchange(
  network: Pool,
  message: { readonly token: string; readonly path: string; readonly body: string },
): Promise<LineAnswer> {
  const startedAt = performance.now();
  const answer = await post(network, message);
  const terminalMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
  if (answer === null || answer.status >= 500 || answer.status === 401) {
    return { ok: false, reason: { kind: "network_unavailable" } };
  }
  const fields = fieldsOf(answer.json);
  if (answer.status === 200) {
    return { ok: true, fields, terminalMs };
  }
  const error = fieldsOf(fields["error"]);
  return {
    ok: false,
    reason: { kind: "not_accepted", field: textOf(error["field"]), message: textOf(error["message"]) },
  };
}

/** Null when nobody answers, not in time, or not JSON. */
async function post(
  network: Pool,
  message: { readonly token: string; readonly path: string; readonly body: string },
): Promise<{ readonly status: number; readonly json: unknown } | null> {
  try {
    const { statusCode, body } = await network.request({
      method: "POST",
      path: message.path,
      headers: { authorization: `Bearer ${message.token}`, "content-type": "application/json" },
      body: message.body,
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    return { status: statusCode, json: await body.json() };
  } catch {
    return null;
  }
}

export const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === "object" && json !== null ? Object.fromEntries(Object.entries(json)) : {};

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
export const millisecondsOf = (value: unknown): number => (typeof value === "number" ? value : 0);
