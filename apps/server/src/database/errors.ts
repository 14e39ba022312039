/**
 * What a failed call to Postgres means. Only three meanings matter to the rooms above: the database is away (answer 503
 * and let the caller come again), two transactions collided (run again), or there is a bug (everything else).
 */

/** Why the platform will not start on this database. The message is one sentence for the person at the terminal. */
export type DatabaseRefusal =
  | "unreachable"
  | "server_too_old"
  | "migration_changed"
  | "schema_newer_than_build"
  | "missing_privilege"
  | "migration_failed"
  | "migration_files_invalid"
  | "no_postgres_binaries"
  | "data_directory_unusable"
  | "data_directory_in_use"
  | "start_failed";

/** Thrown while starting, when no retry can help and a person has to act; `message` says what to do, without secrets. */
export class DatabaseRefused extends Error {
  readonly refusal: DatabaseRefusal;

  constructor(refusal: DatabaseRefusal, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = "DatabaseRefused";
    this.refusal = refusal;
  }
}

/** The SQLSTATE of a Postgres error or the code of a system error (`ECONNREFUSED`); empty when there is none. */
export function errorCode(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

const systemCodesOfAbsence = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/**
 * 57P01–57P05: shut down, crashed, starting up, database dropped, idle session closed. 53300: no connection slot left.
 * 58000, 58030: the server's disk failed. 25006: the connection still points at a node that became a read-only standby.
 */
const statesOfAbsence = new Set(["57P01", "57P02", "57P03", "57P04", "57P05", "53300", "58000", "58030", "25006"]);

/** Errors that `pg` makes itself, without a code, when a connection is lost or none came free in time (pg 8.23). */
const sentencesOfAbsence = [
  "Connection terminated",
  "Client has encountered a connection error",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Client was closed and is not queryable",
  "Cannot use a pool after calling end on the pool",
];

/**
 * Whether the database could not be reached or went away under the call, so that the outcome is "not now" and not a bug.
 * When it happens during COMMIT the transaction may have been committed; callers rely on idempotency, not on a guess.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) {
    // A host name with several addresses fails with one error per address.
    return error.errors.every((inner: unknown) => isUnavailable(inner));
  }
  const code = errorCode(error);
  if (code !== "") {
    // Class 08 is "connection exception".
    return systemCodesOfAbsence.has(code) || statesOfAbsence.has(code) || code.startsWith("08");
  }
  return error instanceof Error && sentencesOfAbsence.some((sentence) => error.message.startsWith(sentence));
}

/** Serialization failure or deadlock: the same transaction, run again, is expected to succeed. */
export function isCollision(error: unknown): boolean {
  const code = errorCode(error);
  return code === "40001" || code === "40P01";
}

/** A unique index refused the row; `constraint` (when given) must be its name. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (errorCode(error) !== "23505") {
    return false;
  }
  return constraint === undefined || constraintOf(error) === constraint;
}

/** The name of the constraint that refused the row; empty when the error is about something else. */
export function constraintOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "constraint" in error && typeof error.constraint === "string") {
    return error.constraint;
  }
  return "";
}

/** `host:port/database` of a connection URL, for messages: user, password and parameters are left out. */
export function databaseAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) {
    return "the given address";
  }
  const host = parsed.hostname === "" ? (parsed.searchParams.get("host") ?? "localhost") : parsed.hostname;
  return `${host}:${parsed.port === "" ? "5432" : parsed.port}${parsed.pathname}`;
}

/** One sentence for the terminal about a first connection that failed; contains no part of the password. */
export function explainConnectionFailure(error: unknown, url: string): string {
  const address = databaseAddress(url);
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = errorCode(inner);
  switch (code) {
    case "ECONNREFUSED":
      return `No Postgres answers at ${address} (connection refused): is it running, and is the port right?`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host of ${address} cannot be found: check the name in DATABASE_URL.`;
    case "28P01":
      return `Postgres at ${address} refused the user name or password in DATABASE_URL.`;
    case "28000":
      return `Postgres at ${address} does not let this user in (pg_hba.conf, or it requires TLS: add ?sslmode=require).`;
    case "3D000":
      return `The database of ${address} does not exist: create it, or correct the name in DATABASE_URL.`;
    case "22023":
    case "42501":
      return `Postgres at ${address} does not let this user switch to the platform's roles: run the migrations first, or GRANT cardwright_app, cardwright_vault to it.`;
    case "ERR_INVALID_URL":
      return "DATABASE_URL is not a URL of the form postgresql://user:password@host:5432/database.";
    default:
      return `Postgres at ${address} cannot be used (${code === "" ? "no answer" : code}).`;
  }
}
