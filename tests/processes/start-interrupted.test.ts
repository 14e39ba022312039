import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { becomes, beginCall, endAll, isAlive, ownData, run, scripts } from "../support/processes.ts";
import { leftBy, nothingLeft, postmasterOf, shownBy } from "../support/started.ts";

vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  ({ directory, env } = await ownData());
});

afterAll(endAll);

const start = () => run({ script: scripts.start, env });

test("a start that was killed leaves nothing that keeps the next one from its data", async () => {
  const killed = start();
  await killed.said(/approved/u);
  const postmaster = postmasterOf(directory);
  killed.kill("SIGKILL");
  await killed.ended;

  const next = start();
  const shown = await shownBy(next);
  expect(shown.text).toContain("all arrived, all signatures verified");
  expect(isAlive(postmaster)).toBe(false);
  const last = postmasterOf(directory);
  next.kill("SIGINT");
  expect(await leftBy(next, { directory, postmaster: last })).toEqual(nothingLeft);
});

test("Ctrl-C during the start stops what is up by then", async () => {
  const early = start();
  await early.said(/A purchase in each mode/u);
  const postmaster = postmasterOf(directory);
  early.kill("SIGINT");
  expect(await leftBy(early, { directory, postmaster })).toEqual(nothingLeft);
  expect(early.stdout()).toMatch(/Stopping…\nStopped\.\n$/u);
});

test("a second Ctrl-C ends at once what the first would have waited for", async () => {
  const impatient = start();
  const shown = await shownBy(impatient);
  const postmaster = postmasterOf(directory);
  const held = await beginCall(`${shown.api}/sandbox/v1/purchases`, { "Api-Key": shown.apiKeys[0] ?? "" });
  impatient.kill("SIGINT");
  await impatient.said(/Stopping/u);
  // Later than what still counts as the same Ctrl-C.
  await sleep(1_200);
  expect(isAlive(impatient.pid)).toBe(true);
  impatient.kill("SIGINT");
  expect((await impatient.ended).code).toBe(130);
  expect(impatient.stdout()).not.toContain("Stopped.");
  expect(await held.end()).toBe("no answer");
  await becomes("the database is stopped by its guard", () => !isAlive(postmaster));
});
