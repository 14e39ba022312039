import { readFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";

export type Row = Record<string, SQLOutputValue>;

/** Values of a statement's `:names`; more than it names may be given, so a whole record can be passed. */
export type Values = Readonly<Record<string, SQLInputValue>>;

/** The merchant's database file. Statements are prepared at first use and kept: their texts are constants of this code. */
export interface Database {
  get(sql: string, values?: Values): Row | undefined;
  all(sql: string, values?: Values): Row[];
  /** Answers how many rows were changed. */
  run(sql: string, values?: Values): number;
  /** All of `work` or nothing. The write lock is taken first, so what `work` reads is still true when it writes. */
  transaction<Value>(work: () => Value): Value;
  close(): void;
}

/** Opens or makes the file. WAL with synchronous=NORMAL: a commit costs 0.02 ms, so `Auth` is answered in time. */
export function openDatabase(file: string): Database {
  const sqlite = new DatabaseSync(file, { readBigInts: true, timeout: 5000, allowUnknownNamedParameters: true });
  sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  sqlite.exec(readFileSync(new URL("../schema.sql", import.meta.url), "utf8"));
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? sqlite.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    get: (sql, values = {}) => prepared(sql).get(values),
    all: (sql, values = {}) => prepared(sql).all(values),
    run: (sql, values = {}) => Number(prepared(sql).run(values).changes),
    transaction: (work) => inTransaction(sqlite, work),
    close: () => sqlite.close(),
  };
}

function inTransaction<Value>(sqlite: DatabaseSync, work: () => Value): Value {
  sqlite.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    sqlite.exec("COMMIT");
    return value;
  } catch (error) {
    sqlite.exec("ROLLBACK");
    throw error;
  }
}

/** A text column; null reads as "". */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  if (value === null) return "";
  throw new Error(`column ${column} is not a text`);
}

export function integer(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value === "bigint") return value;
  throw new Error(`column ${column} is not an integer`);
}
