import type { Sql } from "#database/index.ts";

export type RunState = "running" | "passed" | "failed";

export interface ScenarioRun {
  readonly merchantId: number;
  readonly runId: string;
  readonly name: string;
  readonly state: RunState;
  /** Steps that are over, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly differences: readonly string[];
  /** Unix ms of real time. */
  readonly startedAt: number;
  readonly endedAt: number | null;
}

type RunKey = Pick<ScenarioRun, "merchantId" | "runId">;

/** Runs of a merchant that can still be asked about. */
const keptMax = 50;

/** False when the merchant has one that is under way. One whose process has died is closed first, once its time is over. */
export async function insertRun(sql: Sql, run: ScenarioRun, limits: { readonly runMsMax: number }): Promise<boolean> {
  const { merchantId, startedAt } = run;
  await sql.query(
    `UPDATE sandbox_scenario_run SET state = 'failed', ended_at = $2, differences = '["the process that played it has ended"]'
     WHERE merchant_id = $1 AND state = 'running' AND started_at < $3`,
    [merchantId, startedAt, startedAt - 2 * limits.runMsMax],
  );
  const { rowCount } = await sql.query(
    `INSERT INTO sandbox_scenario_run (merchant_id, run_id, name, state, step, steps, differences, started_at)
     VALUES ($1, $2, $3, 'running', 0, $4, '[]', $5)
     ON CONFLICT (merchant_id) WHERE state = 'running' DO NOTHING`,
    [merchantId, run.runId, run.name, run.steps, startedAt],
  );
  await sql.query(
    `DELETE FROM sandbox_scenario_run WHERE merchant_id = $1 AND state <> 'running' AND run_id NOT IN
       (SELECT run_id FROM sandbox_scenario_run WHERE merchant_id = $1 ORDER BY started_at DESC LIMIT $2)`,
    [merchantId, keptMax],
  );
  return rowCount === 1;
}

export async function updateRunStep(sql: Sql, key: RunKey & { readonly step: number }): Promise<void> {
  await sql.query(
    "UPDATE sandbox_scenario_run SET step = $3 WHERE merchant_id = $1 AND run_id = $2 AND state = 'running'",
    [key.merchantId, key.runId, key.step],
  );
}

export async function endRun(
  sql: Sql,
  end: RunKey & { readonly state: RunState; readonly differences: readonly string[]; readonly endedAt: number },
): Promise<void> {
  await sql.query(
    `UPDATE sandbox_scenario_run SET state = $3, differences = $4, ended_at = $5
     WHERE merchant_id = $1 AND run_id = $2 AND state = 'running'`,
    [end.merchantId, end.runId, end.state, JSON.stringify(end.differences), end.endedAt],
  );
}

export async function selectRun(sql: Sql, key: RunKey): Promise<ScenarioRun | null> {
  const { rows } = await sql.query<{
    name: string;
    state: RunState;
    step: number;
    steps: number;
    differences: string[];
    started_at: bigint;
    ended_at: bigint | null;
  }>(
    `SELECT name, state, step, steps, differences, started_at, ended_at FROM sandbox_scenario_run
     WHERE merchant_id = $1 AND run_id = $2`,
    [key.merchantId, key.runId],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : {
        merchantId: key.merchantId,
        runId: key.runId,
        name: row.name,
        state: row.state,
        step: row.step,
        steps: row.steps,
        differences: row.differences,
        startedAt: Number(row.started_at),
        endedAt: row.ended_at === null ? null : Number(row.ended_at),
      };
}
