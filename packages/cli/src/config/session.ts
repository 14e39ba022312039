import type { Cardwright } from "@cardwright/sdk";
import type { Context } from "../command/context.ts";
import { CommandFailed } from "../exit-codes.ts";
import { timezoneOf } from "../input/times.ts";
import { isLoopback, readSettings, type Settings, variables } from "./settings.ts";

/** Who calls where. */
export interface Session {
  readonly settings: Settings;
  readonly client: Cardwright;
  /** The platform's business time, Unix ms: in a sandbox it may be ahead of this machine's. */
  readonly businessNow: () => Promise<number>;
}

type Known = Pick<Context, "globals" | "env" | "folder" | "out" | "signal">;

/** Throws exit "notLoggedIn" when nobody has said which Api-Key to use. */
export async function openSession(context: Known, needs: "key" | "secret"): Promise<Session> {
  const settings = await readSettings(context);
  if (settings.apiKey === "" || (needs === "secret" && settings.apiSecret === "")) {
    const what = settings.apiKey === "" ? "an Api-Key" : "the apiSecret";
    throw new CommandFailed("notLoggedIn", `There is no login for ${settings.baseUrl}: this needs ${what}.`, {
      hint: `Run cardwright login, or set ${settings.apiKey === "" ? variables.apiKey : variables.apiSecret}.`,
    });
  }
  return sessionWith(context, settings);
}

/** A client for these settings, whether or not they are good. */
export async function sessionWith(context: Known, settings: Settings): Promise<Session> {
  const { globals, out, signal } = context;
  if (settings.baseUrl.startsWith("http:") && !isLoopback(settings.baseUrl)) {
    out.warn(`${settings.baseUrl} is not encrypted: others may read your credentials on the way`);
  }
  // Loaded here, so that help and completion start without it.
  const { Cardwright } = await import("@cardwright/sdk");
  const timeoutMs = globals.timeoutSeconds * 1_000;
  const client = new Cardwright({
    baseUrl: settings.baseUrl,
    apiKey: settings.apiKey,
    apiSecret: settings.apiSecret === "" ? undefined : settings.apiSecret,
    appId: settings.appId === "" ? undefined : settings.appId,
    webhookSecrets: settings.webhookSecrets,
    language: globals.language,
    timezone: timezoneOf(out.offsetMinutes),
    timeoutMs,
    totalTimeoutMs: timeoutMs,
    // A command that is interrupted gives up the call under way too.
    fetch: (url, init) =>
      fetch(url, { ...init, signal: AbortSignal.any([signal, ...(init.signal ? [init.signal] : [])]) }),
  });
  let known: Promise<number> | null = null;
  return {
    settings,
    client,
    businessNow: () => (known ??= client.developer.merchant().then(({ time }) => time)),
  };
}
