import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../command/context.ts";

/** The file of a project, which may be committed: it has no secrets unless somebody asks for them. */
export const projectFileName = "cardwright.json";

/** Where a user's programs keep their settings, by the XDG base directory specification: a relative path does not count. */
export function userConfigFolder(env: Environment): string {
  const named = env["XDG_CONFIG_HOME"] ?? "";
  if (isAbsolute(named)) return join(named, "cardwright");
  const windows = process.platform === "win32" ? (env["APPDATA"] ?? "") : "";
  if (isAbsolute(windows)) return join(windows, "cardwright");
  return join(homeFolder(env), ".config", "cardwright");
}

export function homeFolder(env: Environment): string {
  const named = env["HOME"] ?? "";
  return isAbsolute(named) ? named : homedir();
}

export const credentialsFile = (env: Environment): string => join(userConfigFolder(env), "credentials.json");
