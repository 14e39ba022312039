import { createManagement } from "../../apps/server/src/clearing/index.ts";
import { createPool } from "../../apps/server/src/database/index.ts";
import { createProducts } from "../../apps/server/src/products/index.ts";

/**
 * A worker process of its own that takes management fees until somebody kills it: node management-worker.ts DATABASE_URL NOW. It says
 * `began` before its first one and `done` when none is left.
 */
const [, , url = "", at = ""] = process.argv;
const now = Number(at);
const clock = { now: () => now };
const pool = createPool({
  url,
  role: "cardwright_app",
  max: 2,
  applicationName: "management worker",
  statementTimeoutMs: 15_000,
});
const products = createProducts({ pool, clock });
const management = createManagement({
  pool,
  clock,
  terms: (product) => products.terms(product),
  onError: (error) => {
    throw error;
  },
});

process.stdout.write("began\n");
await management.runDue(now, () => true);
process.stdout.write("done\n");
await pool.end();
