/**
 * The card network in a process of its own: sends purchases to the platform's HTTP front and measures what comes back.
 * Arguments: database URL (only to learn the cards), URL of the front, its token. Then one command a message.
 */
import { Pool } from "undici";
import { openLoop } from "./open-loop.ts";
import { programmeCards } from "./programme.ts";
import { purchaseSource } from "./purchases.ts";
import { closedLoop } from "./slices.ts";

/** A closed loop of so many callers, or an open one of so many arrivals per second. */
export type NetworkCommand =
  | { readonly kind: "closed"; readonly inFlight: number; readonly seconds: number }
  | { readonly kind: "open"; readonly rate: number; readonly seconds: number };

export interface NetworkReport {
  readonly count: number;
  readonly seconds: number;
  /** Milliseconds, as the network sees it. */
  readonly latencies: readonly number[];
  readonly failures: readonly string[];
}

export function isNetworkReport(value: unknown): value is NetworkReport {
  return typeof value === "object" && value !== null && "latencies" in value && Array.isArray(value.latencies);
}

const cardsMax = 10_000;
const connections = 128;

async function main(databaseUrl: string, frontUrl: string, token: string): Promise<void> {
  const url = new URL(frontUrl);
  const pool = new Pool(url.origin, { connections, pipelining: 1 });
  const next = purchaseSource(await programmeCards(databaseUrl, cardsMax), { seed: 5, reference: "network" });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const buy = async (): Promise<void> => {
    const { networkReference, pan, kind, amount, currency, acceptor } = next();
    const message = {
      network_reference: networkReference,
      pan,
      kind,
      amount: `${amount / 100n}.${String(amount % 100n).padStart(2, "0")}`,
      currency,
      merchant: acceptor,
    };
    const { statusCode, body } = await pool.request({
      path: url.pathname,
      method: "POST",
      headers,
      body: JSON.stringify(message),
    });
    const text = await body.text();
    if (statusCode !== 200 || !text.includes('"approved":true')) {
      const reason = /"(?:reason|code)":"(\w*)"/u.exec(text)?.[1] ?? "";
      throw new Error(`the front answered ${statusCode} ${reason}`);
    }
  };
  // One command at a time: the parent waits for each report.
  process.on("message", (command: NetworkCommand) => {
    void run(command, buy).then((report) => process.send?.(report));
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ count: 0, seconds: 0, latencies: [], failures: [] } satisfies NetworkReport);
}

async function run(command: NetworkCommand, buy: () => Promise<void>): Promise<NetworkReport> {
  const { signal } = new AbortController();
  const { seconds } = command;
  if (command.kind === "open") {
    const { latencies, failures } = await openLoop({ rate: command.rate, seconds, seed: 11 }, { once: buy, signal });
    return { count: latencies.length, seconds, latencies, failures };
  }
  const latencies: number[] = [];
  const failures = new Set<string>();
  const once = async (): Promise<void> => {
    const startedMs = performance.now();
    try {
      await buy();
      latencies.push(performance.now() - startedMs);
    } catch (error) {
      failures.add(error instanceof Error ? error.message : String(error));
    }
  };
  const slice = await closedLoop({ inFlight: command.inFlight, seconds, signal, once });
  return { count: latencies.length, seconds: slice.seconds, latencies, failures: [...failures] };
}

if (import.meta.main) {
  await main(process.argv[2] ?? "", process.argv[3] ?? "", process.argv[4] ?? "");
}
