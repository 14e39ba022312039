import { createBatcher } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";
import { insertQuestions, type QuestionRow } from "./question-store.ts";

export interface QuestionLog {
  /** Writes soon and together with others; a row that cannot be written is lost and logged, nobody waits for it. */
  write(row: QuestionRow): void;
  stop(): Promise<void>;
}

/** One line in the log for so many lost rows: when the database is away, every question loses its row. */
const lossesPerLine = 1_000;

export function createQuestionLog({ pool, log }: Pick<CallbackDeps, "pool" | "log">): QuestionLog {
  let losses = 0;
  const batcher = createBatcher<QuestionRow, null>({
    name: "merchant questions",
    lanesMax: 1,
    batchMax: callbackLimits.rowsPerWrite,
    queueMax: callbackLimits.rowsWaitingMax,
    run: (rows) => insertQuestions(pool, rows),
  });
  const onLoss = (error: unknown): void => {
    losses += 1;
    if (losses % lossesPerLine === 1) {
      log.warn({ error: nameOf(error), losses }, "a merchant question was not recorded");
    }
  };
  return {
    write: (row) => void batcher.submit(row).catch(onLoss),
    stop: () => batcher.stop({ deadlineMs: callbackLimits.stopMs }),
  };
}
