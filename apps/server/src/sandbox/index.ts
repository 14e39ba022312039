import type { FastifyPluginCallback } from "fastify";
import type { Pool } from "pg";
import type { Card, CardKey } from "#cards/index.ts";
import type { Clock } from "#kernel/index.ts";
import { keepBook } from "./bookkeeping.ts";
import { tellCardMaker } from "./card-maker.ts";
import type { MovableClock } from "./clock.ts";
import { type ClockMoveDeps, moveClock } from "./clock-move.ts";
import { createListeners, type ListenersDeps } from "./relay/listeners.ts";
import { buildSandboxApi, type SandboxApiDeps } from "./sandbox-api.ts";
import { createScenarioRuns, type ScenarioStage } from "./scenarios/runs.ts";
import { createTerminal, type Terminal, type TerminalDeps } from "./terminal.ts";

export { createCardMaker, type TellRefusal, type ToldState } from "./card-maker.ts";
export { createMovableClock, type MovableClock, type MovableClockDeps } from "./clock.ts";
export { type ClockMove, type ClockMoveBounds, type ClockMoveRefusal, moveClock } from "./clock-move.ts";
export { seedExchangeRates } from "./exchange-rates.ts";
export { type KycSimulator, type KycSimulatorOptions, startKycSimulator } from "./kyc/simulator.ts";
export { recordSent, type SentMessage, settlementFile } from "./network-book.ts";
export { sandboxPath } from "./sandbox-call.ts";
export { type Played, type PlayOptions, playScenario, type Told } from "./scenarios/play.ts";
export type { ScenarioStage } from "./scenarios/runs.ts";
export { loadScenarios, parseScenario, ScenarioRefused } from "./scenarios/scenario-files.ts";
export {
  actionOf,
  movesClock,
  type Scenario,
  type ScenarioMode,
  type Step,
  scenarioModes,
} from "./scenarios/schema.ts";
export type { Office } from "./scenarios/stage.ts";
export type { ServerAnswer, Wire, WireAnswer, WireCallback, WireRequest, Witness } from "./scenarios/wire.ts";
export type {
  NetworkReceipt,
  PurchaseRefusal,
  RevealedCard,
  SaidMessage,
  Shop,
  Terminal,
  TerminalClearing,
  TerminalPurchase,
  TerminalReceipt,
  TerminalReversal,
} from "./terminal.ts";

export interface SandboxDeps extends Omit<TerminalDeps, "clock" | "recordSent"> {
  readonly pool: Pool;
  readonly clock: MovableClock;
  readonly findCard: (key: CardKey) => Promise<Card | null>;
  readonly merchantOf: SandboxApiDeps["merchantOf"];
  readonly onError: SandboxApiDeps["onError"];
  readonly merchants: ListenersDeps["merchants"];
  /** Where this process's API is reached by the platform's other processes, without a slash at the end. */
  readonly apiUrl: () => string;
  /** The machine's time; `clock` is the sandbox's. */
  readonly machineClock: Clock;
  /** How scenarios that merchants start reach the platform. */
  readonly scenarios: ScenarioStage;
  /** What becomes due as the clock is moved; nothing when absent. */
  readonly time?: Pick<ClockMoveDeps, "work" | "slowWork" | "isStopping" | "bounds">;
}

/** Everything of a sandbox that stands on top of the rooms. */
export interface Sandbox {
  /** Plays a shop's terminal. */
  readonly terminal: Terminal;
  /** The API for merchants' developers, with its own paths `/sandbox/v1` and `/sandbox`. */
  readonly api: FastifyPluginCallback;
  /** Call when the process begins to stop: ends the requests that would not end by themselves. */
  letGo(): void;
  stop(): Promise<void>;
}

/**
 * The sandbox around rooms that are composed already. Its clock and card maker go into those rooms, so they are made first:
 * `createMovableClock`, `createCardMaker`.
 */
export function createSandbox(deps: SandboxDeps): Sandbox {
  const { pool, onError } = deps;
  const terminal = createTerminal({ ...deps, recordSent: (said) => keepBook(pool, said) });
  const scenarioRuns = createScenarioRuns({ ...deps.scenarios, pool, onError });
  const listeners = createListeners({ ...deps, clock: deps.machineClock });
  const api = buildSandboxApi({
    ...deps,
    listeners,
    terminal,
    scenarioRuns,
    tellCardMaker: (told) => tellCardMaker(deps, told),
    moveClock: (ms) => moveClock({ work: [], slowWork: [], ...deps.time, ...deps }, ms),
  });
  return {
    terminal,
    api,
    letGo: () => listeners.letGo(),
    stop: async () => {
      await listeners.stop();
      await scenarioRuns.stop();
      await terminal.close();
      await deps.clock.stop();
    },
  };
}
