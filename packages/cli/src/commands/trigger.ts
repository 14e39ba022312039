import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import type { Session } from "../config/session.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { showTable } from "./listing.ts";

const lookMs = 250;
/** The platform ends a run after 5 minutes; one that is under way for longer has lost its process. */
const runMsMax = 330_000;

export const triggerCommand = command({
  name: "trigger",
  summary: "Play a scripted scenario on your merchant in the sandbox",
  more: "A cardholder, a card and a product are made for it, and your endpoint gets the callbacks. Exit code 1 when something was not as the scenario says.",
  examples: ["trigger --list", "trigger purchase-cleared"],
  args: { scenario: { about: "name of the scenario", optional: true } },
  flags: { list: { kind: "switch", about: "list the scenarios of your mode" } },
  run: async ({ args, flags, context }) => {
    const session = await context.session();
    if (flags.list) {
      await listScenarios(context, session);
      return undefined;
    }
    if (args.scenario === undefined) {
      throw wrongUsage("trigger needs the name of a scenario.", "cardwright trigger --list shows all.");
    }
    return (await play(context, { session, name: args.scenario })) ? undefined : "refused";
  },
});

async function listScenarios(context: Context, { client }: Session): Promise<void> {
  const found = await client.sandbox.listScenarios();
  if (context.out.json) {
    context.out.value(found);
    return;
  }
  showTable(
    context,
    [
      { title: "scenario", of: (row) => row.name },
      { title: "steps", of: (row) => String(row.steps), align: "right" },
      { title: "startable", of: (row) => context.out.state(row.startable ? "yes" : "no") },
      { title: "title", of: (row) => row.title, shrinkTo: 20 },
    ],
    found.list,
  );
}

async function play(
  context: Context,
  { session: { client }, name }: { readonly session: Session; readonly name: string },
): Promise<boolean> {
  const { out, signal } = context;
  const startedMs = performance.now();
  let run = await client.sandbox.startScenario(name);
  const progress = out.progress(`playing ${name}`);
  try {
    while (run.state === "running") {
      if (performance.now() - startedMs > runMsMax) {
        throw new CommandFailed("refused", `${name} did not end within ${runMsMax / 1_000} s.`);
      }
      progress.at({ count: run.step, of: run.steps });
      await sleep(lookMs, undefined, { signal });
      run = await client.sandbox.retrieveScenarioRun(run.run_id);
    }
  } finally {
    progress.end();
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  if (out.json) {
    out.value(run);
  } else {
    out.line(
      `${out.paint(run.state === "passed" ? "green" : "red", run.state)}  ${name}: ${run.step} of ${run.steps} steps, ${seconds} s`,
    );
    for (const difference of run.differences) {
      out.line(`  ${typeof difference === "string" ? difference : JSON.stringify(difference)}`);
    }
  }
  return run.state === "passed";
}
