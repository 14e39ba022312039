import type { Flags, FlagValues } from "./command.ts";
import type { GlobalValues } from "./context.ts";

/** A call to the platform may take that long; a purchase or a move of the clock takes a few seconds at most. */
const timeoutSecondsDefault = 30;
const timeoutSecondsMax = 600;

export const globalFlags = {
  profile: { kind: "text", value: "NAME", about: "which profile of the configuration to use (CARDWRIGHT_PROFILE)" },
  "base-url": { kind: "text", value: "URL", about: "where the platform is (CARDWRIGHT_BASE_URL)" },
  config: {
    kind: "text",
    value: "FILE",
    about: "the configuration file; cardwright.json of this folder or of one above when absent",
  },
  json: { kind: "switch", about: "print JSON as it comes over the wire, instead of tables" },
  "no-color": { kind: "switch", about: "no colours; so does NO_COLOR in the environment" },
  timezone: {
    kind: "text",
    value: "UTC+8",
    about: "in which times are read and shown; this machine's when absent",
  },
  language: {
    kind: "text",
    value: "LANGUAGE",
    oneOf: ["en_US", "zh_CN"],
    fallback: "en_US",
    about: "of the platform's messages",
  },
  timeout: {
    kind: "count",
    value: "SECONDS",
    min: 1,
    max: timeoutSecondsMax,
    fallback: timeoutSecondsDefault,
    about: "how long one call may take",
  },
  help: { kind: "switch", short: "h", about: "what the command does and takes" },
} as const satisfies Flags;

export type GlobalFlagValues = FlagValues<typeof globalFlags>;

export function globalValues(flags: GlobalFlagValues): GlobalValues {
  return {
    profile: flags.profile,
    baseUrl: flags["base-url"],
    config: flags.config,
    timezone: flags.timezone,
    language: flags.language,
    timeoutSeconds: flags.timeout,
  };
}
