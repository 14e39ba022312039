import { expect, inject, test } from "vitest";
import { proveKills } from "./kill-proof.ts";

/** The short version of `npm run test:faults -- kill`; it jumps over the 30 s that an orphaned hold lasts. */
test("after kill -9 of processes and lost answers of the database under load every promise is kept, in the ledger and at the merchants", async () => {
  const server = inject("databaseServer");
  if ("problem" in server) throw new Error(server.problem);
  const { signal } = new AbortController();
  const report = await proveKills({
    server,
    seed: 1,
    kills: 3,
    customers: 3,
    race: { purchases: 1_000, winners: 500 },
    time: "hurry",
    say: () => {},
    signal,
  });
  expect(report).toMatchObject({ ok: true, violations: [] });
  expect(report.numbers["kills"]).toBe(3);
  expect(report.numbers["lost answers"]).toBeGreaterThan(0);
}, 120_000);
