import { stat } from "node:fs/promises";
import { wrongUsage } from "../exit-codes.ts";
import { type JsonObject, objectIn, readJsonFile, textsIn, writeJsonFile } from "./json-file.ts";

/** What `login` keeps of one profile, in the user's own folder. */
export interface StoredLogin {
  /** The only platform that these are sent to. */
  readonly base_url: string;
  readonly app_id: string;
  readonly api_key: string;
  readonly api_secret: string;
  /** The newest first; two while one is being rotated. */
  readonly webhook_secrets: readonly string[];
}

export type StoredLogins = Readonly<Record<string, StoredLogin>>;

const textNames = ["base_url", "app_id", "api_key", "api_secret"] as const;
/** A rotation leaves the old one good for a while; a third is one that nobody removed. */
const webhookSecretsMax = 2;

export async function readLogins(file: string): Promise<StoredLogins> {
  const content = await readJsonFile(file);
  const profiles = content === null ? {} : objectIn(content["profiles"] ?? {}, `"profiles" of ${file}`);
  return Object.fromEntries(Object.entries(profiles).map(([name, login]) => [name, loginIn(login, { name, file })]));
}

function loginIn(value: unknown, { name, file }: { readonly name: string; readonly file: string }): StoredLogin {
  const where = `profile "${name}" of ${file}`;
  const { webhook_secrets: secrets = [], ...texts }: JsonObject = objectIn(value, where);
  const { base_url = "", app_id = "", api_key = "", api_secret = "" } = textsIn(texts, { where, keys: textNames });
  if (!Array.isArray(secrets) || !secrets.every((secret) => typeof secret === "string")) {
    throw wrongUsage(`webhook_secrets of ${where} must be a list of texts.`);
  }
  return { base_url, app_id, api_key, api_secret, webhook_secrets: secrets };
}

/** Keeps a login, or removes it (null). Nobody but the user may read the file. */
export async function storeLogin(
  file: string,
  change: { readonly profile: string; readonly login: StoredLogin | null },
): Promise<void> {
  const logins = new Map(Object.entries(await readLogins(file)));
  if (change.login === null) {
    logins.delete(change.profile);
  } else {
    logins.set(change.profile, {
      ...change.login,
      webhook_secrets: change.login.webhook_secrets.slice(0, webhookSecretsMax),
    });
  }
  await writeJsonFile(file, { profiles: Object.fromEntries(logins) }, { mode: 0o600 });
}

/** Whether others may read the file. On Windows rights are another matter, and the folder is the user's own. */
export async function isOpenToOthers(file: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  const found = await stat(file).catch(() => null);
  return found !== null && (found.mode & 0o077) !== 0;
}
