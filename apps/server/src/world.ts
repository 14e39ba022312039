import type { FastifyInstance, FastifyPluginCallback } from "fastify";
import type { Logger } from "pino";
import { type Clock, systemClock } from "#kernel/index.ts";
import { ipAllowed } from "#merchants/index.ts";
import type { ScenarioStage } from "#sandbox/index.ts";
import { type composeRooms, describeError, type Pools, type Rooms } from "./compose.ts";
import type { Config } from "./config.ts";
import { kycWebhookPath } from "./kyc-webhooks.ts";
import { scheduledWork } from "./scheduled-work.ts";

interface WorldParts {
  readonly config: Config;
  readonly log: Logger;
  readonly pools: Pick<Pools, "app">;
  /** Steps that end what was opened here, the last one first. */
  readonly undo: (() => Promise<unknown>)[];
}

/** The sandbox as the platform sees it. */
export interface SandboxFace {
  readonly api: FastifyPluginCallback;
  letGo(): void;
  stop(): Promise<void>;
}

/** What stands around the rooms: in production the real world, in the sandbox simulators of it. */
export interface World {
  readonly clock: Clock;
  readonly kycUrl: string;
  readonly kycSimulatorUrl: string | null;
  readonly maker: Parameters<typeof composeRooms>[0]["maker"];
  /** Tells the KYC simulator where this process receives webhooks. */
  kycWebhookUrl(url: string): void;
  sandboxOf(parts: {
    readonly rooms: Rooms;
    readonly networkUrl: string;
    /** This process's API server, once there is one. */
    readonly api: () => FastifyInstance | null;
    readonly apiUrl: () => string;
    readonly isStopping: () => boolean;
  }): Promise<SandboxFace | null>;
}

export async function openWorld(parts: WorldParts): Promise<World> {
  return parts.config.CARDWRIGHT_ENV === "sandbox" ? openSandboxWorld(parts) : openRealWorld(parts);
}

function openRealWorld({ config }: WorldParts): World {
  return {
    clock: systemClock,
    kycUrl: config.SUMSUB_URL,
    kycSimulatorUrl: null,
    maker: {
      // Physical cards wait in Pending until a card maker is connected: the port is there, the company is the operator's choice.
      order: async () => undefined,
      stateOf: async () => "ordered",
    },
    kycWebhookUrl: () => undefined,
    sandboxOf: async () => null,
  };
}

async function openSandboxWorld({ config, log, pools, undo }: WorldParts): Promise<World> {
  // Loaded here alone, so that nothing of the sandbox is even read in production.
  const sandbox = await import("#sandbox/index.ts");
  const clock = await sandbox.createMovableClock({
    pool: pools.app,
    onError: (error) => log.error({ error: describeError(error) }, "the sandbox's clock could not be read"),
  });
  undo.push(() => clock.stop());
  const bringsKyc = config.SUMSUB_URL === "" && (config.CARDWRIGHT_ROLE === "all" || config.CARDWRIGHT_ROLE === "api");
  const simulator = bringsKyc
    ? await sandbox.startKycSimulator({
        port: config.KYC_SIMULATOR_PORT,
        appToken: config.SUMSUB_APP_TOKEN,
        secret: config.SUMSUB_SECRET,
        webhookSecret: config.SUMSUB_WEBHOOK_SECRET,
        webhookUrl: () => webhookUrl,
        clock,
      })
    : null;
  if (simulator !== null) {
    undo.push(() => simulator.close());
  }
  let webhookUrl = `http://${config.HTTP_HOST}:${config.API_PORT}${kycWebhookPath}`;
  const simulatorUrl = simulator?.url ?? `http://${config.HTTP_HOST}:${config.KYC_SIMULATOR_PORT}`;
  return {
    clock,
    kycUrl: config.SUMSUB_URL === "" ? simulatorUrl : config.SUMSUB_URL,
    kycSimulatorUrl: simulator?.url ?? null,
    maker: sandbox.createCardMaker({ pool: pools.app, clock }),
    kycWebhookUrl: (url) => {
      webhookUrl = url;
    },
    sandboxOf: async ({ rooms, networkUrl, api, apiUrl, isStopping }) => {
      await sandbox.seedExchangeRates(rooms.exchange);
      return sandbox.createSandbox({
        pool: pools.app,
        clock,
        machineClock: systemClock,
        merchants: rooms.merchants,
        apiUrl,
        time: { work: scheduledWork(rooms), slowWork: [rooms.callbacks.dueWork], isStopping },
        reveal: (card) => rooms.vault.revealForSandboxNetwork(card),
        networkUrl: () => networkUrl,
        networkToken: config.NETWORK_TOKEN,
        findCard: (key) => rooms.cards.find(key),
        merchantOf: async (apiKey, address) => {
          const caller = await rooms.merchants.authenticate(apiKey);
          return caller !== null &&
            caller.credential.status === "Enabled" &&
            ipAllowed(caller.credential.allowList, address)
            ? { merchantId: caller.merchant.merchantId }
            : null;
        },
        onError: (error) => log.error({ error: describeError(error) }, "the sandbox failed"),
        scenarios: {
          adminToken: config.ADMIN_TOKEN,
          call: (request, from) => callOwnApi(api(), request, from),
          merchant: async (merchantId) => {
            const merchant = await rooms.merchants.get(merchantId);
            if (merchant === null) throw new Error("a merchant that has called has gone");
            const mode = merchant.mode === "CREDIT_EXTENSION" ? "credit" : "authorization";
            return { merchantNo: merchant.merchantNo, mode };
          },
          pushesOf: async (card) =>
            (await rooms.callbacks.history.list(card)).map(({ callbackId, action, dataText }) => ({
              callbackId,
              callback: { action, data: JSON.parse(dataText) },
            })),
        },
      });
    },
  };
}

/** A call to this process's API as if it came over the network from that address: the same routes, checks and answers. */
async function callOwnApi(
  api: FastifyInstance | null,
  request: Parameters<ScenarioStage["call"]>[0],
  from: string,
): ReturnType<ScenarioStage["call"]> {
  if (api === null) throw new Error("this process has no API server");
  const { method, path, headers, body } = request;
  const answer = await api.inject({
    method,
    url: path,
    headers,
    remoteAddress: from,
    ...(body !== undefined && { payload: body }),
  });
  const json: unknown = answer.json();
  return {
    status: answer.statusCode,
    json: typeof json === "object" && json !== null ? Object.fromEntries(Object.entries(json)) : {},
  };
}
