import { inTransaction } from "#database/index.ts";
import { decidePiece, insertDay, type MessagePlace, selectDueDays } from "./day-store.ts";
import type { SettlementDeps } from "./deps.ts";
import { settlement as bounds } from "./limits.ts";
import { lockTurn } from "./match-store.ts";

const dayMs = 86_400_000;

/**
 * Decides days whose grace is over: a message of day D may be named in the file of D or of the day after, since the network's day
 * ends when it ends there, so D is decided when a later file has been imported. What no file has named by then is `only_ours`;
 * a file that names it after all settles that by itself. Answers how many days were decided; each is decided once, and after a crash
 * from its beginning again.
 */
export async function decideDays(deps: SettlementDeps, onDay: (day: string) => void): Promise<number> {
  const days = await selectDueDays(deps.pool, { gapDaysMax: bounds.gapDaysMax, limit: bounds.daysPerRoundMax });
  for (const day of days) {
    onDay(day);
    await decideDay(deps, day);
  }
  return days.length;
}

async function decideDay(deps: SettlementDeps, day: string): Promise<void> {
  const begin = Date.parse(`${day}T00:00:00.000Z`);
  // Below every message of the day: merchants' ids are not negative.
  let after: MessagePlace = { at: begin, merchantId: -1, networkReference: "" };
  let messages = 0;
  // Ends, because every piece begins after the last one's end and the day's messages are all written.
  for (;;) {
    const piece = { day, after, before: begin + dayMs, limit: bounds.pieceRows, at: deps.clock.now() };
    const { looked, last } = await inTransaction(
      deps.pool,
      async (sql) => {
        await lockTurn(sql);
        return decidePiece(sql, piece);
      },
      { planned: "by_index" },
    );
    messages += looked;
    if (last === null || looked < bounds.pieceRows) {
      break;
    }
    after = last;
  }
  await insertDay(deps.pool, { day, messages, at: deps.clock.now() });
}
