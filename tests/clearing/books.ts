import { formatAmount } from "@cardwright/money";
import type { MessageAnswer, ReversalMessage } from "../../apps/server/src/clearing/index.ts";
import { type CardTransaction, selectTransaction } from "../../apps/server/src/clearing/transaction-store.ts";
import { findAccount, type MerchantAccountKind } from "../../apps/server/src/ledger/index.ts";
import { type Pot, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

export const modes = ["CREDIT_EXTENSION", "AUTHORIZATION"] as const;

/** Every rule of `verify` holds, and nothing went wrong behind an answer. */
export async function mustBeClean(programme: Programme): Promise<void> {
  const { broken } = await programme.verify();
  if (broken.length > 0 || programme.errors.length > 0) {
    throw new Error(`the books are not clean: ${JSON.stringify({ broken, errors: programme.errors.map(String) })}`);
  }
}

/** What the pots of a card should be; in authorization mode there is no cardholder's account. */
export function potsOf(card: Pick<ReadyCard, "mode">, credit: Pot, reserve: Pot): { credit: Pot; reserve: Pot } {
  return { credit: card.mode === "AUTHORIZATION" ? ["0.00", "0.00"] : credit, reserve };
}

/** An approved purchase; answers its network reference and number. */
export async function authorized(
  programme: Programme,
  card: ReadyCard,
  amount: string,
  changed: Parameters<typeof purchaseWith>[2] = {},
): Promise<{ readonly originalReference: string; readonly consumeNo: string }> {
  const request = purchaseWith(card, amount, changed);
  const answer = await programme.authorization.authorize(request);
  if (!answer.approved) throw new Error(`the purchase was declined: ${answer.reason}`);
  return { originalReference: request.networkReference, consumeNo: answer.consumeNo ?? "" };
}

/** Available in one of the merchant's own accounts, decimal text. */
export async function balanceOf(programme: Programme, card: ReadyCard, kind: MerchantAccountKind): Promise<string> {
  const account = await findAccount(programme.db.pool, { merchantId: card.merchantId, kind, owner: "" });
  return formatAmount(account?.available ?? 0n, 2);
}

/** Status and remark of the pushes about one consumption, oldest first. */
export async function toldAbout(programme: Programme, card: ReadyCard, consumeNo: string): Promise<string[]> {
  const pushes = await programme.pushes(card);
  return pushes
    .filter(({ data }) => data["consume_no"] === consumeNo)
    .map(({ data }) => `${String(data["status"])} ${String(data["remark"])}`.trim());
}

/** What the network is answered to a reversal of which the amount can be understood. */
export async function reversed(programme: Programme, message: ReversalMessage): Promise<MessageAnswer> {
  const answer = await programme.clearing.reverse(message);
  if (!answer.ok) throw new Error(`refused: ${answer.reason}`);
  return answer.value;
}

/** The number of the consumption that a message made or changed. */
export const numberIn = (answer: MessageAnswer): string => (answer.accepted ? answer.consumeNo : "");

/** Everything that is known of a consumption; must exist. */
export async function transactionOf(
  programme: Programme,
  { merchantId }: ReadyCard,
  consumeNo: string | null,
): Promise<CardTransaction> {
  const found = consumeNo === null ? null : await selectTransaction(programme.db.pool, { merchantId, consumeNo });
  if (found === null) throw new Error(`there is no consumption ${consumeNo}`);
  return found;
}
