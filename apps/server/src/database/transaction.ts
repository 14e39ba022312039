import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { errorCode, isCollision, isUnavailable } from "./errors.ts";

/** Something statements can be sent to: a pool, or the connection of a running transaction. */
export interface Sql {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export type Isolation = "READ COMMITTED" | "REPEATABLE READ" | "SERIALIZABLE";

export interface TransactionOptions<Outcome> {
  /** Times the whole of `work` is run again after a collision (40001, 40P01); 0 to 5, 5 when absent. */
  readonly retries?: number;
  /** READ COMMITTED when absent. */
  readonly isolation?: Isolation;
  /**
   * Every statement finds its rows by an index, one by one, and keeps the plan that is made for it first. For tables that fill or empty faster
   * than Postgres counts them: a plan for the few rows of the last count, with others there now, can take a thousand times as long. Where more
   * than one index would do, the statement must leave one way only.
   */
  readonly planned?: "by_index";
  /** Decides from the outcome whether to commit; otherwise everything is rolled back and the outcome still returned. */
  readonly commitWhen?: (outcome: Outcome) => boolean;
}

const byIndex = ["seqscan", "bitmapscan", "hashjoin", "mergejoin"]
  .map((way) => `SET LOCAL enable_${way} = off`)
  .concat("SET LOCAL plan_cache_mode = force_generic_plan")
  .join("; ");

const retriesMax = 5;
/** The first wait is up to 10 ms, then doubles: 10, 20, 40, 80, 160. */
const firstWaitMsMax = 10;

/**
 * Runs `work` in one transaction and returns its outcome. What `work` throws rolls the transaction back and is thrown on.
 * After a collision the whole of `work` runs again with other timing, so it must have no effect outside the database.
 * A connection that broke, or whose ROLLBACK failed, is thrown away instead of going back to the pool.
 */
export async function inTransaction<Outcome>(
  pool: pg.Pool,
  work: (sql: Sql) => Promise<Outcome>,
  options: TransactionOptions<Outcome> = {},
): Promise<Outcome> {
  const retries = Math.min(options.retries ?? retriesMax, retriesMax);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await runOnce(pool, work, options);
    } catch (error) {
      if (attempt >= retries || !isCollision(error)) {
        throw error;
      }
      await sleep(Math.random() * firstWaitMsMax * 2 ** attempt);
    }
  }
}

async function runOnce<Outcome>(
  pool: pg.Pool,
  work: (sql: Sql) => Promise<Outcome>,
  options: TransactionOptions<Outcome>,
): Promise<Outcome> {
  const client = await pool.connect();
  let broken = false;
  // A connection that breaks between two statements reports it as an event; unheard, it would end the process.
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    const begin = `BEGIN ISOLATION LEVEL ${options.isolation ?? "READ COMMITTED"}`;
    await client.query(options.planned === "by_index" ? `${begin}; ${byIndex}` : begin);
    const outcome = await work(client);
    const keep = options.commitWhen?.(outcome) ?? true;
    const ended = await client.query(keep ? "COMMIT" : "ROLLBACK");
    if (keep && ended.command !== "COMMIT") {
      // Postgres answers COMMIT of a failed transaction with ROLLBACK: `work` swallowed the error of a statement.
      throw new Error("a statement of the transaction failed and its error was swallowed; nothing was committed");
    }
    return outcome;
  } catch (error) {
    broken ||= isUnavailable(error) || errorCode(error) === "25P03" || !(await rolledBack(client));
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("ROLLBACK");
    return true;
  } catch {
    return false;
  }
}
