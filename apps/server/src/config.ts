import { z } from "zod";

/** A port; 0 takes a free one. */
const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const secret = z.string().min(24, "must have at least 24 characters");
const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );

export const roles = ["api", "worker", "network", "all"] as const;
export type Role = (typeof roles)[number];

/** Every setting of a process, read once from the environment. Unknown variables are other programs' business. */
const settings = z.object({
  CARDWRIGHT_ENV: z.enum(["sandbox", "production"]).default("production"),
  CARDWRIGHT_ROLE: z.enum(roles).default("all"),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//u, "must be a URL that starts with postgres://"),
  /** Connections of one process to the database; 8 is the best number on 2 cores. */
  DATABASE_POOL: z.coerce.number().int().min(2).max(100).default(8),
  HTTP_HOST: z.string().default("127.0.0.1"),
  API_PORT: port(4600),
  NETWORK_PORT: port(4601),
  /** Health and metrics: not for the public. */
  OPERATIONS_PORT: port(4602),
  /** Scheme and host under which merchants reach the API, for its reference; the address it listens on when empty. */
  PUBLIC_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/u })]).default(""),
  /** Addresses or ranges of proxies whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: list,
  /** `id:base64` of 32 bytes, comma separated; the first one encrypts. */
  VAULT_MASTER_KEYS: z.string().min(1),
  ADMIN_TOKEN: secret,
  NETWORK_TOKEN: secret,
  /** Empty in the sandbox: then the API process brings its own KYC simulator, on KYC_SIMULATOR_PORT. */
  SUMSUB_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/u })]).default(""),
  SUMSUB_APP_TOKEN: z.string().min(1),
  SUMSUB_SECRET: z.string().min(1),
  SUMSUB_WEBHOOK_SECRET: z.string().min(1),
  KYC_SIMULATOR_PORT: port(4603),
  /**
   * An exchange rate that is older converts nothing: purchases in its currency are declined until there is a younger one. Five days
   * pass between two publications at Easter; a week leaves room for a holiday more. Not in the sandbox, whose clock moves by years.
   */
  EXCHANGE_RATE_DAYS_MAX: z.coerce.number().int().min(1).max(366).default(7),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "silent"]).default("info"),
});

const schema = settings.refine(
  ({ CARDWRIGHT_ENV, SUMSUB_URL }) => CARDWRIGHT_ENV === "sandbox" || SUMSUB_URL.startsWith("https://"),
  { path: ["SUMSUB_URL"], message: "production needs an https URL" },
);

export type Config = Readonly<z.output<typeof schema>>;

/** What may never be printed. A total list of the secret settings, so that `describeConfig` shows everything else. */
const secrets: readonly (keyof Config)[] = [
  "DATABASE_URL",
  "VAULT_MASTER_KEYS",
  "ADMIN_TOKEN",
  "NETWORK_TOKEN",
  "SUMSUB_APP_TOKEN",
  "SUMSUB_SECRET",
  "SUMSUB_WEBHOOK_SECRET",
];

/** A setting that is missing or wrong, as one sentence without any value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads and checks the settings; throws a `ConfigError` that names every wrong one. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) {
    return Object.freeze(parsed.data);
  }
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = path.join(".");
    return given[name] === undefined ? `${name} is not set` : `${name} is wrong (${message})`;
  });
  throw new ConfigError(`the settings cannot be used: ${problems.join("; ")}`);
}

/** The settings with every secret replaced, for the log line at start. */
export function describeConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      secrets.some((hidden) => hidden === name) ? "[redacted]" : value,
    ]),
  );
}
