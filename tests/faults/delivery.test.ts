import { expect, inject, test } from "vitest";
import { proveDelivery } from "./delivery-proof.ts";

/** The short version of `npm run test:faults -- delivery`; it jumps over the waits of retries and of killed workers' claims. */
test("after kill -9 of workers under load every push has arrived, in the order of its card, and every repeat said the same", async () => {
  const server = inject("databaseServer");
  if ("problem" in server) throw new Error(server.problem);
  const { signal } = new AbortController();
  const report = await proveDelivery({
    server,
    seed: 1,
    kills: 3,
    workers: 2,
    cardsOfMerchant: 20,
    pushesAtOnce: 6,
    time: "hurry",
    say: () => {},
    signal,
  });
  expect(report).toMatchObject({ ok: true, violations: [] });
  expect(report.numbers["kills"]).toBe(3);
  expect(report.numbers["claimed at the kills"]).toBeGreaterThan(0);
  expect(report.numbers["repeats"]).toBeGreaterThan(0);
}, 120_000);
