import { pino } from "pino";
import { readConfig } from "./config.ts";
import { startPlatform } from "./platform.ts";
import { startFailure } from "./start-failure.ts";
import { stopSignal } from "./stop-signals.ts";

/**
 * The process: settings from the environment, roles by CARDWRIGHT_ROLE, SIGTERM and SIGINT stop it gracefully. What a person must
 * mend is said in one sentence, with exit code 1.
 */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = pino({ level: config.LOG_LEVEL, base: { role: config.CARDWRIGHT_ROLE } });
  // Heard from the beginning: an orchestrator may change its mind while the database is being migrated.
  const stop = stopSignal();
  const platform = await startPlatform({ config, log });
  await stop;
  await platform.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${startFailure(error) ?? `unexpected: ${stack}`}\n`);
  process.exit(1);
}
