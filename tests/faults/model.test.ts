import { expect, inject, test } from "vitest";
import { proveModel } from "./model-proof.ts";

/** The short version of `npm run test:faults -- model`. The seed is another one each day, and a failure tells it. */
const seed = Math.floor(Date.now() / 86_400_000);

test("thousands of random steps by merchants at the same time are decided as the model says", async () => {
  const server = inject("databaseServer");
  if ("problem" in server) throw new Error(server.problem);
  const { signal } = new AbortController();
  const report = await proveModel({ server, seed, merchants: 12, steps: 2_000, say: () => {}, signal });
  expect(report).toMatchObject({ ok: true, violations: [] });
  expect(report.numbers["steps"]).toBeGreaterThanOrEqual(2_000);
}, 60_000);
