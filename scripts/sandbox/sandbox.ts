import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ExampleMerchant, startExampleMerchant } from "@cardwright/example-merchant";
import { type Logger, pino } from "pino";
import { type Config, readConfig } from "../../apps/server/src/config.ts";
import { type Platform, startPlatform } from "../../apps/server/src/platform.ts";
import { createProgramme, enrolMerchant, merchantExists, type OperatorDesk, setCallbackUrl } from "./enrol.ts";
import { readSettings, type SandboxMerchant, type SandboxSettings, writeSettings } from "./settings.ts";

/** Where things listen; 0 takes a free port. */
export interface Ports {
  readonly api: number;
  readonly network: number;
  readonly operations: number;
  readonly kyc: number;
  readonly creditMerchant: number;
  readonly authorizationMerchant: number;
}

export const anyPorts: Ports = {
  api: 0,
  network: 0,
  operations: 0,
  kyc: 0,
  creditMerchant: 0,
  authorizationMerchant: 0,
};

/** The platform and the two example merchants, each with its own server and its own books. */
export interface Sandbox {
  readonly platform: Platform;
  readonly desk: OperatorDesk;
  readonly credit: RunningMerchant;
  readonly authorization: RunningMerchant;
  stop(): Promise<void>;
}

export interface RunningMerchant {
  readonly account: SandboxMerchant;
  readonly server: ExampleMerchant;
}

export interface SandboxOptions {
  /** Keeps the settings, the merchants' books and the log. */
  readonly directory: string;
  readonly databaseUrl: string;
  readonly ports: Ports;
  /** True: merchants of their own for this run, beside whatever is there. */
  readonly freshMerchants: boolean;
  readonly onSeed: () => void;
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const settings = await readSettings(options.directory);
  const config = configOf(options, settings);
  const log = await openLog({ file: join(options.directory, "platform.log"), level: config.LOG_LEVEL });
  const platform = await startPlatform({ config, log });
  const running: ExampleMerchant[] = [];
  const stop = async (): Promise<void> => {
    // The platform first: it still has pushes to deliver while it stops.
    await platform.stop();
    await Promise.all(running.map((merchant) => merchant.close()));
    await flush(log);
  };
  try {
    const { api, kycSimulator } = platform.urls;
    if (api === null || kycSimulator === null) {
      throw new Error("the sandbox plays every role");
    }
    const desk: OperatorDesk = { apiUrl: api, adminToken: settings.adminToken };
    const [credit, authorization] = await merchantsOf(options, { settings, desk });
    const open = async (account: SandboxMerchant, port: number): Promise<RunningMerchant> => {
      const server = await openMerchant({ ...options, account, port, platformUrl: api, kycUrl: kycSimulator });
      running.push(server);
      await setCallbackUrl(desk, { merchantNo: account.merchantNo, callbackUrl: server.callbackUrl });
      return { account, server };
    };
    return {
      platform,
      desk,
      credit: await open(credit, options.ports.creditMerchant),
      authorization: await open(authorization, options.ports.authorizationMerchant),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configOf({ databaseUrl, ports }: SandboxOptions, settings: SandboxSettings): Config {
  return readConfig({
    ...process.env,
    CARDWRIGHT_ENV: "sandbox",
    CARDWRIGHT_ROLE: "all",
    DATABASE_URL: databaseUrl,
    API_PORT: String(ports.api),
    NETWORK_PORT: String(ports.network),
    OPERATIONS_PORT: String(ports.operations),
    KYC_SIMULATOR_PORT: String(ports.kyc),
    VAULT_MASTER_KEYS: settings.masterKeys,
    ADMIN_TOKEN: settings.adminToken,
    NETWORK_TOKEN: settings.networkToken,
    SUMSUB_URL: "",
    SUMSUB_APP_TOKEN: settings.sumsubAppToken,
    SUMSUB_SECRET: settings.sumsubSecret,
    SUMSUB_WEBHOOK_SECRET: settings.sumsubWebhookSecret,
  });
}

/** The merchants of this run: those of the settings where the database knows them, otherwise new ones. */
async function merchantsOf(
  options: SandboxOptions,
  parts: { readonly settings: SandboxSettings; readonly desk: OperatorDesk },
): Promise<readonly [SandboxMerchant, SandboxMerchant]> {
  const { settings, desk } = parts;
  const known = options.freshMerchants ? [] : settings.merchants;
  const credit = known.find(({ mode }) => mode === "CREDIT_EXTENSION");
  const authorization = known.find(({ mode }) => mode === "AUTHORIZATION");
  if (
    credit !== undefined &&
    authorization !== undefined &&
    (await merchantExists(desk, credit.merchantNo)) &&
    (await merchantExists(desk, authorization.merchantNo))
  ) {
    return [credit, authorization];
  }
  options.onSeed();
  const programme = await createProgramme(desk);
  const merchants = [
    await enrolMerchant(desk, { name: "Acme Wallet", mode: "CREDIT_EXTENSION", programme }),
    await enrolMerchant(desk, { name: "Borealis Pay", mode: "AUTHORIZATION", programme }),
  ] as const;
  if (!options.freshMerchants) {
    await writeSettings(options.directory, { ...settings, merchants });
  }
  return merchants;
}

async function openMerchant(parts: {
  readonly directory: string;
  readonly account: SandboxMerchant;
  readonly port: number;
  readonly platformUrl: string;
  readonly kycUrl: string;
}): Promise<ExampleMerchant> {
  const { account } = parts;
  const books = join(parts.directory, "merchants");
  await mkdir(books, { recursive: true, mode: 0o700 });
  return startExampleMerchant({
    port: parts.port,
    database: join(books, `${account.merchantNo}.sqlite`),
    platformUrl: parts.platformUrl,
    kycUrl: parts.kycUrl,
    apiKey: account.apiKey,
    apiSecret: account.apiSecret,
    webhookSecret: account.webhookSecret,
    appId: account.appId,
    mode: account.mode,
    cardProduct: account.productNo,
  });
}

/** Waits until the file is open: a process that ends before that fails while it flushes its log. */
async function openLog(options: { readonly file: string; readonly level: Config["LOG_LEVEL"] }): Promise<Logger> {
  const destination = pino.destination({ dest: options.file, mkdir: true, sync: false });
  await once(destination, "ready");
  return pino({ level: options.level }, destination);
}

async function flush(log: Logger): Promise<void> {
  await new Promise<void>((resolve) => log.flush(() => resolve()));
}
