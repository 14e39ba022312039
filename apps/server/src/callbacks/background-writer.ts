import { createBatcher, createLanes } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";

/** Writes rows that nobody waits for. */
export interface BackgroundWriter<Row> {
  /** Writes soon and together with others; a row that cannot be written is lost and logged. */
  write(row: Row): void;
  /** Writes what is unwritten; the caller writes no more. */
  stop(): Promise<void>;
}

export interface BackgroundWriterOptions<Row> {
  readonly log: CallbackDeps["log"];
  /** Names the rows in errors, metrics and the log. */
  readonly name: string;
  readonly insert: (rows: readonly Row[]) => Promise<null[]>;
  /**
   * Rows gather for so long before they are written: where there are hundreds a second, a statement with its commit for each costs the
   * purchases beside it more than all of the rows together. 0: the next statement begins at once.
   */
  readonly gatherMs: number;
}

/** One line in the log for so many lost rows: when the database is away, every one is lost. */
const lossesPerLine = 1_000;

export function createBackgroundWriter<Row>({
  log,
  name,
  insert,
  gatherMs,
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
  const gathered: Row[] = [];
  let timer: NodeJS.Timeout | undefined;
  const submitGathered = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const row of gathered.splice(0)) {
      batcher.submit(row).catch(onLoss);
    }
  };
  return {
    write: (row) => {
      gathered.push(row);
      if (gatherMs === 0 || gathered.length >= callbackLimits.rowsPerWrite) {
        submitGathered();
      } else {
        timer ??= setTimeout(submitGathered, gatherMs);
      }
    },
    stop: async () => {
      submitGathered();
      await batcher.stop({ deadlineMs: callbackLimits.stopMs });
    },
  };
}
