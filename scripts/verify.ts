import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { verifyAudit } from "../apps/server/src/audit/index.ts";
import { clearingRules } from "../apps/server/src/clearing/index.ts";
import { consumptionRules } from "../apps/server/src/consumptions/index.ts";
import { createPool, DatabaseRefused, explainConnectionFailure, migrate } from "../apps/server/src/database/index.ts";
import { verifyLedger } from "../apps/server/src/ledger/index.ts";
import { statementRules } from "../apps/server/src/merchants/index.ts";
import { fail } from "./failure.ts";
import { dataDirectoryHelp, dataDirectoryOf } from "./sandbox/data-directory.ts";
import { openDatabase } from "./sandbox/database.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const help = `npm run verify: recomputes every balance from the first posting and checks every invariant of the ledger

Reads the database of DATABASE_URL, or the embedded one. The last line is the digest of the whole history.
  --json   prints the report as JSON
Exit code 1 when a rule is broken; the broken rows are printed.

Settings (environment):
  DATABASE_URL             the database to verify; the embedded one when absent
  ${dataDirectoryHelp}
`;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    process.stdout.write(help);
    return 0;
  }
  const progress = (step: string) => void process.stderr.write(`  ${step}\n`);
  const database = await openDatabase({ data: dataDirectoryOf(clone), besideOthers: true, log: progress });
  try {
    if (database.isEmbedded) {
      // A first verify on a new clone finds an empty ledger. A database of its own is looked at and never changed.
      await migrate({
        url: database.url,
        directory: fileURLToPath(new URL("../apps/server/migrations", import.meta.url)),
        clock: { now: () => Date.now() },
      });
    }
    const pool = createPool({
      url: database.url,
      role: "cardwright_app",
      max: 2,
      applicationName: "cardwright verify",
      // Ten million postings take minutes; nothing waits for a reader.
      statementTimeoutMs: 3_600_000,
    });
    try {
      if (!(await hasLedger(pool, database.url))) {
        process.stderr.write("The database has no ledger: it is not one of Cardwright, or was never started.\n");
        return 1;
      }
      return await report(pool, progress);
    } finally {
      await pool.end();
    }
  } finally {
    await database.close();
  }
}

async function hasLedger(pool: ReturnType<typeof createPool>, url: string): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ there: boolean }>("SELECT to_regclass('ledger.posting') IS NOT NULL AS there");
    return rows[0]?.there === true;
  } catch (error) {
    throw new DatabaseRefused("unreachable", explainConnectionFailure(error, url), { cause: error });
  }
}

async function report(pool: ReturnType<typeof createPool>, progress: (step: string) => void): Promise<number> {
  const ledger = await verifyLedger(pool, {
    extraRules: [...consumptionRules, ...clearingRules, ...statementRules],
    onProgress: progress,
  });
  progress("the audit's hash chains");
  const audit = await verifyAudit(pool);
  const ok = ledger.ok && audit.ok;
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ ...ledger, ok, audit })}\n`);
    return ok ? 0 : 1;
  }
  for (const { rule, rows } of ledger.broken) {
    process.stdout.write(`BROKEN: ${rule}\n${rows.map((row) => `  ${row}\n`).join("")}`);
  }
  if (!audit.ok) {
    process.stdout.write(`BROKEN: the audit's hash chain\n  ${JSON.stringify(audit)}\n`);
  }
  const { accounts, transactions, postings, openHolds, digest } = ledger;
  process.stdout.write(
    `${ok ? "clean" : "BROKEN"}: ${accounts} accounts, ${transactions} transactions, ${postings} postings, ${openHolds} open holds, digest ${digest}\n`,
  );
  return ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  fail(error);
}
