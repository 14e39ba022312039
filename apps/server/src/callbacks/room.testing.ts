import type { TestDatabase } from "@cardwright/testing/database";
import type { Clock } from "#kernel/index.ts";
import { uuid7 } from "#kernel/index.ts";
import type { CallbackOptions } from "./callbacks.ts";
import type { CallbackTarget } from "./ports.ts";

/** A clock that only moves when a test says so. */
export interface MovableClock extends Clock {
  advance(ms: number): void;
}

export function movableClock(startMs: number = Date.UTC(2026, 4, 22)): MovableClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export const appId = "app_demo";
export const apiSecret = "0123456789abcdefghijABCDEFGHIJ01";

export function targetAt(url: string): CallbackTarget {
  return { url, appId, apiSecret };
}

export const quietLog = { warn: (): void => {}, error: (): void => {} };

/** The ports of the room with a fixed jitter of nothing, so that waits are exactly those of the contract. */
export function roomOptions(
  database: TestDatabase,
  ports: Pick<CallbackOptions, "clock" | "target"> & Partial<CallbackOptions>,
): CallbackOptions {
  return { pool: database.pool, log: quietLog, allowPrivateAddresses: true, random: () => 0.5, ...ports };
}

/** Before each test of a file that shares a database. */
export async function emptyRoom({ pool }: TestDatabase): Promise<void> {
  for (const table of [
    "callback_outbox",
    "callback",
    "callback_history",
    "callback_attempt",
    "callback_endpoint",
    "merchant_event",
  ]) {
    await pool.query(`DELETE FROM ${table}`);
  }
}

export interface NewPush {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly sequence: number;
  readonly nowMs: number;
}

/** Writes pushes to the outbox, as one batch of decisions does, and returns their ids in the same order. */
export async function insertPushes(database: TestDatabase, pushes: readonly NewPush[]): Promise<string[]> {
  const ids = pushes.map((push) => uuid7(push.nowMs));
  await database.pool.query(
    `INSERT INTO callback_outbox (callbacks, size)
     SELECT array_agg(ROW(m, i, c, s, 'Card_update', '', format('{"card_no":"%s","sequence":%s,"reason":"café ☕ & more"}', c, s), t,
       t, NULL)::outgoing_callback), count(*)
     FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[]) AS p (m, i, c, s, t)`,
    [
      pushes.map((push) => push.merchantId),
      ids,
      pushes.map((push) => push.cardNo),
      pushes.map((push) => push.sequence),
      pushes.map((push) => push.nowMs),
    ],
  );
  return ids;
}
