import { setTimeout as sleep } from "node:timers/promises";
import type { AuthorizationAnswer, MerchantAnswer } from "../apps/server/src/authorization/index.ts";
import type { Callbacks } from "../apps/server/src/callbacks/index.ts";
import type { BenchOptions } from "./benchmark.ts";
import { askAll, earliestMs, inFlight, neighbourRate, rounds, settleMs } from "./deadline-load.ts";
import { openLoop } from "./open-loop.ts";
import { latenciesOf } from "./statistics.ts";

/** What a part of the hanging is left out by. */
export interface Switches {
  /** The hanging merchant is not asked; that its time is up is known from a timer. */
  hangsByTimer: boolean;
}

export async function timeUp(): Promise<MerchantAnswer> {
  await sleep(earliestMs);
  return { kind: "timeout" };
}

export type Question = Omit<Parameters<Callbacks["askMerchant"]>[0], "merchantId">;

const statementsOnly = "hanging, statements only";

/**
 * What of the hanging its neighbour notices: purchases that hang, the same with their two statements but no HTTP, and their questions without any
 * purchase take turns. Answers the neighbour's p99 beside each, milliseconds.
 */
export async function measureParts(
  parts: {
    readonly buyHealthy: () => Promise<void>;
    readonly buyHanging: () => Promise<AuthorizationAnswer>;
    readonly ask: (question: Question) => ReturnType<Callbacks["askMerchant"]>;
    readonly switches: Switches;
  },
  { seconds, signal, progress }: BenchOptions,
): Promise<Readonly<Record<string, number>>> {
  const { buyHealthy, switches } = parts;
  const turnSeconds = Math.max(1, seconds / 8);
  const count = Math.ceil((turnSeconds / (earliestMs / 1000)) * inFlight);
  const loadOf = (once: () => Promise<void>) => () => askAll(count, { once, signal, onProgress: () => {} });
  const purchases = loadOf(async () => {
    const answer = await parts.buyHanging();
    mustBeTimeUp(answer.approved ? "approved" : answer.reason, "merchant_timeout");
  });
  const questions = loadOf(async () => mustBeTimeUp((await parts.ask(nextQuestion())).outcome.kind, "timeout"));
  const loads = {
    alone: async () => {},
    hanging: purchases,
    [statementsOnly]: purchases,
    "hanging, questions only": questions,
  };
  const latencies = new Map<string, number[]>();
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (const [part, load] of Object.entries(loads)) {
      progress.say(`deadline: parts, round ${round + 1} of ${rounds}: ${part}`);
      switches.hangsByTimer = part === statementsOnly;
      const plan = { rate: neighbourRate, seconds: turnSeconds, seed: 51 + round };
      const [turn] = await Promise.all([openLoop(plan, { once: buyHealthy, signal }), load()]);
      if (turn.failures.length > 0) {
        throw new Error(`the neighbour beside "${part}": ${turn.failures.join("; ")}`);
      }
      latencies.set(part, [...(latencies.get(part) ?? []), ...turn.latencies]);
      await sleep(settleMs);
    }
  }
  return Object.fromEntries([...latencies].map(([part, all]) => [part, latenciesOf(all).p99_ms]));
}

/** Another end means that the load was not the one that is measured. */
function mustBeTimeUp(end: string, wanted: string): void {
  if (end !== wanted) {
    throw new Error(`a question that was to hang ended as ${end}`);
  }
}

let asked = 0;

/** As a purchase asks it, about none. */
function nextQuestion(): Question {
  asked += 1;
  const consumeNo = `parts-${asked}`;
  const shop = { country: "SG", merchant_mcc: "5411", city: "Singapore", merchant_name: "Corner Shop" };
  const data = { consume_no: consumeNo, type: "Consumption", amount: 25.81, merchant_info: shop, time: Date.now() };
  return { consumeNo, dataText: JSON.stringify(data) };
}
