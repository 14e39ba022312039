import { DECLINES, remarkSentence } from "@cardwright/contract";
import { decimalsOf, formatAmount, isCurrency, parseAmount, parsePositiveAmount } from "@cardwright/money";
import { dataEnd, dataFees, dataHead, type FeeRow } from "#consumptions/index.ts";
import { isDeclineCharged, type SmallDecision } from "#fees/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import { endOf, type MerchantAnswer, type QuestionEnd } from "./ask.ts";
import type { DecisionItem } from "./item.ts";
import { reserveFees } from "./item-fees.ts";
import type { ConclusionItem, PartialApproval } from "./store.ts";

/** Decimals of the card's currency: cards are billed in USD and TUSDT, both with two. */
const cardDecimals = 2;

export interface Weighed {
  readonly end: QuestionEnd;
  readonly partial: PartialApproval | null;
}

/**
 * What a merchant's answer means for this purchase. An approved amount above what was asked, or no amount at all, is no answer; one
 * below it is a partial approval where the shop can take one, and otherwise a refusal.
 */
export function weigh(item: DecisionItem, answer: MerchantAnswer, small: SmallDecision): Weighed {
  if (answer.kind !== "approved" || answer.approvedAmount === null) {
    return { end: endOf(answer), partial: null };
  }
  const amount = parsePositiveAmount(answer.approvedAmount, cardDecimals);
  if (!amount.ok || amount.value > item.amount) {
    return { end: endOf({ kind: "bad_answer" }), partial: null };
  }
  if (amount.value === item.amount) {
    return { end: { outcome: "approved" }, partial: null };
  }
  return item.partialAllowed
    ? { end: { outcome: "approved" }, partial: partialOf(item, { amount: amount.value, small }) }
    : { end: { outcome: "refused", reason: "merchant_declined", detail: "partial_not_possible" }, partial: null };
}

function partialOf(
  item: DecisionItem,
  { amount, small }: { readonly amount: bigint; readonly small: SmallDecision },
): PartialApproval {
  // A part that has become small by itself is not charged for it: the shop did not ask for so little.
  const fees = reserveFees(item.facts, { ...item.charged, amount }, small === "open" ? "free" : small);
  return {
    amount,
    notApproved: item.amount - amount,
    fee: fees.total,
    feeRows: fees.rows,
    reserveTotal: amount + fees.total,
    localAmount: localPart(item, amount),
  };
}

/** The same part of the amount in the shop's currency, half up: exactly the approved amount where both currencies are at par. */
function localPart(item: DecisionItem, amount: bigint): string {
  const decimals = isCurrency(item.localCurrency) ? decimalsOf(item.localCurrency) : 0;
  const whole = parseAmount(item.localAmount, decimals);
  const local = whole.ok ? (whole.value * amount * 2n + item.amount) / (item.amount * 2n) : 0n;
  return formatAmount(local, decimals);
}

/** The statement's item that ends a question; `small` is how the decision counted the small-transaction fee. */
export function conclusionOf(
  item: DecisionItem,
  weighed: Weighed & { readonly small: SmallDecision; readonly now: number },
): ConclusionItem {
  const { end, partial, small, now } = weighed;
  const { fee, feeRows } = feesOf(item, small);
  const remark = end.outcome === "approved" ? "" : end.reason;
  const word = end.outcome === "refused" && end.detail !== null ? end.detail : "";
  return {
    merchantId: item.facts.merchantId,
    cardNo: item.facts.cardNo,
    consumeNo: item.consumeNo,
    outcome: end.outcome,
    partial,
    remark,
    detail: detailOf(end),
    merchantReason: word,
    feeDue: item.declineFee && end.outcome !== "approved" && isDeclineCharged(end.reason),
    periods: item.periods,
    transactionId: uuid7(now),
    callbackId: uuid7(now),
    data:
      end.outcome === "approved"
        ? approvedData(item, { partial, fee, feeRows, now })
        : declinedData(item, { end, now }),
    standInData: end.outcome === "failed" ? standInData(item, { fee, feeRows, now }) : "",
    // A late answer comes within that time or never: the push waits, so that it can say what was answered.
    dueAt: remark === "merchant_timeout" ? now + bounds.lateAnswerMs : now,
  };
}

function detailOf(end: QuestionEnd): string {
  if (end.outcome === "approved") {
    return "";
  }
  const sentence = DECLINES[end.reason].en;
  return end.detail === null ? sentence : `${sentence} (${end.detail})`;
}

interface Shown {
  readonly fee: bigint;
  readonly feeRows: readonly FeeRow[];
}

/** What an approval shows, now that the small-transaction fee is decided. */
function feesOf({ fees: { shown } }: DecisionItem, small: SmallDecision): Shown {
  return small === "free" && shown.small !== null
    ? { fee: shown.total - shown.small.fee, feeRows: shown.small.freeRows }
    : { fee: shown.total, feeRows: shown.rows };
}

function approvedData(
  item: DecisionItem,
  options: Shown & { readonly partial: PartialApproval | null; readonly now: number },
): string {
  const { partial, now } = options;
  const end = item.dataTail + dataEnd({ status: "Pending", time: now });
  if (partial === null) {
    const { fee, feeRows } = options;
    return `${item.dataHead}${dataFees({ fee, remark: "", detail: "", feeRows })}${end}`;
  }
  const { amount, localAmount } = partial;
  const head = dataHead({ ...item, ...item.facts, amount, localAmount });
  return `${head}${dataFees({ fee: partial.fee, remark: "", detail: "", feeRows: partial.feeRows })}${end}`;
}

function declinedData(
  item: DecisionItem,
  options: { readonly end: Exclude<QuestionEnd, { outcome: "approved" }>; readonly now: number },
): string {
  const { end, now } = options;
  const fees = dataFees({ fee: 0n, remark: end.reason, detail: detailOf(end), feeRows: [] });
  return item.dataHead + fees + item.dataTail + dataEnd({ status: "Fail", time: now });
}

function standInData(item: DecisionItem, { fee, feeRows, now }: Shown & { readonly now: number }): string {
  const fees = dataFees({ fee, remark: "stand_in", detail: remarkSentence("stand_in", "en_US"), feeRows });
  return item.dataHead + fees + item.dataTail + dataEnd({ status: "Pending", time: now });
}
