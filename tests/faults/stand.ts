import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type ExampleMerchant, startExampleMerchant } from "@cardwright/example-merchant";
import type { Pool } from "pg";
import { createPool } from "../../apps/server/src/database/index.ts";
import { systemClock } from "../../apps/server/src/kernel/index.ts";
import { type CardData, createVault, type Vault } from "../../apps/server/src/vault/index.ts";
import { createProgramme, enrolMerchant, setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import { call } from "../../scripts/sandbox/http.ts";
import type { SandboxMerchant } from "../../scripts/sandbox/settings.ts";
import { newSecrets, type PlatformProcess, portOf, runPlatform } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type Door, openDoor } from "./door.ts";

/** A process of the platform that can be killed and comes back. */
export interface Place {
  readonly name: string;
  readonly role: "network" | "worker";
  /** Null while it is starting. */
  running: PlatformProcess | null;
  /** Of the last start. */
  started: Promise<void>;
}

export interface StandCard {
  readonly cardNo: string;
  readonly printed: CardData;
}

/** One of a merchant's users. */
export interface Customer {
  readonly userId: string;
  readonly cardholderNo: string;
  /** What was paid in, decimal text. */
  readonly opening: string;
  readonly cards: readonly StandCard[];
}

export interface StandMerchant {
  readonly account: SandboxMerchant;
  readonly merchantId: number;
  readonly example: ExampleMerchant;
  readonly door: Door;
  readonly customers: Customer[];
}

/** The platform in five processes, with an example merchant in each mode, which live here and are never killed. */
export interface Stand {
  readonly pool: Pool;
  readonly apiUrl: string;
  readonly networkToken: string;
  readonly places: readonly [network: Place, otherNetwork: Place, worker: Place];
  readonly merchants: readonly [credit: StandMerchant, authorization: StandMerchant];
  /** Starts a process again after it has ended. */
  restart(place: Place): void;
  /** Signs a user up at the merchant and opens cards for them, over the public API. */
  signUp(
    merchant: StandMerchant,
    wanted: { readonly name: string; readonly balance: string; readonly cards: number },
  ): Promise<Customer>;
  /** Moves the platform's clock on, in all processes; an ISO 8601 duration. */
  moveClock(advance: string): Promise<void>;
  close(): Promise<void>;
}

export interface StandOptions {
  readonly databaseUrl: string;
  readonly say: (text: string) => void;
}

/** Starts everything. What has been started when it throws is ended by `endAll` of the processes, and by the end of this one. */
export async function openStand({ databaseUrl, say }: StandOptions): Promise<Stand> {
  const secrets = newSecrets();
  const folder = await temporaryFolder("faults");
  const common = { ...secrets, DATABASE_URL: databaseUrl };
  say("starting the platform");
  let known: Readonly<Record<string, string>> = {};
  const start = async (place: Place): Promise<void> => {
    place.running = await runPlatform({
      ...common,
      ...(place.role === "worker" && known),
      CARDWRIGHT_ROLE: place.role,
    });
  };
  const restart = (place: Place): void => {
    place.running = null;
    place.started = start(place);
    // Whoever waits for it hears of a failure; until then it must not end this process.
    place.started.catch(() => {});
  };
  const places = [
    newPlace("network 1", "network"),
    newPlace("network 2", "network"),
    newPlace("worker", "worker"),
  ] as const;
  const [network, otherNetwork, worker] = places;
  restart(network);
  restart(otherNetwork);
  const api = await runPlatform({ ...common, CARDWRIGHT_ROLE: "api" });
  known = { API_PORT: portOf(api.api), KYC_SIMULATOR_PORT: portOf(api.kycSimulator) };
  restart(worker);
  await Promise.all(places.map((place) => place.started));

  const pool = openPool(databaseUrl, "cardwright_app");
  const vaultPool = openPool(databaseUrl, "cardwright_vault");
  const vault = createVault({ pool: vaultPool, masterKeys: secrets.VAULT_MASTER_KEYS, clock: systemClock });
  const desk = { apiUrl: api.api, adminToken: secrets.ADMIN_TOKEN };
  say("enrolling the merchants");
  const programme = await createProgramme(desk);
  const enrol = async (mode: SandboxMerchant["mode"]): Promise<StandMerchant> => {
    const account = await enrolMerchant(desk, { name: `Faults ${mode}`, mode, programme });
    const example = await startExampleMerchant({
      port: 0,
      database: join(folder, `${account.merchantNo}.sqlite`),
      platformUrl: api.api,
      kycUrl: api.kycSimulator,
      apiKey: account.apiKey,
      apiSecret: account.apiSecret,
      webhookSecret: account.webhookSecret,
      appId: account.appId,
      mode,
      cardProduct: account.productNo,
    });
    const door = await openDoor(example);
    await setCallbackUrl(desk, { merchantNo: account.merchantNo, callbackUrl: door.callbackUrl });
    return { account, merchantId: await merchantIdOf(pool, account), example, door, customers: [] };
  };
  const merchants = [await enrol("CREDIT_EXTENSION"), await enrol("AUTHORIZATION")] as const;
  return {
    pool,
    apiUrl: api.api,
    networkToken: secrets.NETWORK_TOKEN,
    places,
    merchants,
    restart,
    signUp: (merchant, wanted) => signUp(vault, merchant, wanted),
    moveClock: async (advance) => {
      const headers = { "Api-Key": merchants[0].account.apiKey };
      await call({ url: `${api.api}/sandbox/v1/clock`, headers, body: { advance } });
    },
    close: async () => {
      await Promise.all(merchants.flatMap(({ door, example }) => [door.close(), example.close()]));
      await Promise.all([pool.end(), vaultPool.end()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function newPlace(name: string, role: Place["role"]): Place {
  return { name, role, running: null, started: Promise.resolve() };
}

function openPool(url: string, role: "cardwright_app" | "cardwright_vault"): Pool {
  return createPool({
    url,
    role,
    max: 4,
    applicationName: "cardwright faults",
    statementTimeoutMs: 120_000,
    // The database may be killed on purpose; whoever asks it next hears of it.
    onConnectionError: () => {},
  });
}

async function merchantIdOf(pool: Pool, { merchantNo }: SandboxMerchant): Promise<number> {
  const { rows } = await pool.query<{ merchant_id: number }>(
    "SELECT merchant_id FROM merchant WHERE merchant_no = $1",
    [merchantNo],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no merchant ${merchantNo}`);
  return row.merchant_id;
}

async function signUp(
  vault: Vault,
  merchant: StandMerchant,
  wanted: { readonly name: string; readonly balance: string; readonly cards: number },
): Promise<Customer> {
  const { example, merchantId } = merchant;
  const form = { name: wanted.name, email: "someone@example.com", balance: wanted.balance };
  const { body: user } = await call<{ id: string; cardholder_no: string }>({ url: `${example.url}/users`, body: form });
  const cards: StandCard[] = [];
  while (cards.length < wanted.cards) {
    const url = `${example.url}/users/${user.id}/cards`;
    const { body: card } = await call<{ card_no: string }>({ url, body: { type: "Virtual" } });
    const printed = await vault.revealForSandboxNetwork({ merchantId, cardNo: card.card_no });
    if (!printed.ok) throw new Error(`card ${card.card_no} has no number`);
    cards.push({ cardNo: card.card_no, printed: printed.value });
  }
  const customer = { userId: user.id, cardholderNo: user.cardholder_no, opening: wanted.balance, cards };
  merchant.customers.push(customer);
  return customer;
}
