import { ConfigError } from "../apps/server/src/config.ts";
import { DatabaseRefused } from "../apps/server/src/database/index.ts";
import { PortTaken } from "../apps/server/src/platform.ts";

/** Ends a command that failed: what a person can mend in one sentence, a bug with its stack. Exit code 1. */
export function fail(error: unknown): never {
  const isPortTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  if (error instanceof ConfigError || error instanceof DatabaseRefused || error instanceof PortTaken) {
    process.stderr.write(`${error.message}\n`);
  } else if (isPortTaken) {
    process.stderr.write(`A port is in use by another program: ${error.message}. Stop that, or choose another port.\n`);
  } else {
    process.stderr.write(`Unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  process.exit(1);
}
