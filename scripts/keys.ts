/** `npm run keys`: the vault's data keys and the master keys that wrap them. See docs/operations/running.md, "Keys". */
import { parseArgs } from "node:util";
import { ConfigError } from "../apps/server/src/config.ts";
import { createPool, DatabaseRefused, errorCode, explainConnectionFailure } from "../apps/server/src/database/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";
import { KeysRefused } from "../apps/server/src/start-failure.ts";
import {
  createVault,
  type DataKey,
  type SealingFamily,
  sealingFamilies,
  type Vault,
} from "../apps/server/src/vault/index.ts";
import { fail } from "./failure.ts";

const help = `npm run keys                   lists the vault's data keys, and which master key wraps each
npm run keys -- wrap           wraps all of them by the first of VAULT_MASTER_KEYS
npm run keys -- renew FAMILY   makes a new data key: new records are encrypted by it, in every process within 5
                               minutes. FAMILY: ${sealingFamilies.join(", ")}

To replace a master key: restart every process with the new one in front of the old one, then wrap, then restart every
process without the old one. A process that does not know the key which wraps a data key stops encrypting.
Backups from before still need the old one.

  --json   prints the result as one line of JSON

Exit code 0 when it is done; 1 when something fails; 2 when these words cannot be read.

Settings (environment), as the platform's processes have them:
  DATABASE_URL             the database of the platform
  VAULT_MASTER_KEYS        the master keys; the first one wraps
`;

type Command = { readonly verb: "list" | "wrap" } | { readonly verb: "renew"; readonly family: SealingFamily };

/** Null for words that cannot be read. */
function readCommand(words: readonly string[]): (Command & { readonly json: boolean }) | "help" | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
    });
    if (values.help) return "help";
    const [verb = "list", name, ...more] = positionals;
    const family = sealingFamilies.find((each) => each === name);
    if (more.length > 0) return null;
    if (verb === "renew" && family !== undefined) return { verb, family, json: values.json };
    return (verb === "list" || verb === "wrap") && name === undefined ? { verb, json: values.json } : null;
  } catch {
    return null;
  }
}

function setting(name: "DATABASE_URL" | "VAULT_MASTER_KEYS"): string {
  const value = process.env[name] ?? "";
  if (value === "") {
    throw new ConfigError(`${name} must be set, as the platform's processes have it.`);
  }
  return value;
}

async function main(): Promise<number> {
  const command = readCommand(process.argv.slice(2));
  if (command === null || command === "help") {
    (command === null ? process.stderr : process.stdout).write(help);
    return command === null ? 2 : 0;
  }
  const url = setting("DATABASE_URL");
  const masterKeys = setting("VAULT_MASTER_KEYS");
  const pool = createPool({
    url,
    role: "cardwright_vault",
    max: 1,
    applicationName: "cardwright-keys",
    statementTimeoutMs: 15_000,
  });
  try {
    const vault = openVault(pool, masterKeys);
    const before = await dataKeysOf(vault, url);
    const done = await carryOut(vault, command);
    const after = await vault.dataKeys();
    process.stdout.write(
      command.json
        ? `${JSON.stringify({ ok: true, ...done, keys: after.map(keyJson) })}\n`
        : textOf({ ...done, before, after }),
    );
    return 0;
  } finally {
    await pool.end();
  }
}

function openVault(pool: ReturnType<typeof createPool>, masterKeys: string): Vault {
  try {
    return createVault({ pool, masterKeys, clock: systemClock });
  } catch (error) {
    // It names the entry by its place, never by its content.
    throw new ConfigError(error instanceof Error ? `${error.message}.` : "VAULT_MASTER_KEYS cannot be read.");
  }
}

/** The table, its schema or the role is not there. */
const noVaultCodes = new Set(["42P01", "3F000", "22023"]);

async function dataKeysOf(vault: Vault, url: string): Promise<DataKey[]> {
  try {
    return await vault.dataKeys();
  } catch (error) {
    if (noVaultCodes.has(errorCode(error))) {
      throw new ConfigError("The database has no vault: no process of Cardwright was ever started on it.");
    }
    throw new DatabaseRefused("unreachable", explainConnectionFailure(error, url), { cause: error });
  }
}

interface Done {
  readonly wrapped?: number;
  readonly generation?: number;
}

async function carryOut(vault: Vault, command: Command): Promise<Done> {
  try {
    switch (command.verb) {
      case "list":
        return {};
      case "wrap":
        return { wrapped: await vault.rotateMasterKey() };
      case "renew":
        return { generation: await vault.rotateDataKey(command.family) };
    }
  } catch (error) {
    // An error of the database has a code; without one it is about the keys.
    throw error instanceof Error && errorCode(error) === "" ? new KeysRefused(error) : error;
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

function keyJson({ family, generation, masterKeyId, createdAtMs, wrappedAtMs }: DataKey): object {
  return { family, generation, master_key: masterKeyId, created_at: createdAtMs, wrapped_at: wrappedAtMs };
}

function textOf(parts: Done & { readonly before: readonly DataKey[]; readonly after: readonly DataKey[] }): string {
  const { wrapped, generation, before, after } = parts;
  const rows = after.map((key) =>
    [
      key.family.padEnd(12),
      String(key.generation).padStart(4),
      `  ${key.masterKeyId.padEnd(20)}`,
      `made ${iso(key.createdAtMs)}`,
      `  wrapped ${iso(key.wrappedAtMs)}\n`,
    ].join(""),
  );
  const idsOf = (keys: readonly DataKey[]) => [...new Set(keys.map(({ masterKeyId }) => masterKeyId))];
  const free = idsOf(before).filter((id) => !idsOf(after).includes(id));
  const said = [
    ...(wrapped === undefined ? [] : [`${wrapped} data keys were wrapped anew.`]),
    ...(generation === undefined ? [] : [`New records are encrypted by generation ${generation}.`]),
    ...free.map((id) => `No data key is wrapped by ${id} any more: VAULT_MASTER_KEYS can go without it.`),
    ...(after.length === 0 ? ["The vault has no keys yet: the first process that starts makes them."] : []),
  ];
  return [...rows, ...said.map((sentence) => `${sentence}\n`)].join("");
}

try {
  process.exitCode = await main();
} catch (error) {
  fail(error);
}
