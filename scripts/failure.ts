import { startFailure } from "../apps/server/src/start-failure.ts";

/** Ends a command that failed: what a person can mend in one sentence, a bug with its stack. Exit code 1. */
export function fail(error: unknown): never {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${startFailure(error) ?? `Unexpected: ${stack}`}\n`);
  process.exit(1);
}
