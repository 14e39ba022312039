import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startLoops } from "./loops.ts";

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 5_000 && !isSo(); looks += 1) {
    await sleep(1);
  }
}

test("a round that fails is reported and the loop goes on", async () => {
  const failures: string[] = [];
  let rounds = 0;
  const loops = startLoops({
    loops: [
      {
        name: "shaky",
        waitMs: 1,
        round: async () => {
          rounds += 1;
          if (rounds === 1) {
            throw new Error("the first round fails");
          }
          return 0;
        },
      },
    ],
    onError: ({ loop }) => failures.push(loop),
  });
  await until(() => rounds >= 3);
  await loops.stop();
  expect(failures).toEqual(["shaky"]);
});

test("stopping waits for the round under way and starts no other", async () => {
  let started = 0;
  let ended = 0;
  const loops = startLoops({
    loops: [
      {
        name: "slow",
        waitMs: 60_000,
        round: async () => {
          started += 1;
          await sleep(30);
          ended += 1;
          return 1;
        },
      },
    ],
    onError: () => undefined,
  });
  await until(() => started > 0);
  await loops.stop();
  expect([started, ended]).toEqual([1, 1]);
});
