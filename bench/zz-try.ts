import { startBenchServer } from "/work/main/bench/postgres.ts";
import { buildProgramme, programmeCards } from "/work/main/bench/programme.ts";
import { openPlatformPool } from "/work/main/bench/postgres.ts";
import { verifyLedger } from "/work/main/apps/server/src/ledger/index.ts";
const n = Number(process.argv[2] ?? 1000);
const s = await startBenchServer({ place: "tmpfs", bytesMin: 1e9, loading: true });
try {
  const url = await s.createDatabase("a");
  console.log(await buildProgramme(url, { mode: "CREDIT_EXTENSION", merchants: 3, cards: n / 10, consumptions: n, endsAt: Date.now() - 7200000 }, (t) => console.log(Math.round(performance.now()), t)));
  const pool = openPlatformPool(url);
  const r = await verifyLedger(pool);
  console.log(r.ok, r.broken.slice(0, 3), r.postings, r.accounts);
  console.log((await programmeCards(url, 5)), (await pool.query("select * from consumption order by consume_no desc limit 1")).rows, (await pool.query("select pg_size_pretty(pg_database_size('a'))")).rows);
  console.log((await pool.query("select indexdef from pg_indexes where tablename in ('consumption','posting','card','callback')")).rows.map((r)=>r.indexdef).join("\n"));
  await pool.end();
} finally { await s.stop(); }
