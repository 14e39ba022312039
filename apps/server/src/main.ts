import { pino } from "pino";
import { DatabaseRefused } from "#database/index.ts";
import { ConfigError, readConfig } from "./config.ts";
import { PortTaken, startPlatform } from "./platform.ts";

/**
 * The process: settings from the environment, roles by CARDWRIGHT_ROLE, SIGTERM and SIGINT stop it gracefully. What a person must
 * mend is said in one sentence, with exit code 1.
 */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = pino({ level: config.LOG_LEVEL, base: { role: config.CARDWRIGHT_ROLE } });
  const platform = await startPlatform({ config, log });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void platform.stop().then(() => process.exit(0)));
  }
}

try {
  await main();
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof DatabaseRefused || error instanceof PortTaken;
  process.stderr.write(
    `${expected ? error.message : `unexpected: ${error instanceof Error ? error.stack : String(error)}`}\n`,
  );
  process.exit(1);
}
