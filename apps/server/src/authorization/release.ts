import { DECLINES } from "@cardwright/contract";
import type { Pool } from "pg";
import { consumptionData, findConsumption } from "#consumptions/index.ts";
import { inTransaction } from "#database/index.ts";
import { type Clock, uuid7 } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import { limitPeriods } from "./periods.ts";
import { type ConclusionItem, callConclude, type LostQuestion, selectLostQuestions } from "./store.ts";

export interface ReleaseDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

/**
 * Gives back the money of authorizations whose process died while it asked the merchant: they fail with `system_error`, and the
 * merchant is told by a callback. Any number of workers may do it at once: the stage in the row lets each be released once. Answers
 * how many were released. Approvals whose hold runs out are ended by the clearing room.
 */
export async function releaseLostQuestions(deps: ReleaseDeps): Promise<number> {
  const askedBefore = deps.clock.now() - bounds.questionMsMax;
  const lost = await selectLostQuestions(deps.pool, { askedBefore, limit: bounds.releaseBatchMax });
  let released = 0;
  for (const question of lost) {
    released += (await releaseOne(deps, question)) ? 1 : 0;
  }
  return released;
}

async function releaseOne(deps: ReleaseDeps, question: LostQuestion): Promise<boolean> {
  const at = deps.clock.now();
  return inTransaction(deps.pool, async (sql) => {
    const item = await conclusionItem(sql, question, at);
    const [row] = await callConclude(sql, { items: [item], voidKind: "expire", at });
    return row?.concluded === true;
  });
}

async function conclusionItem(
  sql: Parameters<typeof findConsumption>[0],
  question: LostQuestion,
  at: number,
): Promise<ConclusionItem> {
  const consumption = await findConsumption(sql, question);
  if (consumption === null) {
    throw new Error(`question about an unknown consumption ${question.consumeNo}`);
  }
  const remark = "system_error";
  const detail = DECLINES[remark].en;
  return {
    merchantId: question.merchantId,
    cardNo: question.cardNo,
    consumeNo: question.consumeNo,
    outcome: "refused",
    partial: null,
    remark,
    detail,
    merchantReason: "",
    feeDue: false,
    periods: limitPeriods(consumption.createdAt, question.utcOffsetMinutes),
    transactionId: uuid7(at),
    callbackId: uuid7(at),
    data: consumptionData({ ...consumption, status: "Fail", fee: 0n, feeRows: [], remark, detail }, { time: at }),
    standInData: "",
    dueAt: at,
  };
}
