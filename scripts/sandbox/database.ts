import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { embeddedDataDirectory, startEmbeddedPostgres } from "../../apps/server/src/database/index.ts";

export interface OpenDatabase {
  readonly url: string;
  /** What a person wants to know about it. */
  readonly description: string;
  /** Stops it when this process started it. */
  close(): Promise<void>;
}

/** Where a running `npm start` says how its embedded database is reached, for `verify` and `demo` beside it. */
const addressFile = (directory: string) => join(directory, "database-url");

/**
 * The database of this clone: the one of DATABASE_URL, the embedded one that another command of this clone is running, or the
 * embedded one, started now.
 */
export async function openDatabase(options: {
  readonly clone: string;
  readonly log: (sentence: string) => void;
}): Promise<OpenDatabase> {
  const given = process.env["DATABASE_URL"] ?? "";
  if (given !== "") {
    return { url: given, description: "the database of DATABASE_URL", close: async () => {} };
  }
  const directory = join(options.clone, ".data");
  const running = await readFile(addressFile(directory), "utf8").catch(() => "");
  if (running !== "" && (await answers(running))) {
    return { url: running, description: "the embedded database that is running", close: async () => {} };
  }
  const server = await startEmbeddedPostgres({
    dataDirectory: await embeddedDataDirectory(options.clone),
    log: options.log,
  });
  await writeFile(addressFile(directory), server.url, { mode: 0o600 });
  return {
    url: server.url,
    description: "an embedded database",
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
