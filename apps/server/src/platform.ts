import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { operatorApi } from "#console-api/index.ts";
import { errorCode, isUnavailable, type Listening, listen } from "#database/index.ts";
import { runDueInOrder, systemClock } from "#kernel/index.ts";
import { callbackTargetChannel } from "#merchants/index.ts";
import { adviceRoute, buildNetworkFront, clearingRoute, reversalRoute } from "#network/index.ts";
import { openApi, openApiServerOptions } from "#open-api/index.ts";
import { parseMasterKeys } from "#vault/index.ts";
import { composeRooms, describeError, openPools, type Pools, prepareDatabase, type Rooms } from "./compose.ts";
import { type Config, ConfigError, describeConfig } from "./config.ts";
import { type DatabaseWatch, watchDatabase } from "./database-watch.ts";
import { kycWebhookPath, kycWebhooks } from "./kyc-webhooks.ts";
import { platform as bounds, callbackSecrets, scheduledWork as dueBounds, reserve, stopping } from "./limits.ts";
import { type Loop, startLoops } from "./loops.ts";
import { measureProcess } from "./metrics.ts";
import { buildOperations } from "./operations.ts";
import { countRequests, type RequestsUnderWay } from "./requests-under-way.ts";
import { scheduledWork } from "./scheduled-work.ts";
import { KeysRefused } from "./start-failure.ts";
import { openWorld, type SandboxFace } from "./world.ts";

/** Of a 503 while stopping: by then a balancer knows, or the process is back. */
const retryAfterSeconds = "2";

/** A running process of the platform. */
export interface Platform {
  /** Where its servers listen; null for a role that is not played here. */
  readonly urls: {
    readonly api: string | null;
    readonly network: string | null;
    readonly operations: string;
    readonly kycSimulator: string | null;
  };
  readonly rooms: Rooms;
  /** Finishes what is in flight, refuses new work with 503, and ends everything within 10 seconds. A repeat waits for the first. */
  stop(): Promise<void>;
}

/** What is undone in reverse order, at a stop or when a start fails half way. */
type Undo = () => Promise<unknown>;

