import { orderNumber } from "#kernel/index.ts";
import { shareOut } from "./allocation.ts";
import type { Billed } from "./billing.ts";
import { blankTransaction, flagWith } from "./blank-transaction.ts";
import { type Desk, lockAccounts, openDesk } from "./desk.ts";
import { endHold } from "./held.ts";
import { clearedLocal, type LocalPart, localText, selectParts } from "./local-amount.ts";
import type { Effect, Presentment } from "./message.ts";
import { findOriginal, withIncrements } from "./original.ts";
import type { Done, Reception, Untaken } from "./receive.ts";
import { settle, settleNew } from "./settle.ts";
import { isForced, isHeld, isSpending } from "./transaction-state.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** A presentment with what it comes to in the card's currency. */
export interface BilledPresentment {
  readonly message: Presentment;
  readonly billed: Billed;
}

/**
 * Clears a purchase or withdrawal. It cannot be refused, whatever has become of the card or of the authorization: what is held is
 * used up first, what is missing is taken all the same, and the consumption says so by its remark.
 */
export async function clearPurchase(reception: Reception, presentment: BilledPresentment): Promise<Done | Untaken> {
  const { sql, card } = reception;
  const { message, billed } = presentment;
  const original = await findOriginal(sql, card, message.originalReference);
  const desk = await openDesk(reception);
  if (original.transaction === null || !isSpending(original.transaction)) {
    const relateNo = original.transaction === null ? original.relateNo : "";
    return forcePost(desk, presentment, relateNo);
  }
  const members = await withIncrements(sql, original.transaction);
  if (members.some(({ stage }) => stage === "asking")) {
    return { untaken: "authorization_under_way" };
  }
  const effect = await clearMembers(desk, { ...presentment, members });
  return { effect, consumeNo: original.transaction.consumeNo, settledAmount: billed.amount };
}

interface Group extends BilledPresentment {
  readonly members: readonly [CardTransaction, ...CardTransaction[]];
}

async function clearMembers(desk: Desk, group: Group): Promise<Effect> {
  const { members, message, billed } = group;
  const open = (each: CardTransaction) => (isHeld(each) ? each.amount - each.clearedAmount : 0n);
  const { shares, beyond } = shareOut(
    billed.amount,
    members.map((each) => ({ open: open(each) })),
  );
  const flagged = beyond === 0n ? null : flagOf(group);
  const parts = await partsOf(desk, group);
  const weights = members.map((each, place) => each.clearedAmount + (shares[place] ?? 0n));
  const unneeded = { kind: "void", remark: "reversed", detail: "Not needed by the clearing." } as const;
  if (members.length > 1) {
    await lockAccounts(desk);
  }
  let touched = 0;
  let stillHeld = 0;
  for (const [place, before] of members.entries()) {
    const share = shares[place] ?? 0n;
    const ends = message.final && isHeld(before);
    if (share === 0n && !ends) {
      stillHeld += isHeld(before) ? 1 : 0;
      continue;
    }
    touched += 1;
    const isUnneeded = place > 0 && weights[place] === 0n;
    const after = isUnneeded
      ? await endHold(desk, before, unneeded)
      : await settle(desk, before, {
          share,
          final: message.final,
          remark: place === 0 ? flagged : null,
          exchange: billed.exchange,
          localAmount: clearedLocal(before, parts, { of: place, weights }),
        });
    stillHeld += isHeld(after) ? 1 : 0;
  }
  if (touched === 0) {
    return "no_effect";
  }
  return flagged ?? (stillHeld > 0 ? "partially_cleared" : "cleared");
}

type Flag = "over_captured" | "cleared_late" | "force_posted";

/**
 * What is to be said of a purchase that is cleared beyond what is held for it: more than is authorized of it and its increments, or only
 * later than its hold.
 */
function flagOf({ members, billed }: Group): Flag {
  const [original] = members;
  if (isHeld(original)) {
    return "over_captured";
  }
  if (original.status === "Fail") {
    return "cleared_late";
  }
  if (isForced(original)) {
    return "force_posted";
  }
  const standing = members.filter(({ status }) => status !== "Fail");
  const cleared = standing.reduce((sum, each) => sum + each.clearedAmount, billed.amount);
  const authorized = standing.reduce((sum, each) => sum + (each.captureLimit ?? each.amount), 0n);
  return cleared > authorized ? "over_captured" : "cleared_late";
}

/** Every clearing of the group so far, this one included, as the network said it. */
async function partsOf({ sql, card }: Desk, { members, message, billed }: Group): Promise<LocalPart[]> {
  const [original] = members;
  const { localAmount, localCurrency, amount: settledAmount, networkReference: originalReference } = original;
  const earlier = isForced(original)
    ? [{ localAmount, localCurrency, settledAmount }]
    : await selectParts(sql, { merchantId: card.merchantId, originalReference });
  return [
    ...earlier,
    {
      localAmount: localText(message.amount, message.currency),
      localCurrency: message.currency,
      settledAmount: billed.amount,
    },
  ];
}

async function forcePost(desk: Desk, { message, billed }: BilledPresentment, relateNo: string): Promise<Done> {
  const { card, at } = desk;
  const consumeNo = orderNumber("O", at);
  await settleNew(desk, {
    ...blankTransaction(card, at),
    consumeNo,
    consumeRelateNo: relateNo,
    type: message.kind === "atm" ? "Atm" : "Consumption",
    status: "Success",
    amount: billed.amount,
    localAmount: localText(message.amount, message.currency),
    localCurrency: message.currency,
    ...billed.exchange,
    ...flagWith("force_posted"),
    acceptor: message.acceptor,
    networkReference: message.networkReference,
  });
  return { effect: "force_posted", consumeNo, settledAmount: billed.amount };
}
