/**
 * The process whose memory is measured: the platform's decision engine under a steady load that it makes itself, because load
 * from outside would need a server that is not part of the measurement. Arguments: database URL, decisions per second.
 * Sends its resident memory in bytes and the decisions so far once a second.
 */
import { openStand } from "./stand.ts";

const tickMs = 5;
const reportMs = 1_000;

/** What the parent is told each second. */
export interface MemoryReport {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly decided: number;
  readonly failure: string;
}

async function main(url: string, rate: number): Promise<void> {
  const stand = await openStand({ url });
  let failure = "";
  const startedMs = performance.now();
  let begun = 0;
  const load = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * rate;
    for (; begun < due; begun += 1) {
      stand.decide().catch((error: unknown) => {
        failure = error instanceof Error ? error.message : String(error);
      });
    }
  }, tickMs);
  const report = setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    const sent: MemoryReport = { rssBytes: rss, heapUsedBytes: heapUsed, decided: stand.approved, failure };
    process.send?.(sent);
  }, reportMs);
  // The parent lets go of the channel when it has seen enough.
  process.on("disconnect", () => {
    clearInterval(load);
    clearInterval(report);
    void stand.close();
  });
}

if (import.meta.main) {
  await main(process.argv[2] ?? "", Number(process.argv[3]));
}
