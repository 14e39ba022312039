import { parseArgs } from "node:util";
import { startExampleMerchant } from "./example-merchant.ts";

/** Each flag may also come from the environment (`--api-key` is MERCHANT_API_KEY): secrets in flags show in `ps`. */
const flags = [
  "port",
  "database",
  "platform-url",
  "api-key",
  "api-secret",
  "webhook-secret",
  "app-id",
  "mode",
  "card-product",
  "kyc-url",
] as const;
type Flag = (typeof flags)[number];

const given = parseArgs({
  options: Object.fromEntries(flags.map((flag) => [flag, { type: "string" } as const])),
}).values;

function variableOf(flag: Flag): string {
  return `MERCHANT_${flag.toUpperCase().replaceAll("-", "_")}`;
}

function optionalSetting(flag: Flag): string | undefined {
  const value = given[flag] ?? process.env[variableOf(flag)];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function setting(flag: Flag): string {
  return optionalSetting(flag) ?? fail(`--${flag} or ${variableOf(flag)} is needed`);
}

function fail(why: string): never {
  console.error(`example merchant: ${why}`);
  process.exit(1);
}

const mode = setting("mode");
if (mode !== "CREDIT_EXTENSION" && mode !== "AUTHORIZATION") fail("--mode is CREDIT_EXTENSION or AUTHORIZATION");

try {
  const merchant = await startExampleMerchant({
    port: Number(setting("port")),
    database: setting("database"),
    platformUrl: setting("platform-url"),
    apiKey: setting("api-key"),
    apiSecret: setting("api-secret"),
    webhookSecret: optionalSetting("webhook-secret"),
    appId: setting("app-id"),
    mode,
    cardProduct: setting("card-product"),
    kycUrl: setting("kyc-url"),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void merchant.close());
  console.log(`Example merchant (${mode}) on ${merchant.url}, callbacks to ${merchant.callbackUrl}`);
} catch (error) {
  fail(error instanceof Error ? error.message : "could not start");
}
