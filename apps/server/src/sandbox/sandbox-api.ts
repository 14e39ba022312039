import type { FastifyError, FastifyInstance, FastifyPluginCallback, FastifyReply } from "fastify";
import { z } from "zod";
import { isUnavailable } from "#database/index.ts";
import type { Result } from "#kernel/index.ts";
import type { TellRefusal, ToldState } from "./card-maker.ts";
import type { MovableClock } from "./clock.ts";
import type { ClockMove, ClockMoveRefusal } from "./clock-move.ts";
import { type DurationRefusal, durationDaysMax, parseDuration } from "./duration.ts";
import { networkRoutes } from "./network-routes.ts";
import { playable } from "./playable.ts";
import { listenRoutes } from "./relay/listen-routes.ts";
import type { Listeners } from "./relay/listeners.ts";
import {
  asMerchant,
  bodyBytesMax,
  type Call,
  type Fault,
  faults,
  inputFault,
  type MerchantOf,
  sandboxPath,
  send,
} from "./sandbox-call.ts";
import { scenarioRoutes } from "./scenario-routes.ts";
import type { ScenarioRuns } from "./scenarios/runs.ts";
import { type SettlementRouteDeps, settlementRoute } from "./settlement-route.ts";
import type { Terminal } from "./terminal.ts";

export interface SandboxApiDeps extends SettlementRouteDeps {
  readonly merchantOf: MerchantOf;
  readonly clock: MovableClock;
  /** Moves the clock by milliseconds and does what becomes due on the way. */
  readonly moveClock: (ms: number) => Promise<Result<ClockMove, ClockMoveRefusal>>;
  readonly terminal: Terminal;
  readonly scenarioRuns: ScenarioRuns;
  readonly listeners: Listeners;
  readonly tellCardMaker: (told: {
    readonly merchantId: number;
    readonly cardNo: string;
    readonly state: ToldState;
  }) => Promise<Result<null, TellRefusal>>;
  /** Told what went wrong on our side; gets no part of the request. */
  readonly onError: (error: unknown) => void;
}

/** The same calls under the shorter path. */
const sandboxAlias = "/sandbox";

const durationMessages: Record<DurationRefusal, string> = {
  not_a_duration: 'must be an ISO 8601 duration such as "P7D", "PT1H30M" or "P13M"',
  not_positive: "must be longer than nothing: the clock moves forward only",
  too_long: `may be ${durationDaysMax} days at most; call again to go on`,
};

const clockInput = z.strictObject({ advance: z.string().max(64) });

/**
 * The sandbox's API for a merchant's developers, a Fastify plugin with its own paths: they play shops, the card maker and time
 * itself. Errors are HTTP statuses with `{"error":{"code","message","field"}}`.
 */
export function buildSandboxApi(deps: SandboxApiDeps): FastifyPluginCallback {
  return (server, _options, done) => {
    for (const prefix of [sandboxPath, sandboxAlias]) {
      server.register(
        (app, _inner, ready) => {
          routes(app, deps);
          ready();
        },
        { prefix },
      );
    }
    done();
  };
}

function routes(app: FastifyInstance, deps: SandboxApiDeps): void {
  app.setErrorHandler<FastifyError>((error, _request, reply) => send(reply, faultOf(deps, error)));
  app.setNotFoundHandler((_request, reply) => send(reply, faults.not_found));
  app.get("/", (_request, reply) => reply.send(playable));

  const options = { bodyLimit: bodyBytesMax };
  networkRoutes(app, deps, options);
  scenarioRoutes(app, deps, options);
  listenRoutes(app, deps, options);
  for (const [path, state] of [
    ["/cards/:card_no/make", "made"],
    ["/cards/:card_no/ship", "shipped"],
    ["/cards/:card_no/fail", "failed"],
  ] as const) {
    app.post(
      path,
      options,
      asMerchant(deps, (call) => tell(call, state)),
    );
  }
  app.get(
    "/clock",
    asMerchant(deps, ({ reply }) => reply.send(clockAnswer(deps.clock))),
  );
  app.post("/clock", options, asMerchant(deps, moveClock));
  settlementRoute(app, deps);
}

async function tell(
  { deps, merchantId, request, reply }: Call<SandboxApiDeps>,
  state: ToldState,
): Promise<FastifyReply> {
  const cardNo = cardNoIn(request.params);
  const told = await deps.tellCardMaker({ merchantId, cardNo, state });
  return told.ok ? reply.send({ card_no: cardNo, state }) : send(reply, faults[told.reason]);
}

const cardNoIn = (params: unknown): string => {
  const parsed = z.object({ card_no: z.string().max(32) }).safeParse(params);
  return parsed.success ? parsed.data.card_no : "";
};

async function moveClock({ deps, request, reply }: Call<SandboxApiDeps>): Promise<FastifyReply> {
  const input = clockInput.safeParse(request.body);
  if (!input.success) {
    return send(reply, inputFault(input.error));
  }
  const step = parseDuration(input.data.advance, { from: deps.clock.now() });
  if (!step.ok) {
    return send(reply, { status: 400, code: step.reason, field: "advance", message: durationMessages[step.reason] });
  }
  const moved = await deps.moveClock(step.value);
  if (!moved.ok) {
    return send(reply, faults[moved.reason]);
  }
  const { now, steps, ran, finished } = moved.value;
  return reply.send({ ...clockAnswer(deps.clock, now), steps, ran, finished });
}

function clockAnswer(clock: MovableClock, now = clock.now()): object {
  return { now, time: new Date(now).toISOString(), ahead_ms: clock.offsetMs() };
}

function faultOf(deps: SandboxApiDeps, error: FastifyError): Fault {
  switch (error.statusCode ?? 500) {
    case 400:
      return faults.not_json;
    case 413:
      return faults.too_large;
    case 415:
      return faults.wrong_media_type;
    default:
      deps.onError(error);
      return isUnavailable(error) ? faults.no_database : faults.unexpected;
  }
}
