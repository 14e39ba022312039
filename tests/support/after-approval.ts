import { merchantAccounts } from "../../apps/server/src/clearing/accounts.ts";
import { clearingRules, type ReversalMessage } from "../../apps/server/src/clearing/index.ts";
import { lockCard } from "../../apps/server/src/clearing/locked-card.ts";
import { pushTransaction } from "../../apps/server/src/clearing/push.ts";
import {
  type CardTransaction,
  insertTransaction,
  selectTransaction,
  updateTransaction,
} from "../../apps/server/src/clearing/transaction-store.ts";
import { consumptionRules } from "../../apps/server/src/consumptions/index.ts";
import { inTransaction } from "../../apps/server/src/database/index.ts";
import { orderNumber, uuid7 } from "../../apps/server/src/kernel/index.ts";
import {
  capture,
  findAccount,
  type MerchantAccountKind,
  type Posting,
  verifyLedger,
} from "../../apps/server/src/ledger/index.ts";
import type { Programme, ReadyCard } from "./programme.ts";

let references = 0;

/** A reversal of everything; each call is a new message of the network. */
export function reversalOf(
  card: Pick<ReadyCard, "printed">,
  originalReference: string,
  changed: Partial<ReversalMessage> = {},
): ReversalMessage {
  references += 1;
  return {
    networkReference: `reversal-${references}`,
    originalReference,
    pan: card.printed.pan,
    amount: null,
    billingAmount: null,
    ...changed,
  };
}

/** Must exist. */
export async function transactionOf(
  programme: Programme,
  card: ReadyCard,
  consumeNo: string | null,
): Promise<CardTransaction> {
  const { merchantId } = card;
  const found = consumeNo === null ? null : await selectTransaction(programme.db.pool, { merchantId, consumeNo });
  if (found === null) throw new Error(`there is no consumption ${consumeNo}`);
  return found;
}

/**
 * Does what a clearing of no more than the authorization does: takes its share of what is held, fees included, for good. `final` ends
 * the consumption as `Success`; without it the rest stays held.
 */
export async function clearExactly(
  programme: Programme,
  card: ReadyCard,
  clearing: {
    readonly consumeNo: string | null;
    readonly credit: bigint;
    readonly reserve: bigint;
    readonly amount: bigint;
    readonly final: boolean;
  },
): Promise<void> {
  const at = programme.clock.now();
  await inTransaction(programme.db.pool, async (sql) => {
    const locked = await lockCard(sql, card);
    const held = await transactionOf(programme, card, clearing.consumeNo);
    if (locked === null) throw new Error("the card has gone");
    const accounts = await merchantAccounts(sql, card.merchantId);
    const { amount, credit, reserve, final } = clearing;
    const from = accounts.idOf("reserve");
    const postings: Posting[] = [
      { source: from, destination: accounts.idOf("settlement"), amount },
      { source: from, destination: accounts.idOf("platform_income"), amount: reserve - amount },
    ];
    if (locked.creditAccountId !== null) {
      const source = locked.creditAccountId;
      postings.push(
        { source, destination: accounts.idOf("spending"), amount },
        { source, destination: accounts.idOf("merchant_income"), amount: credit - amount },
      );
    }
    await capture(sql, {
      merchantId: card.merchantId,
      holdId: held.holdId,
      transactionId: uuid7(at),
      reference: held.consumeNo,
      at,
      postings: postings.filter((posting) => posting.amount > 0n),
      keep: !final,
    });
    const next: CardTransaction = {
      ...held,
      clearedAmount: held.clearedAmount + amount,
      creditBooked: held.creditBooked + credit,
      reserveBooked: held.reserveBooked + reserve,
      status: final ? "Success" : "Pending",
      stage: final ? "done" : "held",
      remark: final ? "" : "partially_cleared",
    };
    await updateTransaction(sql, next, { at });
    await pushTransaction(sql, next, { at });
  });
}

/** Writes a refund as an authorization of one leaves it: pending, without a hold. */
export async function authorizeRefund(
  programme: Programme,
  card: ReadyCard,
  refund: { readonly amount: bigint; readonly networkReference: string; readonly like: string | null },
): Promise<string> {
  const like = await transactionOf(programme, card, refund.like);
  const consumeNo = orderNumber("O", programme.clock.now());
  await insertTransaction(programme.db.pool, {
    ...like,
    consumeNo,
    type: "Refund",
    status: "Pending",
    stage: "held",
    amount: refund.amount,
    fee: 0n,
    feeRows: [],
    creditTotal: 0n,
    reserveTotal: 0n,
    clearedAmount: 0n,
    creditBooked: 0n,
    reserveBooked: 0n,
    localAmount: `${refund.amount / 100n}.00`,
    remark: "",
    detail: "",
    networkReference: refund.networkReference,
    holdId: null,
    createdAt: programme.clock.now(),
  });
  return consumeNo;
}

/** Available and held together, minor units, of a merchant's own account. */
export async function balanceOf(programme: Programme, card: ReadyCard, kind: MerchantAccountKind): Promise<bigint> {
  const account = await findAccount(programme.db.pool, { merchantId: card.merchantId, kind, owner: "" });
  return (account?.available ?? 0n) + (account?.held ?? 0n);
}

/** For the end of each test: throws what `verify` finds broken. */
export async function requireCleanBooks(programme: Programme): Promise<void> {
  const { broken } = await verifyLedger(programme.db.pool, { extraRules: [...consumptionRules, ...clearingRules] });
  if (broken.length > 0) throw new Error(`the books are broken: ${JSON.stringify(broken)}`);
}
