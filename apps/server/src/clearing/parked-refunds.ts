import { formatAmount } from "@cardwright/money";
import type { Pool } from "pg";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, orderNumber, type Result, refused, uuid7 } from "#kernel/index.ts";
import { forceTransfer } from "#ledger/index.ts";
import { blankTransaction, flagWith } from "./blank-transaction.ts";
import { type Desk, openDesk, tell } from "./desk.ts";
import { purchaseOf } from "./give-back.ts";
import { lockCard } from "./locked-card.ts";
import {
  type ParkedFilter,
  type ParkedRefund,
  type ParkedStatus,
  resolveParked,
  selectParked,
  selectParkedPage,
} from "./parked-store.ts";
import { bookRefund, type Refund } from "./refund.ts";
import { schedulesOf, type TermsOf } from "./schedules.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

/** What an operator makes of a parked refund: the cardholder gets it, the merchant's reserve, or the platform's income. */
export const resolutions = ["release", "keep_for_merchant", "keep_for_platform"] as const;
export type Resolution = (typeof resolutions)[number];
/** An operator's reason, for the audit. */
export const parkedNoteCharactersMax = 256;
export type ParkedRefusal = "parked_refund_unknown" | "parked_refund_resolved";

const statusOf: Readonly<Record<Resolution, ParkedStatus>> = {
  release: "Released",
  keep_for_merchant: "KeptForMerchant",
  keep_for_platform: "KeptForPlatform",
};

export interface ParkedDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly terms: TermsOf;
}

export function listParked(deps: ParkedDeps, filter: ParkedFilter): Promise<ParkedRefund[]> {
  return selectParkedPage(deps.pool, filter);
}

/**
 * Ends a parked refund, once: the same resolution again answers the same, another one is refused. `release` books it as any other
 * refund; the others move what the network has paid and show the merchant nothing.
 */
export async function resolve(
  deps: ParkedDeps,
  input: { readonly parkedNo: string; readonly resolution: Resolution; readonly note: string },
  by: Initiator,
): Promise<Result<ParkedRefund, ParkedRefusal>> {
  const known = await selectParked(deps.pool, input.parkedNo);
  const schedules = known === null ? null : await schedulesOf(deps, known);
  if (known === null || schedules === null) {
    return refused("parked_refund_unknown");
  }
  const at = deps.clock.now();
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, known);
    const parked = await selectParked(sql, input.parkedNo);
    if (card === null || parked === null) {
      throw new Error(`the card of the parked refund ${input.parkedNo} is gone`);
    }
    const status = statusOf[input.resolution];
    if (parked.status !== "Open") {
      return parked.status === status ? ok(parked) : refused("parked_refund_resolved");
    }
    const desk = await openDesk({ sql, card, schedules, at, noticedAt: at });
    const refund = await refundOf(desk, parked);
    const { consumeNo } = status === "Released" ? refund.shown : parked;
    const resolved = { ...parked, status, note: input.note, consumeNo, resolvedAt: at };
    if (!(await resolveParked(sql, { ...resolved, at }))) {
      throw new Error("a parked refund was resolved although its card is locked");
    }
    // Before the accounts, which everybody locks last.
    await audit(sql, resolved, { by, at });
    if (status === "Released") {
      await bookRefund(desk, {
        ...refund,
        purchase: await purchaseOf(desk, { ...parked, consumeNo: parked.purchaseNo }),
      });
    } else {
      await keep(desk, resolved, refund.known);
    }
    return ok(resolved);
  });
}

/** The refund as it would have been booked; the shop's name and amounts are those of its message. */
async function refundOf({ sql, card, at }: Desk, parked: ParkedRefund): Promise<Refund> {
  const { merchantId, consumeNo, amount, localAmount, exchangeRate, exchangeSource, exchangeAt } = parked;
  const said = { amount, localAmount, exchangeRate, exchangeSource, exchangeAt };
  const known = consumeNo === "" ? null : await selectTransaction(sql, { merchantId, consumeNo });
  if (known !== null) {
    return { known, shown: { ...known, ...said, remark: "", detail: "" } };
  }
  const shown: CardTransaction = {
    ...blankTransaction(card, at),
    ...said,
    consumeNo: orderNumber("O", at),
    consumeRelateNo: parked.purchaseNo,
    type: "Refund",
    status: "Success",
    localCurrency: parked.localCurrency,
    acceptor: parked.acceptor,
    networkReference: parked.networkReference,
  };
  return { known: null, shown };
}

/** The money stays with the platform's books: in the reserve, or as income. A refund that was authorized ends without it. */
async function keep(desk: Desk, parked: ParkedRefund, authorized: CardTransaction | null): Promise<void> {
  const { sql, accounts, at } = desk;
  if (authorized?.status === "Pending") {
    const ended = { ...authorized, ...flagWith("reversed"), status: "Fail", stage: "done" } as const;
    await updateTransaction(sql, ended, { at });
    await tell(desk, ended);
  }
  const destination = accounts.idOf(parked.status === "KeptForMerchant" ? "reserve" : "platform_income");
  await forceTransfer(sql, {
    merchantId: parked.merchantId,
    transactionId: uuid7(at),
    kind: "refund",
    reference: parked.parkedNo,
    at,
    postings: [{ source: accounts.idOf("settlement"), destination, amount: parked.amount }],
  });
}

async function audit(
  sql: Sql,
  parked: ParkedRefund,
  { by, at }: { readonly by: Initiator; readonly at: number },
): Promise<void> {
  const { merchantId, parkedNo, amount, status, note, purchaseNo: purchase } = parked;
  const detail = { amount: formatAmount(amount, 2), status, note, purchase };
  await appendAudit(sql, { ...by, merchantId, action: "parked_refund.resolve", subject: parkedNo, detail, at });
}
