import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../command/context.ts";
import { objectIn, readJsonFile, textsIn } from "./json-file.ts";
import { homeFolder, projectFileName } from "./places.ts";

const settingNames = [
  "base_url",
  "app_id",
  "api_key_env",
  "api_secret_env",
  "webhook_secret_env",
  "api_key",
  "api_secret",
  "webhook_secret",
] as const;
export type ProjectSetting = (typeof settingNames)[number];
/** One profile of `cardwright.json`. Names that end in `_env` are names of environment variables. */
export type ProjectProfile = Partial<Record<ProjectSetting, string>>;

export interface Project {
  readonly file: string;
  readonly profiles: Readonly<Record<string, ProjectProfile>>;
}

/** Where a search for the file ends at the latest; nobody nests a project deeper. */
const foldersMax = 64;

/** The file that applies in a folder: its own or one above, up to the repository's root or the home folder. */
export async function findProjectFile(folder: string, env: Environment): Promise<string | null> {
  let at = resolve(folder);
  for (let count = 0; count < foldersMax; count += 1) {
    const file = join(at, projectFileName);
    if (await exists(file)) return file;
    const above = dirname(at);
    // What lies above a repository or the home folder belongs to somebody else.
    if (above === at || at === homeFolder(env) || (await exists(join(at, ".git")))) return null;
    at = above;
  }
  return null;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Null when there is no such file. */
export async function readProject(file: string): Promise<Project | null> {
  const content = await readJsonFile(file);
  if (content === null) return null;
  const profiles = objectIn(content["profiles"] ?? {}, `"profiles" of ${file}`);
  return {
    file,
    profiles: Object.fromEntries(
      Object.entries(profiles).map(([name, profile]) => [
        name,
        textsIn(profile, { where: `profile "${name}" of ${file}`, keys: settingNames }),
      ]),
    ),
  };
}
