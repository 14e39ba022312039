import { type Remark, remarkSentence } from "@cardwright/contract";
import type { Pool } from "pg";
import { consumptionData, findConsumption } from "#consumptions/index.ts";
import { inTransaction } from "#database/index.ts";
import { type Clock, uuid7 } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import { limitPeriods } from "./periods.ts";
import { type ConclusionItem, callConclude, type RunOutHold, selectRunOut } from "./store.ts";

export interface ReleaseDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Only holds that ran out by then, Unix ms; now when absent. */
  readonly until?: number;
}

/**
 * Gives back the money of authorizations whose hold has run out: an approval that was never cleared becomes `expired`; one whose
 * process died while it asked the merchant fails with `system_error`, and the merchant is told by a callback. Any number of
 * workers may do it at once: the stage in the row lets each be released once. Answers how many were released.
 */
export async function releaseRunOut(deps: ReleaseDeps): Promise<number> {
  const now = deps.until ?? deps.clock.now();
  const askedBefore = now - bounds.questionMsMax;
  const due = await selectRunOut(deps.pool, { now, askedBefore, limit: bounds.releaseBatchMax });
  let released = 0;
  for (const hold of due) {
    released += (await releaseOne(deps, hold)) ? 1 : 0;
  }
  return released;
}

async function releaseOne(deps: ReleaseDeps, hold: RunOutHold): Promise<boolean> {
  const at = deps.clock.now();
  return inTransaction(deps.pool, async (sql) => {
    const item = await conclusionItem(sql, hold, at);
    const [row] = await callConclude(sql, { items: [item], stage: hold.stage, voidKind: "expire", at });
    return row?.concluded === true;
  });
}

async function conclusionItem(
  sql: Parameters<typeof findConsumption>[0],
  hold: RunOutHold,
  at: number,
): Promise<ConclusionItem> {
  const consumption = await findConsumption(sql, hold);
  if (consumption === null) {
    throw new Error(`hold of an unknown consumption ${hold.consumeNo}`);
  }
  const remark: Remark = hold.stage === "held" ? "expired" : "system_error";
  const detail = remarkSentence(remark, "en_US");
  return {
    merchantId: hold.merchantId,
    cardNo: hold.cardNo,
    consumeNo: hold.consumeNo,
    outcome: "refused",
    partial: null,
    remark,
    detail,
    merchantReason: "",
    feeDue: false,
    periods: limitPeriods(consumption.createdAt, hold.utcOffsetMinutes),
    transactionId: uuid7(at),
    callbackId: uuid7(at),
    data: consumptionData({ ...consumption, status: "Fail", fee: 0n, feeRows: [], remark, detail }, { time: at }),
    standInData: "",
    dueAt: at,
  };
}
