import { createBatcher, createLanes } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";

/** Writes rows that nobody waits for. */
export interface BackgroundWriter<Row> {
  /** Writes soon and together with others; a row that cannot be written is lost and logged. */
  write(row: Row): void;
  stop(): Promise<void>;
}

export interface BackgroundWriterOptions<Row> {
  readonly log: CallbackDeps["log"];
  /** Names the rows in errors, metrics and the log. */
  readonly name: string;
  readonly insert: (rows: readonly Row[]) => Promise<null[]>;
}

/** One line in the log for so many lost rows: when the database is away, every one is lost. */
const lossesPerLine = 1_000;

export function createBackgroundWriter<Row>({
  log,
  name,
  insert,
}: BackgroundWriterOptions<Row>): BackgroundWriter<Row> {
  let losses = 0;
  const batcher = createBatcher<Row, null>({
    name,
    lanes: createLanes({ max: 1 }),
    batchMax: callbackLimits.rowsPerWrite,
    queueMax: callbackLimits.rowsWaitingMax,
    run: insert,
  });
  const onLoss = (error: unknown): void => {
    losses += 1;
    if (losses % lossesPerLine === 1) {
      log.warn({ rows: name, error: nameOf(error), losses }, "a row was not written");
    }
  };
  return {
    write: (row) => void batcher.submit(row).catch(onLoss),
    stop: () => batcher.stop({ deadlineMs: callbackLimits.stopMs }),
  };
}
