import { actionOf, type Scenario } from "../../apps/server/src/sandbox/index.ts";
import { bold, dim } from "../sandbox/print.ts";
import type { Listener } from "./lane.ts";
import type { Part, PartPlayed } from "./run.ts";

const modesOf = ({ modes }: Scenario): string => modes.join(" and ");

export function listLines(scenarios: readonly Scenario[]): string {
  return scenarios
    .map((scenario) => `${scenario.name.padEnd(44)} ${modesOf(scenario).padEnd(24)} ${scenario.title}\n`)
    .join("");
}

/** `ok  hold-expires (credit)  1234 ms`, and below it whatever differed. */
export function playedLines({ scenario, mode, played }: PartPlayed): string {
  const head = `${played.ok ? "ok    " : "FAILED"}  ${`${scenario.name} (${mode})`.padEnd(60)} ${String(played.ms).padStart(6)} ms\n`;
  return head + played.differences.map((difference) => `          ${difference}\n`).join("");
}

/** Everything that happens, as it happens. */
export function verboseListener({ scenario, mode }: Part, write: (text: string) => void): Listener {
  write(`\n${bold(`${scenario.name} (${mode})`)}  ${scenario.title}\n${dim(scenario.shows.trim())}\n`);
  return (told) => {
    switch (told.kind) {
      case "step": {
        const action = actionOf(told.step);
        const words = JSON.stringify(told.step[action]);
        write(
          `\n${bold(`step ${told.number} of ${told.of}: ${action}`)} ${words}${told.step.note === undefined ? "" : `  ${dim(told.step.note)}`}\n`,
        );
        return;
      }
      case "call":
        write(
          dim(
            `    ${told.request.method} ${told.request.path} ${shown(told.request.body)} → ${told.answer.status} ${shown(told.answer.json)}\n`,
          ),
        );
        return;
      case "callback":
        write(`    callback  ${told.text}\n`);
        return;
      case "posting":
        write(`    posting   ${told.text}\n`);
        return;
      case "step_done":
        return;
    }
  };
}

const charactersMax = 400;
/** Nobody but its merchant reads a credential or a token, also not here. */
const secretKeys = new Set(["access_token", "api_key", "api_secret", "sumsub_share_token"]);

function shown(body: unknown): string {
  if (body === undefined) return "";
  const text = JSON.stringify(body, (key, value: unknown) => (secretKeys.has(key) ? "…" : value));
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}
