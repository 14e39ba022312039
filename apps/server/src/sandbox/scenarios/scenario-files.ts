import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { ok, type Result, refused } from "#kernel/index.ts";
import { actionNames, type Scenario, scenarioSchema } from "./schema.ts";

const directory = fileURLToPath(new URL(".", import.meta.url));
/** A file that is longer was not written by hand. */
const charactersMax = 100_000;

/** A scenario's file that cannot be used; the message names file, step and field. */
export class ScenarioRefused extends Error {
  override readonly name = "ScenarioRefused";
}

/** Reads one scenario; refused with a sentence for each thing that is wrong, each with file, step and field. */
export function parseScenario(file: string, text: string): Result<Scenario, readonly string[]> {
  if (text.length > charactersMax) {
    return refused([`${file}: is longer than ${charactersMax} characters`]);
  }
  const document = parseDocument(text, { schema: "failsafe", uniqueKeys: true });
  if (document.errors.length > 0) {
    return refused(document.errors.map(({ message }) => `${file}: ${message.split("\n")[0] ?? "is not YAML"}`));
  }
  const content: unknown = document.toJS({ maxAliasCount: 0 });
  const parsed = scenarioSchema.safeParse(content);
  if (!parsed.success) {
    return refused(parsed.error.issues.map(({ path, message }) => `${file}: ${placeOf(content, path)}${message}`));
  }
  const name = basename(file, ".yaml");
  return parsed.data.name === name ? ok(parsed.data) : refused([`${file}: name: must be the file's own, ${name}`]);
}

/** `step 3 (clear), callbacks 1, fees: ` — steps and rows count from 1, as people do. */
function placeOf(content: unknown, path: readonly PropertyKey[]): string {
  const words: string[] = [];
  path.forEach((key, place) => {
    if (typeof key !== "number") {
      words.push(String(key));
      return;
    }
    const list = words.pop() ?? "";
    const isStep = place === 1 && list === "steps";
    words.push(isStep ? `step ${key + 1}${actionIn(content, key)}` : `${list} ${key + 1}`);
  });
  return words.length === 0 ? "" : `${words.join(", ")}: `;
}

function actionIn(content: unknown, place: number): string {
  const steps: unknown = typeof content === "object" && content !== null ? Reflect.get(content, "steps") : null;
  const step: unknown = Array.isArray(steps) ? steps[place] : null;
  const name = actionNames.find((each) => typeof step === "object" && step !== null && each in step);
  return name === undefined ? "" : ` (${name})`;
}

/** All scenarios by name. Throws `ScenarioRefused` with everything that is wrong in any of the files. */
export async function loadScenarios(): Promise<readonly Scenario[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".yaml")).sort();
  const read = await Promise.all(
    files.map(async (file) => parseScenario(file, await readFile(join(directory, file), "utf8"))),
  );
  const wrong = read.flatMap((result) => (result.ok ? [] : result.reason));
  if (wrong.length > 0) {
    throw new ScenarioRefused(wrong.join("\n"));
  }
  return read.flatMap((result) => (result.ok ? [result.value] : []));
}
