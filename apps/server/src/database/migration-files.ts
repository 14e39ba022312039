import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseRefused } from "./errors.ts";

/** One numbered forward step of the schema, as it stands in a file `NNNN_name.sql`. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text with line ends as `\n`, so that a checkout with other line ends is the same migration. */
  readonly checksum: string;
  /**
   * Whether a build that does not know this migration must refuse to start on it. True unless the file begins with a line
   * `-- compatible: why older builds can go on working`.
   */
  readonly breaking: boolean;
}

const fileName = /^(?<version>\d{4})_(?<name>[a-z0-9_]+)\.sql$/u;
/** The runner owns the transaction; a COMMIT of the file's own would cut the version row from the change. */
const transactionControl = /^[ \t]*(?:BEGIN|COMMIT|ROLLBACK|START TRANSACTION)[ \t]*;/imu;
const filesMax = 1000;

/** The migrations of a directory in order of their numbers; gaps are allowed, doubles are not. */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
  if (names.length === 0 || names.length > filesMax) {
    throw new DatabaseRefused("migration_files_invalid", `${directory} holds ${names.length} migrations.`);
  }
  const migrations = await Promise.all(names.map((name) => readMigration(directory, name)));
  migrations.forEach((migration, index) => {
    const before = migrations[index - 1];
    if (before !== undefined && before.version === migration.version) {
      throw invalid(`${before.name} and ${migration.name} have the same number ${migration.version}`);
    }
  });
  return migrations;
}

async function readMigration(directory: string, file: string): Promise<Migration> {
  const parts = fileName.exec(file)?.groups;
  const version = Number(parts?.["version"] ?? "0");
  if (parts === undefined || version < 1) {
    throw invalid(`${file} is not named NNNN_name.sql`);
  }
  const sql = (await readFile(join(directory, file), "utf8")).replaceAll("\r\n", "\n");
  if (transactionControl.test(sql)) {
    throw invalid(`${file} contains BEGIN or COMMIT, but the runner opens the transaction`);
  }
  return {
    version,
    name: parts["name"] ?? "",
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
    breaking: !/^-- compatible: \S/u.test(sql),
  };
}

function invalid(what: string): DatabaseRefused {
  return new DatabaseRefused("migration_files_invalid", `A migration file is wrong: ${what}.`);
}