/** Starts the roles of `config` on a database that is brought up to date first. Throws what went wrong, with nothing left running. */
export async function startPlatform(options: { readonly config: Config; readonly log: Logger }): Promise<Platform> {
  const undo: Undo[] = [];
  try {
    return await start(options, undo);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

async function undoAll(undo: Undo[]): Promise<void> {
  for (const step of undo.splice(0).toReversed()) {
    await step().catch(() => undefined);
  }
}

async function start(options: { readonly config: Config; readonly log: Logger }, undo: Undo[]): Promise<Platform> {
  const { config, log } = options;
  requireMasterKeys(config);
  log.info({ config: describeConfig(config) }, "starting");
  await prepareDatabase(config);
  const pools = openPools(config, log);
  undo.push(() => pools.end());
  const state = { stopping: false };
  const watch = watchDatabase(pools.app);
  undo.push(() => watch.stop());
  const plays = (role: "api" | "worker" | "network") =>
    config.CARDWRIGHT_ROLE === "all" || config.CARDWRIGHT_ROLE === role;

  const world = await openWorld({ config, log, pools, undo });
  const rooms = composeRooms({ config, log, pools, clock: world.clock, kycUrl: world.kycUrl, maker: world.maker });
  undo.push(() => rooms.kyc.close());
  measureProcess(rooms.metrics);
  await openVault(rooms);
  const targetChanges = hearOfTargetChanges({ log, pools, rooms });
  undo.push(() => targetChanges.stop());

  const serve = async (app: FastifyInstance, port: number): Promise<string> => {
    const url = await app.listen({ host: config.HTTP_HOST, port });
    undo.push(() => app.close());
    return url;
  };
  const doors: Door[] = [];
  const open = async (app: FastifyInstance, port: number): Promise<string> => {
    const url = await serve(app, port);
    doors.push({ app, underWay: countRequests(app.server, () => !state.stopping) });
    return url;
  };
  const operations = await serve(
    buildOperations({
      metrics: rooms.metrics.registry,
      unreadiness: async () =>
        state.stopping ? "stopping" : (await watch.look()) ? null : "the database cannot be reached",
    }),
    config.OPERATIONS_PORT,
  );
  if (plays("network")) {
    await rooms.authorization.warmUp();
  }
  const network = plays("network")
    ? await open(networkServer({ config, log, rooms, watch, state }), config.NETWORK_PORT)
    : null;
  let apiApp: FastifyInstance | null = null;
  let api: string | null = null;
  const sandbox = await world.sandboxOf({
    rooms,
    api: () => apiApp,
    apiUrl: () => reachableUrl(config, api),
    isStopping: () => state.stopping,
    networkUrl: network ?? `http://${config.HTTP_HOST}:${config.NETWORK_PORT}`,
  });
  apiApp = plays("api") ? await apiServer({ config, log, rooms, state, sandbox }) : null;
  api = apiApp === null ? null : await open(apiApp, config.API_PORT);
  if (api !== null) {
    world.kycWebhookUrl(`${api}${kycWebhookPath}`);
  }
  const loops = plays("worker")
    ? startLoops({ loops: workerLoops(rooms), onError: onLoopError({ log, rooms }) })
    : null;
  if (plays("worker")) {
    rooms.callbacks.delivery.start();
  }

  const end = async (): Promise<void> => {
    state.stopping = true;
    log.info("stopping");
    sandbox?.letGo();
    const deadline = Date.now() + stopping.deadlineMs;
    const left = () => Math.max(0, deadline - Date.now());
    // The operations server stays until the end: a probe must see that the process is not ready any more.
    await within(stopping.requestsMs, Promise.all(doors.map(closeDoor)));
    for (const { app } of doors) {
      // Who is still sending by then, or not reading its answer, would hold up the end.
      app.server.closeAllConnections();
    }
    await within(left(), loops?.stop() ?? Promise.resolve());
    await within(left(), rooms.authorization.stop({ deadlineMs: left() }));
    await within(left(), rooms.callbacks.stop());
    await within(left(), sandbox?.stop() ?? Promise.resolve());
    await within(Math.max(left(), 500), undoAll(undo));
    log.info("stopped");
  };
  let ended: Promise<void> | null = null;
  const kycSimulator = world.kycSimulatorUrl;
  log.info({ api, network, operations, kycSimulator }, "ready");
  return {
    urls: { api, network, operations, kycSimulator },
    rooms,
    stop: () => {
      ended ??= end();
      return ended;
    },
  };
}

function requireMasterKeys(config: Config): void {
  try {
    parseMasterKeys(config.VAULT_MASTER_KEYS);
  } catch (error) {
    // It names the entry by its place, never by its content.
    throw new ConfigError(
      `the settings cannot be used: ${error instanceof Error ? error.message : "VAULT_MASTER_KEYS"}`,
    );
  }
}

async function openVault({ vault }: Rooms): Promise<void> {
  try {
    await vault.warmUp();
  } catch (error) {
    // An error of the database has a code; without one it is about the keys.
    throw error instanceof Error && errorCode(error) === "" && !isUnavailable(error) ? new KeysRefused(error) : error;
  }
}

/** What a merchant's callbacks go by is kept in memory for seconds; whatever process changes it, all read it again at once. */
function hearOfTargetChanges(parts: { readonly log: Logger; readonly pools: Pools; readonly rooms: Rooms }): Listening {
  const { log, pools, rooms } = parts;
  return listen({
    pool: pools.notices,
    channel: callbackTargetChannel,
    onNotice: (merchantId) => rooms.callbacks.targetChanged(Number(merchantId)),
    onListening: () => rooms.callbacks.targetsMayHaveChanged(),
    onError: (error) => log.warn({ error: describeError(error) }, "changes of callback URLs are heard of late"),
  });
}

/** A server that the outside calls. */
interface Door {
  readonly app: FastifyInstance;
  readonly underWay: RequestsUnderWay;
}

/** New callers are told 503 as long as earlier ones wait for their answer; only then nobody listens any more. */
async function closeDoor({ app, underWay }: Door): Promise<void> {
  await underWay.over();
  await app.close();
}

/** Waits for `work`, but no longer than that; what is late is left behind, since the process ends. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([
    work.then(
      () => undefined,
      () => undefined,
    ),
    late,
  ]);
  clearTimeout(timer);
}

interface ServerParts {
  readonly config: Config;
  readonly log: Logger;
  readonly rooms: Rooms;
  readonly state: { readonly stopping: boolean };
}

function networkServer(parts: ServerParts & { readonly watch: DatabaseWatch }): FastifyInstance {
  const { config, log, rooms, watch, state } = parts;
  const app = fastify({
    logger: false,
    requestTimeout: bounds.requestTimeoutMs,
    return503OnClosing: false,
    forceCloseConnections: "idle",
  });
  /** What a message has changed is pushed: where this process also delivers, it need not wait for the next look. */
  const told =
    <Message, Answer>(take: (message: Message) => Promise<Answer>) =>
    async (message: Message): Promise<Answer> => {
      const answer = await take(message);
      rooms.callbacks.delivery.wake();
      return answer;
    };
  app.register(
    buildNetworkFront({
      messages: [
        clearingRoute(told((presentment) => rooms.clearing.clear(presentment))),
        adviceRoute(told((advice) => rooms.clearing.advise(advice))),
        reversalRoute(told((reversal) => rooms.clearing.reverse(reversal))),
      ],
      networkToken: config.NETWORK_TOKEN,
      availability: () => (state.stopping ? "stopping" : watch.isReachable() ? "open" : "no_database"),
      onError: (error) => log.error({ error: describeError(error) }, "a message of the network failed"),
      authorize: async (request) => {
        const started = performance.now();
        const answer = await rooms.authorization.authorize(request);
        if (!answer.approved && answer.reason === "system_error") {
          // Before the answer goes out: when the database has just gone, the network is told to come again instead.
          await watch.look();
        }
        // The decision has queued a push: where this process also delivers, it need not wait for the next look.
        rooms.callbacks.delivery.wake();
        rooms.metrics.decided({ answer, seconds: (performance.now() - started) / 1000 });
        return answer;
      },
    }),
  );
  return app;
}

async function apiServer(parts: ServerParts & { readonly sandbox: SandboxFace | null }): Promise<FastifyInstance> {
  const { config, log, rooms, state, sandbox } = parts;
  const app = fastify({
    ...openApiServerOptions({ trustedProxies: config.TRUSTED_PROXIES }),
    logger: false,
    forceCloseConnections: "idle",
  });
  const publicUrl = config.PUBLIC_URL === "" ? `http://${config.HTTP_HOST}:${config.API_PORT}` : config.PUBLIC_URL;
  app.addHook("onRequest", async (request, reply) => refuseWhileStopping(state, request, reply));
  await app.register(
    openApi({
      ...rooms,
      clock: systemClock,
      businessClock: rooms.clock,
      environment: config.CARDWRIGHT_ENV,
      log,
      publicUrl,
      isStopping: () => state.stopping,
    }),
  );
  await app.register(
    operatorApi({ ...rooms, clock: systemClock, adminToken: config.ADMIN_TOKEN, operators: config.OPERATORS }),
    {
      prefix: "/operator/v1",
    },
  );
  await app.register(kycWebhooks({ cardholders: rooms.cardholders, log }));
  if (sandbox !== null) {
    await app.register(sandbox.api);
  }
  return app;
}

/**
 * Where the platform's own processes reach this one's API: alone, at the address it listens on, which no proxy is needed for;
 * apart from the others at its public one, where there is one.
 */
function reachableUrl({ CARDWRIGHT_ROLE, PUBLIC_URL }: Config, listening: string | null): string {
  const url = CARDWRIGHT_ROLE === "all" || PUBLIC_URL === "" ? listening : PUBLIC_URL;
  if (url === null) throw new Error("this process has no API server");
  return url.replace(/\/$/u, "");
}

/** For everything on this server but the merchants' API, which says it in its own envelope. */
function refuseWhileStopping(
  state: ServerParts["state"],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  if (!state.stopping || ["/open-api/", "/developer/"].some((start) => request.url.startsWith(start))) {
    return undefined;
  }
  const error = { code: "stopping", message: "this process is stopping", field: "" };
  return reply.code(503).header("retry-after", retryAfterSeconds).send({ error });
}

/** The background work, each round safe in any number of processes at once. */
function workerLoops(rooms: Rooms): Loop[] {
  const { clock, authorization, cardholders, cards, callbacks, merchants, reserves, settlement } = rooms;
  const { webhookSecrets, clientCertificates } = merchants;
  const { eraseEveryMs, expiryLookEveryMs } = callbackSecrets;
  const work = scheduledWork(rooms);
  const doWhatIsDue = async (): Promise<number> => {
    const endsAt = performance.now() + dueBounds.roundMsMax;
    const { ran } = await runDueInOrder(work, { until: clock.now(), mayGoOn: () => performance.now() < endsAt });
    return ran.size;
  };
  return [
    { name: "lost questions", waitMs: 500, round: () => authorization.releaseLostQuestions() },
    { name: "what is due", waitMs: 250, round: doWhatIsDue },
    { name: "identity checks", waitMs: 250, round: async () => (await cardholders.pollDue(bounds.kycPollMax)).changed },
    { name: "cards being made", waitMs: 250, round: () => cards.advanceMaking() },
    { name: "low reserves", waitMs: reserve.watchEveryMs, round: () => reserves.warnOfLowReserves() },
    { name: "reserve statements", waitMs: reserve.closeEveryMs, round: () => reserves.closeFinishedDays() },
    { name: "settlement", waitMs: 60_000, round: () => settlement.advance() },
    { name: "expired webhook secrets", waitMs: eraseEveryMs, round: () => webhookSecrets.eraseExpired() },
    { name: "ended client certificates", waitMs: eraseEveryMs, round: () => clientCertificates.eraseEnded() },
    {
      name: "expiring client certificates",
      waitMs: expiryLookEveryMs,
      round: () => clientCertificates.warnOfExpiring(),
    },
    { name: "old client tokens", waitMs: 60_000, round: () => cards.removeOldTokens() },
    { name: "old merchant events", waitMs: 60_000, round: () => callbacks.events.removeOld() },
    { name: "days of callbacks", waitMs: 60_000, round: () => callbacks.partitions.keep() },
  ];
}

function onLoopError({ log, rooms }: { readonly log: Logger; readonly rooms: Rooms }) {
  return ({ loop, error }: { readonly loop: string; readonly error: unknown }): void => {
    rooms.metrics.loopFailed(loop);
    log.error({ loop, error: describeError(error) }, "a round of background work failed");
  };
}
