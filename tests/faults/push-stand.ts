import type { Pool } from "pg";
import { uuid7 } from "../../apps/server/src/kernel/index.ts";
import { createMerchants } from "../../apps/server/src/merchants/index.ts";
import { createMovableClock, type MovableClock } from "../../apps/server/src/sandbox/index.ts";
import { createApiSecret, createVault, createWebhookSecret } from "../../apps/server/src/vault/index.ts";
import type { TestDatabase } from "../support/database.ts";
import { newSecrets, type PlatformProcess, runPlatform } from "../support/processes.ts";
import { type DoorMerchant, type Manner, openPushDoor, type PushDoor } from "./push-door.ts";
import type { Choices } from "./random.ts";

/** A push as it was queued. */
export interface QueuedPush {
  /** Place in the list of merchants. */
  readonly merchant: number;
  readonly id: string;
  readonly cardNo: string;
  readonly sequence: number;
  readonly action: "Consumption" | "Card_update";
  readonly dataText: string;
}

/** A worker process that can be killed and comes back. */
export interface WorkerPlace {
  readonly name: string;
  /** Null while it is starting. */
  running: PlatformProcess | null;
  /** Of the last start. */
  started: Promise<void>;
}

/** Workers of the real platform that deliver to several merchants whose server lives here and is never killed. */
export interface PushStand {
  readonly pool: Pool;
  readonly clock: MovableClock;
  readonly door: PushDoor;
  readonly merchantIds: readonly number[];
  readonly workers: readonly WorkerPlace[];
  readonly queued: readonly QueuedPush[];
  /** Starts a worker again after it has ended. */
  restart(worker: WorkerPlace): void;
  /** Queues pushes about cards chosen at random, of all merchants, as the rooms do: with the next sequence of each card. */
  queue(pushes: number): Promise<void>;
  /** Pushes that a worker has claimed and not finished. */
  claimed(): Promise<number>;
  close(): Promise<void>;
}

export interface PushStandOptions {
  readonly db: TestDatabase;
  readonly manners: readonly Manner[];
  readonly cardsOfMerchant: number;
  readonly workers: number;
  readonly choices: Choices;
  /** Whether slow merchants are sometimes slower than the 5 s that a try lasts. */
  readonly tooLate: boolean;
}

const by = { actor: "faults" };

export async function openPushStand(options: PushStandOptions): Promise<PushStand> {
  const { db, manners, choices } = options;
  const secrets = newSecrets();
  const clock = await createMovableClock({ pool: db.pool, onError: () => {} });
  const merchants = await enrol({ db, masterKeys: secrets.VAULT_MASTER_KEYS, clock, manners });
  const door = await openPushDoor(merchants, { choices, tooLate: options.tooLate });
  await Promise.all(
    merchants.map(({ merchantId }, place) =>
      db.ownerPool.query("UPDATE merchant SET callback_url = $2 WHERE merchant_id = $1", [
        merchantId,
        door.urlOf(place),
      ]),
    ),
  );
  const start = async (worker: WorkerPlace): Promise<void> => {
    worker.running = await runPlatform({ ...secrets, DATABASE_URL: db.url, CARDWRIGHT_ROLE: "worker" });
  };
  const restart = (worker: WorkerPlace): void => {
    worker.running = null;
    worker.started = start(worker);
    // Whoever waits for it hears of a failure; until then it must not end this process.
    worker.started.catch(() => {});
  };
  const workers = Array.from(
    { length: options.workers },
    (_, place): WorkerPlace => ({ name: `worker ${place + 1}`, running: null, started: Promise.resolve() }),
  );
  workers.forEach(restart);
  const merchantIds = merchants.map(({ merchantId }) => merchantId);
  const queued: QueuedPush[] = [];
  const sequences = new Map<string, number>();
  return {
    pool: db.pool,
    clock,
    door,
    merchantIds,
    workers,
    queued,
    restart,
    queue: async (count) => {
      const pushes = Array.from({ length: count }, () => newPush({ ...options, clock, sequences }));
      await insertPushes(db.pool, { pushes, merchantIds, nowMs: clock.now() });
      queued.push(...pushes);
    },
    claimed: async () => {
      const { rowCount } = await db.pool.query("SELECT 1 FROM callback WHERE lease_until > $1", [clock.now()]);
      return rowCount ?? 0;
    },
    close: async () => {
      await door.close();
      await clock.stop();
    },
  };
}

async function enrol(options: {
  readonly db: TestDatabase;
  readonly masterKeys: string;
  readonly clock: MovableClock;
  readonly manners: readonly Manner[];
}): Promise<readonly (DoorMerchant & { readonly merchantId: number })[]> {
  const { db, masterKeys, clock, manners } = options;
  const vault = createVault({ pool: db.vaultPool, masterKeys, clock });
  const room = createMerchants({
    pool: db.pool,
    clock,
    requireHttps: false,
    secrets: {
      create: createApiSecret,
      store: (secret) => vault.storeSecret(secret),
      delete: (secret) => vault.deleteSecret(secret),
    },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
  const merchants: (DoorMerchant & { readonly merchantId: number })[] = [];
  for (const manner of manners) {
    const merchant = await room.create({ name: `Pushes ${manner}`, mode: "CREDIT_EXTENSION" }, by);
    if (!merchant.ok) throw new Error(`a merchant was refused: ${merchant.reason}`);
    const { merchantId, appId } = merchant.value;
    const credential = await room.createCredential({ merchantId }, by);
    if (!credential.ok) throw new Error(`a credential was refused: ${credential.reason}`);
    const { apiSecret, webhookSecret } = credential.value;
    if (webhookSecret === null) throw new Error("the first credential came without a webhook secret");
    merchants.push({ manner, merchantId, appId, apiSecret, webhookSecret });
  }
  return merchants;
}

function newPush(
  options: PushStandOptions & { readonly clock: MovableClock; readonly sequences: Map<string, number> },
): QueuedPush {
  const { choices, manners, cardsOfMerchant, sequences, clock } = options;
  const merchant = choices.whole(0, manners.length - 1);
  const cardNo = `C20260522FAULTS${String(merchant).padStart(2, "0")}${String(choices.whole(1, cardsOfMerchant)).padStart(7, "0")}`;
  const sequence = (sequences.get(cardNo) ?? 0) + 1;
  sequences.set(cardNo, sequence);
  const time = clock.now();
  const action = choices.percent(20) ? "Card_update" : "Consumption";
  const dataText = `{"card_no":"${cardNo}","remark":"café ☕ & more = ${sequence}","amount":${choices.whole(1, 99_999) / 100},"time":${time}}`;
  return { merchant, id: uuid7(time), cardNo, sequence, action, dataText };
}

async function insertPushes(
  pool: Pool,
  queue: {
    readonly pushes: readonly QueuedPush[];
    readonly merchantIds: readonly number[];
    readonly nowMs: number;
  },
): Promise<void> {
  const { pushes, merchantIds, nowMs } = queue;
  await pool.query(
    `INSERT INTO callback_outbox (callbacks, size)
     SELECT array_agg(ROW(m, i, c, s, a, '', d, $7, $7, NULL)::outgoing_callback), count(*)
     FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[]) AS p (m, i, c, s, a, d)`,
    [
      pushes.map(({ merchant }) => merchantIds[merchant]),
      pushes.map(({ id }) => id),
      pushes.map(({ cardNo }) => cardNo),
      pushes.map(({ sequence }) => sequence),
      pushes.map(({ action }) => action),
      pushes.map(({ dataText }) => dataText),
      nowMs,
    ],
  );
}
