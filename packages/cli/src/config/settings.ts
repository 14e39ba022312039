import { resolve } from "node:path";
import type { Context } from "../command/context.ts";
import { nearest } from "../command/suggest.ts";
import { wrongUsage } from "../exit-codes.ts";
import { isOpenToOthers, readLogins } from "./credentials.ts";
import { credentialsFile, projectFileName } from "./places.ts";
import { findProjectFile, type Project, type ProjectProfile, readProject } from "./project.ts";

/** Where a sandbox of `npm start` listens. */
export const baseUrlDefault = "http://127.0.0.1:4600";

export const variables = {
  profile: "CARDWRIGHT_PROFILE",
  baseUrl: "CARDWRIGHT_BASE_URL",
  appId: "CARDWRIGHT_APP_ID",
  apiKey: "CARDWRIGHT_API_KEY",
  apiSecret: "CARDWRIGHT_API_SECRET",
  webhookSecret: "CARDWRIGHT_WEBHOOK_SECRET",
} as const;

/** Everything about a merchant's access, from wherever it was said. "" where nobody said it. */
export interface Settings {
  readonly profile: string;
  readonly baseUrl: string;
  readonly appId: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly webhookSecrets: readonly string[];
  /** Where the Api-Key comes from, for a person: never the key itself. */
  readonly source: string;
  readonly credentialsFile: string;
  readonly projectFile: string | null;
}

type Known = Pick<Context, "globals" | "env" | "folder" | "out">;

/**
 * A flag counts first, then the environment, the project's file, the user's login. What `login` has stored goes to the platform
 * that it was stored for and to no other, whatever a file in some folder says.
 */
export async function readSettings(
  context: Known,
  options: { readonly profileMayBeNew?: boolean } = {},
): Promise<Settings> {
  const { env, globals, out } = context;
  const project = await projectOf(context);
  const profile = globals.profile ?? nonEmpty(env[variables.profile]) ?? "default";
  const file = credentialsFile(env);
  const logins = await readLogins(file);
  const ofProject = project?.profiles[profile] ?? {};
  const login = logins[profile];
  if (options.profileMayBeNew !== true) {
    requireProfile({ profile, project, known: [...Object.keys(logins), ...Object.keys(project?.profiles ?? {})] });
  }
  const baseUrl = baseUrlOf(
    globals.baseUrl ?? nonEmpty(env[variables.baseUrl]) ?? ofProject.base_url ?? login?.base_url ?? baseUrlDefault,
  );
  if (login !== undefined && (await isOpenToOthers(file))) {
    out.warn(`others on this machine may read ${file}: run chmod 600 on it`);
  }
  const stored = login !== undefined && baseUrlOf(login.base_url) === baseUrl ? login : null;
  const named = (own: keyof ProjectProfile, fallback: string): string | undefined =>
    nonEmpty(env[ofProject[own] ?? fallback]);
  const fromEnv = {
    key: named("api_key_env", variables.apiKey),
    secret: named("api_secret_env", variables.apiSecret),
    webhook: named("webhook_secret_env", variables.webhookSecret),
  };
  const webhook = fromEnv.webhook ?? nonEmpty(ofProject.webhook_secret);
  return {
    profile,
    baseUrl,
    appId: nonEmpty(env[variables.appId]) ?? ofProject.app_id ?? stored?.app_id ?? "",
    apiKey: fromEnv.key ?? ofProject.api_key ?? stored?.api_key ?? "",
    apiSecret: fromEnv.secret ?? ofProject.api_secret ?? stored?.api_secret ?? "",
    webhookSecrets: webhook === undefined ? (stored?.webhook_secrets ?? []) : webhook.split(/[\s,]+/u),
    source: sourceOf({ fromEnv: fromEnv.key, ofProject, project, stored: stored !== null, file }),
    credentialsFile: file,
    projectFile: project?.file ?? null,
  };
}

async function projectOf({ globals, env, folder }: Known): Promise<Project | null> {
  const named = globals.config === undefined ? null : resolve(folder, globals.config);
  const file = named ?? (await findProjectFile(folder, env));
  const project = file === null ? null : await readProject(file);
  if (named !== null && project === null) {
    throw wrongUsage(`There is no configuration file ${named}.`, "cardwright init writes one.");
  }
  return project;
}

/** A profile that nobody has written down is a typing mistake, except the default one. */
function requireProfile(asked: {
  readonly profile: string;
  readonly project: Project | null;
  readonly known: readonly string[];
}): void {
  const { profile, project, known } = asked;
  if (profile === "default" || known.includes(profile)) return;
  const meant = nearest(profile, known);
  throw wrongUsage(
    `There is no profile "${profile}".${meant === null ? "" : ` Did you mean "${meant}"?`}`,
    `cardwright init --profile ${profile} writes one into ${project?.file ?? projectFileName}.`,
  );
}

function sourceOf(found: {
  readonly fromEnv: string | undefined;
  readonly ofProject: ProjectProfile;
  readonly project: Project | null;
  readonly stored: boolean;
  readonly file: string;
}): string {
  if (found.fromEnv !== undefined) return `environment (${found.ofProject.api_key_env ?? variables.apiKey})`;
  if (found.ofProject.api_key !== undefined) return found.project?.file ?? "";
  return found.stored ? found.file : "";
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** The address without a slash at its end. Throws wrong usage unless it is one of HTTP. */
export function baseUrlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/u.test(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== "") {
    throw wrongUsage(`"${text}" is no base URL: it is like https://cards.example.com, without a path of the API.`);
  }
  return url.href.replace(/\/+$/u, "");
}

/** Whether a URL leads to this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
