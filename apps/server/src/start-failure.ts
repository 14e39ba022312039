import { DatabaseRefused, errorCode } from "#database/index.ts";
import { ConfigError } from "./config.ts";

/** Master keys that do not open what the database holds, as one sentence. */
export class KeysRefused extends Error {
  override readonly name = "KeysRefused";

  constructor(cause: Error) {
    super(
      `VAULT_MASTER_KEYS do not open the vault of this database (${cause.message}): use the keys that it was made with, or another database.`,
      { cause },
    );
  }
}

/** What a system error of `listen` means to a person. */
const listenFailures: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "is in use by another program: stop that, or choose another port"],
  ["EACCES", "may not be opened by this user: choose one from 1024 on"],
  ["EADDRNOTAVAIL", "cannot be opened: this machine does not have that address"],
]);

/** Why a start failed, as one sentence for the person who can mend it, without secrets; null for a bug. */
export function startFailure(error: unknown): string | null {
  if (error instanceof ConfigError || error instanceof DatabaseRefused || error instanceof KeysRefused) {
    return error.message;
  }
  const failure = listenFailures.get(errorCode(error));
  const isAboutPort = typeof error === "object" && error !== null && "port" in error && "address" in error;
  return failure !== undefined && isAboutPort
    ? `Port ${String(error.port)} of ${String(error.address)} ${failure}.`
    : null;
}
