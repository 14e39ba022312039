import { DECLINES } from "@cardwright/contract";
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
}

/**
 * Gives back the money of authorizations whose process died while it asked the merchant: they fail with `system_error`, and the
 * merchant is told by a callback. Any number of workers may do it at once: the stage in the row lets each be released once. Answers
 * how many were released. Approvals whose hold runs out are ended by the clearing room.
 */
export async function releaseRunOut(deps: ReleaseDeps): Promise<number> {
  const due = await selectRunOut(deps.pool, { now: deps.clock.now(), limit: bounds.releaseBatchMax });
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
    const [row] = await callConclude(sql, { items: [item], stage: "asking", voidKind: "expire", at });
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
  const remark = "system_error";
  const detail = DECLINES[remark].en;
  return {
    merchantId: hold.merchantId,
    cardNo: hold.cardNo,
    consumeNo: hold.consumeNo,
    outcome: "refused",
    partial: null,
    remark,
    detail,
    merchantReason: "",
    periods: limitPeriods(consumption.createdAt, hold.utcOffsetMinutes),
    transactionId: uuid7(at),
    callbackId: uuid7(at),
    data: consumptionData({ ...consumption, status: "Fail", fee: 0n, feeRows: [], remark, detail }, { time: at }),
    standInData: "",
    dueAt: at,
    holdUntil: at,
  };
}
