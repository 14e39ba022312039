import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { command } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { readJsonFile, writeJsonFile } from "../config/json-file.ts";
import { projectFileName } from "../config/places.ts";
import { type ProjectProfile, readProject } from "../config/project.ts";
import { baseUrlDefault, baseUrlOf, variables } from "../config/settings.ts";
import { CommandFailed } from "../exit-codes.ts";

export const initCommand = command({
  name: "init",
  summary: `Write ${projectFileName} into this folder`,
  more: "It holds where the platform is, your App ID, and the names of the environment variables with your secrets; no secret, unless you ask for it. A profile that is there already is never changed.",
  examples: ["init", "init --base-url https://cards.example.com --app-id app_1 --profile production"],
  flags: {
    "app-id": { kind: "text", value: "ID", about: "the App ID of your merchant" },
    "api-key-env": { kind: "text", value: "NAME", fallback: variables.apiKey, about: "variable with the Api-Key" },
    "api-secret-env": {
      kind: "text",
      value: "NAME",
      fallback: variables.apiSecret,
      about: "variable with the apiSecret",
    },
    "webhook-secret-env": {
      kind: "text",
      value: "NAME",
      fallback: variables.webhookSecret,
      about: "variable with the webhook secret",
    },
    "with-secrets": {
      kind: "switch",
      about: "ask for the secrets and write them into the file, which only you may read",
    },
  },
  run: async ({ flags, context }) => {
    const { globals, out } = context;
    const file = resolve(context.folder, globals.config ?? projectFileName);
    const name = globals.profile ?? "default";
    const content = await readJsonFile(file);
    const project = await readProject(file);
    if (project?.profiles[name] !== undefined) {
      throw new CommandFailed("refused", `${file} has a profile "${name}" already, which stays as it is.`, {
        hint: "Change it by hand, or write another one with --profile NAME.",
      });
    }
    const profile: ProjectProfile = {
      base_url: baseUrlOf(globals.baseUrl ?? baseUrlDefault),
      ...(flags["app-id"] !== undefined && { app_id: flags["app-id"] }),
      api_key_env: envName(flags["api-key-env"]),
      api_secret_env: envName(flags["api-secret-env"]),
      webhook_secret_env: envName(flags["webhook-secret-env"]),
      ...(flags["with-secrets"] && (await secretsFrom(context))),
    };
    await writeJsonFile(
      file,
      { ...content, profiles: { ...project?.profiles, [name]: profile } },
      { mode: flags["with-secrets"] ? 0o600 : 0o644 },
    );
    out.line(`wrote profile "${name}" into ${file}`);
    if (flags["with-secrets"]) {
      await chmod(file, 0o600);
      out.warn(`${file} holds secrets: keep it out of version control`);
    } else {
      out.note("Next: cardwright login, or set the variables that the file names.");
    }
    return undefined;
  },
});

const nameForm = /^[A-Za-z_]\w{0,127}$/u;

function envName(name: string): string {
  if (!nameForm.test(name)) {
    throw new CommandFailed("usage", `"${name}" is no name of an environment variable.`);
  }
  return name;
}

async function secretsFrom({ ask }: Context): Promise<ProjectProfile> {
  const [api_key, api_secret] = [await ask.secret("Api-Key"), await ask.secret("apiSecret")];
  const webhook_secret = await ask.secret("webhook secret (empty for none)");
  return { api_key, api_secret, ...(webhook_secret !== "" && { webhook_secret }) };
}

export const projectFileIn = (folder: string): string => join(folder, projectFileName);
