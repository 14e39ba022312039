import { randomBytes } from "node:crypto";

/** The key that wraps the data keys; it comes from the environment and is never stored. */
export interface MasterKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

/** The first is the current one, the others only unwrap. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

/** A rotation needs two; sixteen is room for years of forgotten ones. */
const masterKeysMax = 16;

/**
 * Reads `VAULT_MASTER_KEYS`: `id:base64 of 32 bytes`, comma separated. Throws one sentence that names the entry by its
 * place, never by its content.
 */
export function parseMasterKeys(text: string): MasterKeys {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length > masterKeysMax) throw new Error(`VAULT_MASTER_KEYS has more than ${masterKeysMax} entries`);
  const [first, ...others] = entries.map((entry, place) => parseEntry(entry, place + 1));
  if (first === undefined) throw new Error("VAULT_MASTER_KEYS is empty");
  if (new Set([first, ...others].map((key) => key.id)).size !== entries.length) {
    throw new Error("VAULT_MASTER_KEYS names the same id twice");
  }
  return [first, ...others];
}

/** A new entry for `VAULT_MASTER_KEYS`, made by the system's generator. */
export function newMasterKey(id: string): string {
  const entry = `${id}:${randomBytes(32).toString("base64")}`;
  parseEntry(entry, 1);
  return entry;
}

function parseEntry(entry: string, place: number): MasterKey {
  const [, id, encoded] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/u.exec(entry) ?? [];
  const bytes = Buffer.from(encoded ?? "", "base64");
  if (id === undefined || bytes.length !== 32 || bytes.toString("base64") !== encoded) {
    throw new Error(
      `VAULT_MASTER_KEYS entry ${place} must be an id (letters, digits, - and _), a colon and 32 bytes in Base64`,
    );
  }
  return { id, bytes };
}
