import { type Command, command } from "../command/command.ts";
import { readLogins, storeLogin } from "../config/credentials.ts";
import { credentialsFile } from "../config/places.ts";
import { sessionWith } from "../config/session.ts";
import { readSettings, type Settings, variables } from "../config/settings.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { showObject, timeIn } from "./showing.ts";

const login = command({
  name: "login",
  endpoint: "merchant.token",
  summary: "Check your credentials with the platform and keep them for this user",
  more: `Api-Key, apiSecret and webhook secret come from ${variables.apiKey}, ${variables.apiSecret} and ${variables.webhookSecret}, else they are asked for; where stdin is no terminal, its lines are the answers, in this order. They are kept in a file that only you may read, and sent to this base URL only.`,
  examples: ["login", "login --base-url https://cards.example.com --profile production"],
  run: async ({ context }) => {
    const { out, ask } = context;
    const settings = await readSettings(context, { profileMayBeNew: true });
    const apiKey = settings.apiKey || (await ask.secret("Api-Key"));
    const apiSecret = settings.apiSecret || (await ask.secret("apiSecret"));
    const webhookSecrets =
      settings.webhookSecrets.length > 0 || !ask.isTerminal
        ? settings.webhookSecrets
        : [await ask.secret("Webhook secret (whsec_…, empty for none)")].filter((secret) => secret !== "");
    requireForm({ apiKey, apiSecret, webhookSecrets });
    const { client } = await sessionWith(context, { ...settings, apiKey, apiSecret, webhookSecrets });
    const merchant = await client.developer.merchant();
    if (settings.appId !== "" && settings.appId !== merchant.app_id) {
      out.warn(`your configuration has the App ID ${settings.appId}, the platform says ${merchant.app_id}`);
    }
    await storeLogin(settings.credentialsFile, {
      profile: settings.profile,
      login: {
        base_url: settings.baseUrl,
        app_id: merchant.app_id,
        api_key: apiKey,
        api_secret: apiSecret,
        webhook_secrets: webhookSecrets,
      },
    });
    if (out.json) {
      out.value({ profile: settings.profile, base_url: settings.baseUrl, merchant_no: merchant.merchant_no });
    } else {
      out.line(`Logged in to ${settings.baseUrl} as ${merchant.merchant_no} (${merchant.name}, ${merchant.mode}).`);
    }
    out.note(`Kept in ${settings.credentialsFile}, profile "${settings.profile}".`);
    return undefined;
  },
});

/** What cannot be right is found before it is sent, where a pasted line break would only be an unknown key. */
function requireForm(given: {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly webhookSecrets: readonly string[];
}): void {
  if (!/^[\u0021-\u007e]{1,256}$/u.test(given.apiKey)) throw wrongUsage("That is no Api-Key.");
  if (!/^[A-Za-z0-9]{32}$/u.test(given.apiSecret)) {
    throw wrongUsage("That is no apiSecret: it has 32 letters and digits.");
  }
  if (given.webhookSecrets.some((secret) => !secret.startsWith("whsec_"))) {
    throw wrongUsage("That is no webhook secret: it begins with whsec_.");
  }
}

const logout = command({
  name: "logout",
  summary: "Forget the credentials of a profile",
  examples: ["logout", "logout --profile production"],
  run: async ({ context }) => {
    const { globals, env, out } = context;
    const profile = globals.profile ?? (env[variables.profile] || "default");
    const file = credentialsFile(env);
    if ((await readLogins(file))[profile] === undefined) {
      throw new CommandFailed("notLoggedIn", `Profile "${profile}" has no login.`);
    }
    await storeLogin(file, { profile, login: null });
    out.line(`Logged out of profile "${profile}".`);
    return undefined;
  },
});

const whoami = command({
  name: "whoami",
  summary: "Show which merchant you are, where, and where that is configured",
  examples: ["whoami", "whoami --profile production --json"],
  run: async ({ context }) => {
    const { client, settings } = await context.session();
    const merchant = await client.developer.merchant();
    if (context.out.json) {
      context.out.value({ ...merchant, ...configured(settings) });
      return undefined;
    }
    const { time, ...shown } = merchant;
    showObject(context, { ...shown, platform_time: timeIn(context, time), ...configured(settings) });
    return undefined;
  },
});

const configured = (settings: Settings) => ({
  base_url: settings.baseUrl,
  profile: settings.profile,
  api_key_from: settings.source,
  has_api_secret: settings.apiSecret !== "",
  webhook_secrets: settings.webhookSecrets.length,
  config_file: settings.projectFile ?? "",
});

export const loginCommands: readonly Command[] = [login, logout, whoami];
