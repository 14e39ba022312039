import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { Sql } from "./transaction.ts";

/** Between two tries to listen again after the connection broke. */
const againMs = 1_000;

export interface ListenOptions {
  /** Its connection is used for nothing else: while it listens, nobody else gets it. */
  readonly pool: Pool;
  /** 63 bytes at most. */
  readonly channel: string;
  readonly onNotice: (text: string) => void;
  /** From now on everything is heard. What was told before, also while the connection was broken, is lost. */
  readonly onListening: () => void;
  /** The connection broke or could not be made; it is tried again after a second. */
  readonly onError: (error: unknown) => void;
}

export interface Listening {
  stop(): Promise<void>;
}

/**
 * Hears what processes on the same database tell each other (Postgres' LISTEN). A broken connection makes it deaf for a while, and a
 * pooler between process and database may for ever: nothing may depend on a notice but being early.
 */
export function listen(options: ListenOptions): Listening {
  const over = new AbortController();
  const loop = listenUntil(over.signal, options);
  return {
    stop: async () => {
      over.abort();
      await loop;
    },
  };
}

/** Heard when the transaction has been committed, by every process that listens. `text`: 8,000 bytes at most. */
export async function tell(
  sql: Sql,
  { channel, text }: { readonly channel: string; readonly text: string },
): Promise<void> {
  await sql.query("SELECT pg_notify($1, $2)", [channel, text]);
}

async function listenUntil(over: AbortSignal, options: ListenOptions): Promise<void> {
  while (!over.aborted) {
    try {
      await hear(over, options);
    } catch (error) {
      if (over.aborted) return;
      options.onError(error);
      await sleep(againMs, undefined, { signal: over }).catch(() => undefined);
    }
  }
}

async function hear(over: AbortSignal, { pool, channel, onNotice, onListening }: ListenOptions): Promise<void> {
  const client = await pool.connect();
  const end = Promise.withResolvers<Error | null>();
  const stop = (): void => end.resolve(null);
  over.addEventListener("abort", stop);
  client.on("error", end.resolve);
  client.on("notification", ({ payload = "" }) => onNotice(payload));
  try {
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    onListening();
    if (over.aborted) return;
    const error = await end.promise;
    if (error !== null) throw error;
  } finally {
    over.removeEventListener("abort", stop);
    // Not back into the pool: it would go on listening there.
    client.release(true);
  }
}
