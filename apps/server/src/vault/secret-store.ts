import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import type { Keyring, SealingFamily } from "./keyring.ts";
import { eraseSecret, insertSecret, type SecretKey, type SecretTable, type Sql, selectSecret } from "./store.ts";

/** Secrets of one kind, each under an id of its merchant. */
export interface SecretStore {
  /** Storing the same secret again is a success; another one under a used id, also a deleted one, is refused. */
  readonly store: (input: SecretKey & { secret: string }) => Promise<Result<null, "secret_id_used">>;
  /** Null when there is no such secret or it was deleted. */
  readonly read: (key: SecretKey) => Promise<string | null>;
  /** Erases the cipher text for ever: at once in this process, within a minute in every other one. */
  readonly delete: (key: SecretKey) => Promise<void>;
}

export interface SecretKind {
  readonly table: SecretTable;
  readonly family: SealingFamily;
  readonly isWellFormed: (secret: string) => boolean;
  /** What is thrown for one that is not well formed; it never repeats it. */
  readonly wrongForm: string;
}

const secretsMax = 1000;
/** How long another process still accepts a secret after it was deleted here; what uses it is refused at once. */
const secretAgeMsMax = 60_000;

export function createSecretStore(
  deps: { readonly sql: Sql; readonly keyring: Keyring; readonly clock: Clock },
  kind: SecretKind,
): SecretStore {
  const { sql, keyring, clock } = deps;
  const { table, family } = kind;
  const known = createBoundedCache<string>({ clock, entriesMax: secretsMax, ageMsMax: secretAgeMsMax });
  const read = async (key: SecretKey): Promise<string | null> => {
    const recordId = recordIdOf(key);
    const kept = known.find(recordId);
    if (kept !== undefined) return kept;
    const mark = known.mark();
    const envelope = await selectSecret(sql, { ...key, table });
    if (envelope === null) return null;
    const secret = (await keyring.open({ family, recordId, envelope })).toString("latin1");
    known.keep(recordId, secret, mark);
    return secret;
  };
  return {
    read,
    store: async ({ secret, ...key }) => {
      if (!kind.isWellFormed(secret)) throw new Error(kind.wrongForm);
      const plain = Buffer.from(secret, "latin1");
      const envelope = await keyring.seal({ family, recordId: recordIdOf(key), plain });
      if (await insertSecret(sql, { ...key, table, envelope, nowMs: clock.now() })) return ok(null);
      return (await read(key)) === secret ? ok(null) : refused("secret_id_used");
    },
    // The row goes first and the memory after it, so nothing is remembered again in between.
    delete: async (key) => {
      await eraseSecret(sql, { ...key, table, nowMs: clock.now() });
      known.forget(recordIdOf(key));
    },
  };
}

function recordIdOf({ merchantId, secretId }: SecretKey): string {
  return `${merchantId}/${secretId}`;
}
