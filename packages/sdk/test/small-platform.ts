import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { Cardwright, type CardwrightOptions } from "../src/index.ts";
import { listening } from "./servers.ts";

export interface SeenCall {
  /** `GET /merchant/token`, below the prefix of the Open API. */
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; anything else as JSON. */
  readonly body?: unknown;
}

export interface SmallPlatform {
  readonly calls: SeenCall[];
  /** Calls but those for tokens. */
  readonly made: () => SeenCall[];
  readonly tokens: () => number;
  /** What its clock is ahead of this machine's. */
  aheadMs: number;
  /** Whether its answers have a `Date`. */
  hasDate: boolean;
  /** Tokens it has ended. */
  readonly ended: Set<string>;
  readonly clientOf: (options?: Partial<CardwrightOptions>) => Cardwright;
  readonly close: () => Promise<void>;
}

export const success = (data: unknown): Answer => ({ body: { code: 0, msg: "Success", data } });
export const refusal = (code: number, msg: string, answer: Answer = {}): Answer => ({ body: { code, msg }, ...answer });

/**
 * A real HTTP server with the platform's rules for tokens and for time: a `Timestamp` is never in the future and at most 60 s old.
 * What passes is answered by `answer`; "hang" is silence, "break" a connection that is cut.
 */
export async function startSmallPlatform(
  answer: (seen: SeenCall, count: number) => Answer | "hang" | "break",
): Promise<SmallPlatform> {
  const calls: SeenCall[] = [];
  let tokens = 0;
  const nowMs = (): number => Date.now() + platform.aheadMs;
  const respond = (seen: SeenCall): Answer | "hang" | "break" => {
    if (seen.call === "GET /merchant/token") {
      tokens += 1;
      return success({ access_token: `token-${tokens}`, expired_time: nowMs() + 86_400_000 });
    }
    const ageMs = nowMs() - Number(seen.headers["timestamp"]);
    if (!(ageMs >= 0 && ageMs <= 60_000)) return refusal(1005, "timestamp invalid or expired");
    const token = seen.headers["access-token"];
    if (typeof token !== "string" || platform.ended.has(token)) {
      return refusal(1007, "Access-Token invalid or expired");
    }
    return answer(seen, platform.made().filter(({ call }) => call === seen.call).length);
  };
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await text(incoming);
      const call = `${incoming.method} ${incoming.url?.replace("/open-api/v1", "")}`;
      const seen: SeenCall = { call, headers: incoming.headers, body };
      calls.push(seen);
      const given = respond(seen);
      if (given === "hang") return;
      if (given === "break") {
        incoming.socket.destroy();
        return;
      }
      outgoing.sendDate = false;
      const date = platform.hasDate ? { Date: new Date(nowMs()).toUTCString() } : {};
      outgoing.writeHead(given.status ?? 200, { "Content-Type": "application/json", ...date, ...given.headers });
      outgoing.end(typeof given.body === "string" ? given.body : JSON.stringify(given.body));
    })();
  });
  const endpoint = await listening(server);
  const baseUrl = new URL(endpoint.url).origin;
  const platform: SmallPlatform = {
    calls,
    made: () => calls.filter(({ call }) => call !== "GET /merchant/token"),
    tokens: () => tokens,
    aheadMs: 0,
    hasDate: true,
    ended: new Set(),
    clientOf: (options) =>
      new Cardwright({ baseUrl, apiKey: "key-of-the-test", apiSecret: "s".repeat(32), timeoutMs: 5_000, ...options }),
    close: endpoint.close,
  };
  return platform;
}
