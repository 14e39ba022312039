import type { TestProject } from "vitest/node";
import { startTestServer } from "./database-server.ts";

/** Runs once per `vitest run`, before the first test file; what it returns runs after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const server = await startTestServer();
    project.provide("databaseServer", { url: server.url, template: server.template });
    return () => server.stop();
  } catch (error) {
    const problem = error instanceof Error ? error.message : "unknown error";
    process.stderr.write(`The tests that need a database will fail: ${problem}\n`);
    project.provide("databaseServer", { problem });
    return async () => {};
  }
}
