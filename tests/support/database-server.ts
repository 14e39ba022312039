import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate, startEmbeddedPostgres } from "../../apps/server/src/database/index.ts";
import { asAdministrator, databaseUrl, type TestServer } from "./database.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface RunningTestServer extends TestServer {
  stop(): Promise<void>;
}

const migrations = fileURLToPath(new URL("../../apps/server/migrations", import.meta.url));

/**
 * One throw-away Postgres for a test run, or the one of CARDWRIGHT_TEST_DATABASE_URL, with a migrated template database.
 * It does not wait for the disk: tests of durability restart the platform, never Postgres.
 */
export async function startTestServer(): Promise<RunningTestServer> {
  const given = process.env["CARDWRIGHT_TEST_DATABASE_URL"] ?? "";
  const server = given === "" ? await startThrowAway() : { url: given, stop: async () => {} };
  const template = `cardwright_template_${randomBytes(4).toString("hex")}`;
  try {
    await createTemplate(server.url, template);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: server.url,
    template,
    stop: async () => {
      if (given !== "") {
        await asAdministrator(given, async (client) => {
          await client.query(`ALTER DATABASE ${template} IS_TEMPLATE false`);
          await client.query(`DROP DATABASE ${template}`);
        });
      }
      await server.stop();
    },
  };
}

async function startThrowAway(): Promise<{ url: string; stop(): Promise<void> }> {
  const home = await temporaryFolder("test");
  try {
    const server = await startEmbeddedPostgres({
      dataDirectory: join(home, "postgres"),
      ephemeral: true,
      settings: {
        fsync: "off",
        full_page_writes: "off",
        synchronous_commit: "on",
        shared_buffers: "128MB",
        max_wal_size: "256MB",
        min_wal_size: "80MB",
        // Tests provoke deadlocks on purpose; the default makes each of them wait a second.
        deadlock_timeout: "100ms",
      },
    });
    return {
      url: server.url,
      stop: async () => {
        await server.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function createTemplate(serverUrl: string, template: string): Promise<void> {
  await asAdministrator(serverUrl, (client) => client.query(`CREATE DATABASE ${template}`));
  await migrate({ url: databaseUrl(serverUrl, template), directory: migrations, clock: { now: () => Date.now() } });
  await asAdministrator(serverUrl, (client) =>
    client.query(`ALTER DATABASE ${template} IS_TEMPLATE true ALLOW_CONNECTIONS false`),
  );
}
