import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { DatabaseRefused, errorCode, explainConnectionFailure, migrate } from "../../apps/server/src/database/index.ts";

/** Databases that are made for one run on a server that exists, and removed after it. */
export interface LaneDatabases {
  readonly urls: readonly string[];
  drop(): Promise<void>;
}

const migrations = fileURLToPath(new URL("../../apps/server/migrations", import.meta.url));

/**
 * Makes `count` migrated databases on the server of `serverUrl`: a scenario moves the clock by months, which no database of anybody
 * else should live through. Throws `DatabaseRefused` where none may be made.
 */
export async function makeLaneDatabases(serverUrl: string, count: number): Promise<LaneDatabases> {
  const stem = `cardwright_scenarios_${randomBytes(4).toString("hex")}`;
  const names = Array.from({ length: count }, (_, place) => `${stem}_${place + 1}`);
  const drop = (): Promise<void> =>
    asOwner(serverUrl, async (client) => {
      for (const name of names) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    });
  try {
    const [first, ...others] = names;
    if (first === undefined) return { urls: [], drop: async () => undefined };
    await asOwner(serverUrl, (client) => client.query(`CREATE DATABASE ${first}`));
    await migrate({ url: urlOf(serverUrl, first), directory: migrations, clock: { now: () => Date.now() } });
    await asOwner(serverUrl, async (client) => {
      for (const name of others) await client.query(`CREATE DATABASE ${name} TEMPLATE ${first}`);
    });
  } catch (error) {
    await drop().catch(() => undefined);
    throw refusalOf(error, serverUrl);
  }
  return { urls: names.map((name) => urlOf(serverUrl, name)), drop };
}

function refusalOf(error: unknown, serverUrl: string): unknown {
  if (errorCode(error) === "42501") {
    const sentence = "The scenarios make databases of their own: let the user of DATABASE_URL create databases.";
    return new DatabaseRefused("unreachable", sentence, { cause: error });
  }
  return error instanceof DatabaseRefused
    ? error
    : new DatabaseRefused("unreachable", explainConnectionFailure(error, serverUrl), { cause: error });
}

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function asOwner(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, application_name: "cardwright scenarios" });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
