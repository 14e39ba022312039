import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { asMerchant, type Call, faults, type MerchantOf, send } from "./sandbox-call.ts";
import type { ScenarioRun } from "./scenarios/run-store.ts";
import type { ScenarioRuns } from "./scenarios/runs.ts";
import { freshMerchantNeedsOf, type Scenario } from "./scenarios/schema.ts";

interface ScenarioRouteDeps {
  readonly merchantOf: MerchantOf;
  readonly scenarioRuns: ScenarioRuns;
}

/** Scenarios that a merchant's developer plays on the own merchant. */
export function scenarioRoutes(
  app: FastifyInstance,
  deps: ScenarioRouteDeps,
  options: { readonly bodyLimit: number },
): void {
  app.get("/scenarios", asMerchant(deps, list));
  app.post("/scenarios/:name", options, asMerchant(deps, start));
  app.get("/scenarios/runs/:run_id", asMerchant(deps, show));
}

async function list({ deps, merchantId, reply }: Call<ScenarioRouteDeps>): Promise<FastifyReply> {
  const scenarios = await deps.scenarioRuns.list(merchantId);
  return reply.send({ list: scenarios.map(scenarioAnswer) });
}

function scenarioAnswer(scenario: Scenario): object {
  const { name, title, shows, modes, steps } = scenario;
  const needs = freshMerchantNeedsOf(scenario);
  const startable = needs.length === 0;
  return { name, title, shows: shows.trim(), modes, steps: steps.length, startable, not_startable_because: needs };
}

const namePath = z.object({ name: z.string().max(64) });
const runPath = z.object({ run_id: z.string().max(64) });

async function start({ deps, merchantId, request, reply }: Call<ScenarioRouteDeps>): Promise<FastifyReply> {
  const path = namePath.safeParse(request.params);
  const apiKey = request.headers["api-key"];
  if (!path.success || typeof apiKey !== "string") {
    return send(reply, faults.scenario_unknown);
  }
  const started = await deps.scenarioRuns.start(path.data.name, { merchantId, apiKey, address: request.ip });
  return started.ok ? reply.code(202).send(runAnswer(started.value)) : send(reply, faults[started.reason]);
}

async function show({ deps, merchantId, request, reply }: Call<ScenarioRouteDeps>): Promise<FastifyReply> {
  const path = runPath.safeParse(request.params);
  const run = path.success ? await deps.scenarioRuns.find({ merchantId, runId: path.data.run_id }) : null;
  return run === null ? send(reply, faults.run_unknown) : reply.send(runAnswer(run));
}

function runAnswer(run: ScenarioRun): object {
  return {
    run_id: run.runId,
    name: run.name,
    state: run.state,
    step: run.step,
    steps: run.steps,
    differences: run.differences,
    started_at: run.startedAt,
    ended_at: run.endedAt,
  };
}
