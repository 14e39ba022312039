import { type CustomTypesConfig, Pool, types } from "pg";

/** The roles the platform works as; each connection switches to one of them before its first statement. */
export type DatabaseRole = "cardwright_app" | "cardwright_vault";

export interface PoolOptions {
  readonly url: string;
  /** Absent only for migrations and administration: then the connection keeps the rights of the user in the URL. */
  readonly role?: DatabaseRole;
  /** Connections at most. 8 was the best number for one process on 2 cores. */
  readonly max: number;
  /** Shown in pg_stat_activity, so that an operator sees which process holds what. */
  readonly applicationName: string;
  /** The server ends a statement that runs longer. */
  readonly statementTimeoutMs: number;
  /** Told when an idle connection breaks; by default one line without any SQL goes to stderr. */
  readonly onConnectionError?: (error: Error) => void;
}

/** How long a caller waits for a connection, new or from the pool; the bound of the pool's waiting line. */
const connectionTimeoutMs = 5_000;
/** A transaction that its process forgot is ended, so that its row locks cannot stop everybody else. */
const idleInTransactionTimeoutMs = 30_000;

/** `pg_type.oid` of int8 and of int8[]. */
const int8Oid = 20;
const int8ArrayOid = 1016;

type TypeParser = (value: string) => unknown;

/** `pg` hands int8 over as text because a JavaScript number cannot hold it; money needs the exact bigint. */
const parseInt8: TypeParser = (value) => BigInt(value);
/** One-dimensional, as Postgres writes it: `{1,NULL,-3}`. */
const parseInt8Array: TypeParser = (value) =>
  value === "{}"
    ? []
    : value
        .slice(1, -1)
        .split(",")
        .map((item) => (item === "NULL" ? null : BigInt(item)));

/**
 * Column types as the rooms see them: int8 and int8[] are bigint (stores convert times with `Number`), everything else as
 * `pg` has it; note that `sum(int8)` is numeric, hence a string, unless cast back. Set per pool, never process-wide.
 */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (type, format) => {
    const oid: number = type;
    if (format !== "binary" && oid === int8Oid) {
      return parseInt8;
    }
    if (format !== "binary" && oid === int8ArrayOid) {
      return parseInt8Array;
    }
    return types.getTypeParser(type, format);
  },
};

/**
 * The URL with `-c role=…` added to its own start-up options. Set at start-up, the role is in force before the first
 * statement and comes back by itself after RESET ALL, at no round trip.
 */
export function withRole(url: string, role: DatabaseRole): string {
  const parsed = new URL(url);
  const own = parsed.searchParams.get("options");
  parsed.searchParams.set("options", own === null || own === "" ? `-c role=${role}` : `${own} -c role=${role}`);
  return parsed.href;
}

function warnOnStderr(error: Error): void {
  process.stderr.write(`database: an idle connection broke: ${error.message}\n`);
}

/**
 * A pool of connections that work as one role. Connections are made on demand; a broken idle one is reported and replaced,
 * it never takes the process down. Waiting for a connection longer than 5 s rejects with an error that `isUnavailable`.
 */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: options.role === undefined ? options.url : withRole(options.url, options.role),
    max: options.max,
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    connectionTimeoutMillis: connectionTimeoutMs,
    // Kept for ever: a new connection has to plan the decision's statements again.
    idleTimeoutMillis: 0,
    keepAlive: true,
    types: columnTypes,
  });
  pool.on("error", options.onConnectionError ?? warnOnStderr);
  return pool;
}
