import { expect, test } from "vitest";
import { nextDueOf, runDueInOrder, type ScheduledWork } from "./index.ts";

const always = (): boolean => true;

/** Work that is due at certain moments and writes down what it did. */
function workAt(name: string, moments: readonly number[], log: string[], stuck: readonly number[] = []): ScheduledWork {
  let left = [...moments];
  return {
    name,
    nextDueAt: async (after) => [...left, ...stuck].toSorted((a, b) => a - b).find((at) => at > after) ?? null,
    runDue: async (until, mayGoOn) => {
      let done = 0;
      while (mayGoOn()) {
        const [at] = left;
        if (at === undefined || at > until) break;
        left = left.slice(1);
        log.push(`${name} ${at}`);
        done += 1;
      }
      return done;
    },
  };
}

test("what was missed is done in the order of its due times, whatever kind it is, and the first of the list first", async () => {
  const log: string[] = [];
  const works = [workAt("holds", [1, 4, 5, 9], log), workAt("fees", [2, 3, 5, 8, 11], log)];
  const run = await runDueInOrder(works, { until: 9, mayGoOn: always });
  expect(log).toEqual(["holds 1", "fees 2", "fees 3", "holds 4", "holds 5", "fees 5", "fees 8", "holds 9"]);
  expect(run).toEqual({
    ran: new Map([
      ["holds", 4],
      ["fees", 4],
    ]),
    finished: true,
  });
  expect(await nextDueOf(works, 9)).toBe(11);
  expect(await nextDueOf(works, 11)).toBeNull();
});

test("what cannot be done now stops neither the rest nor the run", async () => {
  const log: string[] = [];
  const works = [workAt("holds", [4], log, [2]), workAt("fees", [3], log, [1, 6])];
  expect(await runDueInOrder(works, { until: 9, mayGoOn: always })).toMatchObject({ finished: true });
  expect(log).toEqual(["fees 3", "holds 4"]);
});

test("a run that may not go on says that it has not finished", async () => {
  const log: string[] = [];
  const works = [workAt("holds", [1, 3], log), workAt("fees", [2], log)];
  expect(await runDueInOrder(works, { until: 9, mayGoOn: () => log.length < 2 })).toMatchObject({ finished: false });
  expect(log).toEqual(["holds 1", "fees 2"]);
});
