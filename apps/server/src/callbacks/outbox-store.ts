import type { Sql } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";

/**
 * Moves pushes from the outbox, where the change that they report has put them, to the line that they are delivered from; the oldest ones, a
 * bounded number. Answers whether there may be more. `sql` must not be in a transaction: the move is one by itself.
 */
export async function emptyOutbox(sql: Sql): Promise<{ readonly moved: number; readonly mayHaveMore: boolean }> {
  const { rows } = await sql.query<{ moved: number }>({
    name: "callbacks_empty_outbox",
    text: "SELECT empty_callback_outbox($1) AS moved",
    values: [callbackLimits.outboxMax],
  });
  const moved = rows[0]?.moved ?? 0;
  return { moved, mayHaveMore: moved >= callbackLimits.outboxMax };
}

/** For who reads the line: everything that was committed before is in it afterwards, unless no worker has emptied the outbox for long. */
export async function bringLineUpToDate(sql: Sql): Promise<void> {
  let steps = 0;
  for (let mayHaveMore = true; mayHaveMore && steps < callbackLimits.outboxStepsMax; steps += 1) {
    ({ mayHaveMore } = await emptyOutbox(sql));
  }
}
