import { join, resolve } from "node:path";
import { embeddedDataDirectory } from "../../apps/server/src/database/index.ts";

/** Where the commands of a clone keep what they make. */
export interface DataDirectory {
  /** Settings, logs, the merchants' books, and how a running embedded database is reached. */
  readonly path: string;
  /** Where the embedded database belongs; made when it is asked for. */
  postgres(): Promise<string>;
}

/** For the `--help` of each command. */
export const dataDirectoryHelp =
  "CARDWRIGHT_DATA          .data   everything it makes lies here; remove it to start anew";

/**
 * `.data` in the clone, or CARDWRIGHT_DATA. The database of a clone that Postgres' own user cannot reach lies elsewhere; a
 * directory that was named is taken as it is.
 */
export function dataDirectoryOf(clone: string): DataDirectory {
  const named = process.env["CARDWRIGHT_DATA"] ?? "";
  if (named === "") {
    return { path: join(clone, ".data"), postgres: () => embeddedDataDirectory(clone) };
  }
  const path = resolve(named);
  return { path, postgres: async () => join(path, "postgres") };
}
