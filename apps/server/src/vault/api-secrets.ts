import { randomInt } from "node:crypto";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import type { Keyring } from "./keyring.ts";
import { eraseSecret, insertSecret, type SecretKey, type Sql, selectSecret } from "./store.ts";
import { isApiSecret } from "./wire-cipher.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

interface Deps {
  readonly sql: Sql;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly secrets: BoundedCache<string>;
}

/** A new API secret: 32 characters of `[A-Za-z0-9]`, each equally likely (`randomInt` rejects, so there is no bias): 190 bits. */
export function createApiSecret(): string {
  return Array.from({ length: 32 }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

/** Storing the same secret again is a success; another one under a used id, also a deleted one, is refused. */
export async function storeSecret(
  deps: Deps,
  input: SecretKey & { secret: string },
): Promise<Result<null, "secret_id_used">> {
  const { merchantId, secretId, secret } = input;
  if (!isApiSecret(secret)) throw new Error("an API secret has the wrong form");
  const plain = Buffer.from(secret, "latin1");
  const envelope = await deps.keyring.seal({ family: "secret", recordId: recordId(input), plain });
  if (await insertSecret(deps.sql, { merchantId, secretId, envelope, nowMs: deps.clock.now() })) return ok(null);
  return (await readSecret(deps, input)) === secret ? ok(null) : refused("secret_id_used");
}

/** Null when there is no such secret or it was deleted. */
export async function readSecret(deps: Deps, input: SecretKey): Promise<string | null> {
  const id = recordId(input);
  const known = deps.secrets.find(id);
  if (known !== undefined) return known;
  const mark = deps.secrets.mark();
  const envelope = await selectSecret(deps.sql, input);
  if (envelope === null) return null;
  const plain = await deps.keyring.open({ family: "secret", recordId: id, envelope });
  const secret = plain.toString("latin1");
  deps.secrets.keep(id, secret, mark);
  return secret;
}

/** Erases the cipher text for ever. The row goes first and the memory after it, so nothing is remembered again in between. */
export async function deleteSecret(deps: Deps, input: SecretKey): Promise<void> {
  await eraseSecret(deps.sql, { merchantId: input.merchantId, secretId: input.secretId, nowMs: deps.clock.now() });
  deps.secrets.forget(recordId(input));
}

function recordId(secret: SecretKey): string {
  return `${secret.merchantId}/${secret.secretId}`;
}
