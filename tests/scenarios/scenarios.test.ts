import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { loadScenarios } from "../../apps/server/src/sandbox/index.ts";
import { type Part, type PartPlayed, partsOf, runParts } from "../../scripts/scenarios/run.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { pending } from "./pending.ts";

/** Every scenario in every mode it is written for, played over the wire on platforms with databases of their own. */

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

const scenarios = await loadScenarios();
const parts = partsOf(scenarios.filter(({ name }) => !pending.includes(name)));
const keyOf = ({ scenario, mode }: Part): string => `${scenario.name} (${mode})`;

const databases: TestDatabase[] = [];
const results = new Map(parts.map((part) => [keyOf(part), Promise.withResolvers<PartPlayed>()]));
let run: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  databases.push(await createTestDatabase(), await createTestDatabase(), await createTestDatabase());
  run = runParts({
    parts,
    databases: databases.map(({ url }) => url),
    log: pino({ level: "silent" }),
    onPlayed: (played) => results.get(keyOf(played))?.resolve(played),
  }).catch((error: unknown) => {
    // A test that waits for a result which will not come must hear why.
    for (const { promise, reject } of results.values()) {
      promise.catch(() => undefined);
      reject(error);
    }
  });
});

afterAll(async () => {
  await run;
  await Promise.all(databases.map((db) => db.drop()));
});

test.each(parts.map((part) => [keyOf(part), part.scenario.title] as const))("%s: %s", async (key) => {
  const result = await results.get(key)?.promise;
  expect(result?.played.differences).toEqual([]);
  expect(result?.played.ok).toBe(true);
});

test("a scenario that waits for a part of the platform exists", () => {
  const names = new Set(scenarios.map(({ name }) => name));
  expect(pending.filter((name) => !names.has(name))).toEqual([]);
  expect(new Set(pending).size).toBe(pending.length);
});
