import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import {
  DatabaseRefused,
  explainConnectionFailure,
  startEmbeddedPostgres,
} from "../../apps/server/src/database/index.ts";
import type { DataDirectory } from "./data-directory.ts";

export interface OpenDatabase {
  readonly url: string;
  /** Made by this clone, and not a database of somebody else's. */
  readonly isEmbedded: boolean;
  /** Stops it when this process started it. */
  close(): Promise<void>;
}

/** Where a running `npm start` says how its embedded database is reached, for `verify` and `demo` beside it. */
const addressFile = (directory: string) => join(directory, "database-url");

/**
 * The database of the commands: the one of DATABASE_URL, the embedded one that another command is running on the same data, or
 * the embedded one, started now. With `besideOthers` false a running embedded one is refused (`DatabaseRefused`), because who
 * started it will also stop it.
 */
export async function openDatabase(options: {
  readonly data: DataDirectory;
  readonly besideOthers: boolean;
  readonly log: (sentence: string) => void;
}): Promise<OpenDatabase> {
  const given = process.env["DATABASE_URL"] ?? "";
  if (given !== "") {
    if (!/^postgres(ql)?:\/\//u.test(given)) {
      throw new DatabaseRefused("unreachable", explainConnectionFailure({ code: "ERR_INVALID_URL" }, given));
    }
    return { url: given, isEmbedded: false, close: async () => {} };
  }
  const directory = options.data.path;
  const running = options.besideOthers ? await readFile(addressFile(directory), "utf8").catch(() => "") : "";
  if (running !== "" && (await answers(running))) {
    return { url: running, isEmbedded: true, close: async () => {} };
  }
  const server = await startEmbeddedPostgres({
    dataDirectory: await options.data.postgres(),
    log: options.log,
  });
  await writeFile(addressFile(directory), server.url, { mode: 0o600 });
  return {
    url: server.url,
    isEmbedded: true,
    close: async () => {
      await rm(addressFile(directory), { force: true });
      await server.stop();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
