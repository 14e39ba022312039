import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stopSignal } from "../apps/server/src/stop-signals.ts";
import { fail } from "./failure.ts";
import { dataDirectoryHelp, dataDirectoryOf } from "./sandbox/data-directory.ts";
import { openDatabase } from "./sandbox/database.ts";
import { bold, dim, stepLines } from "./sandbox/print.ts";
import { type Ports, type Sandbox, startSandbox } from "./sandbox/sandbox.ts";
import { playStory } from "./sandbox/story.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const data = dataDirectoryOf(clone);
const logFile = relative(process.cwd(), join(data.path, "platform.log"));

const help = `npm start: the whole platform as a sandbox on this machine, with two example merchants

Settings (environment):
  DATABASE_URL             a Postgres 15 or newer of your own; an embedded one when absent
  API_PORT                 4600    merchants' API, operator API, sandbox API, reference
  NETWORK_PORT             4601    the card network's front
  OPERATIONS_PORT          4602    health and metrics
  KYC_SIMULATOR_PORT       4603    stands in for Sumsub
  CREDIT_MERCHANT_PORT     4611    example merchant that grants credit
  AUTHORIZATION_MERCHANT_PORT 4612 example merchant that is asked for each purchase
  ${dataDirectoryHelp}
A port of 0 takes a free one.
`;

function portOf(name: string, fallback: number): number {
  const text = process.env[name] ?? "";
  const port = text === "" ? fallback : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write(`${name} must be a port from 0 to 65535, not ${text}.\n`);
    process.exit(1);
  }
  return port;
}

const ports = (): Ports => ({
  api: portOf("API_PORT", 4600),
  network: portOf("NETWORK_PORT", 4601),
  operations: portOf("OPERATIONS_PORT", 4602),
  kyc: portOf("KYC_SIMULATOR_PORT", 4603),
  creditMerchant: portOf("CREDIT_MERCHANT_PORT", 4611),
  authorizationMerchant: portOf("AUTHORIZATION_MERCHANT_PORT", 4612),
});

type Say = (line: string) => void;
const say: Say = (line) => void process.stdout.write(`${line}\n`);

function describe(sandbox: Sandbox, tell: Say): void {
  const { urls } = sandbox.platform;
  tell(`\n${bold("Cardwright is running.")} ${dim("Ctrl-C stops it; the next npm start finds everything again.")}\n`);
  tell(`  Merchants' API     ${urls.api}/open-api/v1`);
  tell(`  Reference          ${urls.api}/docs`);
  tell(`  Operator API       ${urls.api}/operator/v1   ${dim(`Authorization: Bearer ${sandbox.desk.adminToken}`)}`);
  tell(`  Sandbox API        ${urls.api}/sandbox/v1/`);
  tell(`  Health, metrics    ${urls.operations}/readyz  /metrics`);
  for (const { account, server } of [sandbox.credit, sandbox.authorization]) {
    tell(`\n  ${bold(account.name)}  ${dim(`${account.mode}, ${account.merchantNo}`)}`);
    tell(`    its server       ${server.url}/`);
    tell(`    App ID           ${account.appId}`);
    tell(`    Api-Key          ${account.apiKey}`);
    tell(`    apiSecret        ${account.apiSecret}`);
    if (account.webhookSecret !== undefined) {
      tell(`    webhookSecret    ${account.webhookSecret}`);
    }
    tell(`    opens cards on   ${account.productNo}`);
  }
  tell(`\n${bold("Next")}`);
  tell(`  curl -s ${urls.api}/open-api/v1/merchant/token -H 'Api-Key: ${sandbox.credit.account.apiKey}'`);
  tell(`  Sign a user up at ${sandbox.authorization.server.url}/kyc, give them a card, and buy something:`);
  tell(`  curl -s ${urls.api}/sandbox/v1/purchases -H 'Api-Key: ${sandbox.authorization.account.apiKey}' \\`);
  tell(`    -H 'Content-Type: application/json' -d '{"card_no":"C…","amount":"12.50"}'`);
  tell(`  npm run verify       recomputes every balance from the first entry`);
  tell(`  Logs: ${logFile}\n`);
}

async function main(): Promise<void> {
  if (process.argv.includes("--help")) {
    say(help);
    return;
  }
  // Before anything that takes time, so that Ctrl-C during the start also stops what is up by then.
  const stop = stopSignal();
  const wanted = ports();
  const database = await openDatabase({ data, besideOthers: false, log: (sentence) => say(dim(sentence)) });
  let sandbox: Sandbox | null = null;
  try {
    sandbox = await startSandbox({
      directory: data.path,
      databaseUrl: database.url,
      ports: wanted,
      freshMerchants: false,
      onSeed: () => say(dim("The database is empty: setting up a card programme and a merchant per mode.")),
    });
    // After Ctrl-C the story goes on for a moment, but nobody wants to read it any more.
    const reader = { isThere: true };
    await Promise.race([show(sandbox, (line) => (reader.isThere ? say(line) : undefined)), stop]);
    reader.isThere = false;
    await stop;
    say("\nStopping…");
  } finally {
    await sandbox?.stop();
    await database.close();
  }
  say("Stopped.");
}

/** Plays the story once, then says what is there. */
async function show(sandbox: Sandbox, tell: Say): Promise<void> {
  tell(`\n${bold("A purchase in each mode")}`);
  const facts = await playStory(sandbox, (step) => tell(stepLines(step)));
  if (!facts.ok) {
    tell(`\nThe story did not go as it should; ${logFile} says more.`);
  }
  describe(sandbox, tell);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  fail(error);
}
