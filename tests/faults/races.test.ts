import { expect, inject, test } from "vitest";
import { proveRaces } from "./races-proof.ts";

test("1,000 simultaneous purchases against credit, a reserve or a limit for exactly 500: exactly 500 are approved", async () => {
  const server = inject("databaseServer");
  if ("problem" in server) throw new Error(server.problem);
  const { signal } = new AbortController();
  const report = await proveRaces({ server, seed: 1, purchases: 1_000, winners: 500, say: () => {}, signal });
  expect(report).toMatchObject({ ok: true, violations: [] });
  expect(report.numbers["races"]).toBe(9);
}, 60_000);
