import { formatAmount } from "@cardwright/money";
import { z } from "zod";
import {
  fileStates,
  itemKinds,
  itemStates,
  type Naming,
  resolutions,
  type SettlementFile,
  type SettlementItem,
  settledDecimals,
} from "#settlement/index.ts";
import { timeMs } from "./request-parts.ts";

const count = z.int();
const usd = z.string().meta({ description: "US dollars, decimal text.", examples: ["1234.50"] });
const day = z.string().meta({ examples: ["2026-05-22"] });

export const fileAnswer = z.strictObject({
  file_no: z.string(),
  file_id: z.string().meta({ description: "As the network named it." }),
  network: z.string(),
  settlement_date: day,
  state: z.enum(fileStates),
  reason: z.string().meta({ description: "Why a rejected file was rejected; empty otherwise." }),
  broken_off: z.boolean().meta({ description: "It is `importing` and nobody does: import it again." }),
  rows_expected: count,
  rows_read: count,
  sha256: z.string(),
  debits: usd.nullable(),
  credits: usd.nullable(),
  unread_amount: usd.meta({ description: "What the rows whose amount cannot be read are worth by the trailer." }),
  counts: z.strictObject({
    matched: count,
    amount_differs: count,
    only_theirs: count,
    named_twice: count,
    malformed: count,
    only_ours: count.nullable().meta({ description: "Of the settlement date; null until that day is decided." }),
  }),
  open_items: count,
  begun_by: z.string(),
  begun_at: timeMs,
  ended_at: timeMs.nullable(),
});

export const importAnswer = z.strictObject({
  repeat: z.boolean().meta({ description: "This content had come before: nothing was changed." }),
  file: fileAnswer,
});

export const itemAnswer = z.strictObject({
  item_id: z.string(),
  kind: z.enum(itemKinds),
  settlement_date: day,
  file_no: z.string().nullable(),
  line_no: count.nullable(),
  network_reference: z.string(),
  merchant_no: z.string().nullable(),
  consume_no: z.string(),
  their_amount: usd.nullable(),
  our_amount: usd.nullable(),
  reason: z.string().meta({ description: "Of a malformed row: the field that cannot be read." }),
  state: z.enum(itemStates),
  resolution: z.string().meta({
    description: `The last decision, also of an item that was opened again: ${resolutions.join(", ")}; or named_later, message_came when it settled itself.`,
  }),
  note: z.string(),
  resolved_by: z.string(),
  resolved_at: timeMs.nullable(),
  reopened: count.meta({ description: "How often a later file has opened it again." }),
  reopened_by_file: z.string().nullable(),
  detected_at: timeMs,
});

export const namingAnswer = z.strictObject({
  file_no: z.string(),
  line_no: count,
  settlement_date: day,
  settled_amount: usd,
  at: timeMs,
});

const usdText = (amount: bigint): string => formatAmount(amount, settledDecimals);
const usdOrNull = (amount: bigint | null): string | null => (amount === null ? null : usdText(amount));
const numberOrNull = (fileKey: number | null): string | null => (fileKey === null ? null : String(fileKey));

export function fileToWire(file: SettlementFile): z.infer<typeof fileAnswer> {
  return {
    file_no: String(file.fileKey),
    file_id: file.fileId,
    network: file.network,
    settlement_date: file.settlementDate,
    state: file.state,
    reason: file.reason,
    broken_off: file.brokenOff,
    rows_expected: file.rowsExpected,
    rows_read: file.rowsRead,
    sha256: file.sha256,
    debits: usdOrNull(file.debits),
    credits: usdOrNull(file.credits),
    unread_amount: usdText(file.unreadAmount),
    counts: {
      matched: file.matched,
      amount_differs: file.amountDiffers,
      only_theirs: file.onlyTheirs,
      named_twice: file.namedTwice,
      malformed: file.malformed,
      only_ours: file.onlyOurs,
    },
    open_items: file.openItems,
    begun_by: file.begunBy,
    begun_at: file.begunAt,
    ended_at: file.endedAt,
  };
}

/** `numbers`: merchants' public numbers by their ids. */
export function itemToWire(item: SettlementItem, numbers: ReadonlyMap<number, string>): z.infer<typeof itemAnswer> {
  return {
    item_id: item.itemId,
    kind: item.kind,
    settlement_date: item.settlementDate,
    file_no: numberOrNull(item.fileKey),
    line_no: item.lineNo,
    network_reference: item.networkReference,
    merchant_no: item.merchantId === null ? null : (numbers.get(item.merchantId) ?? null),
    consume_no: item.consumeNo,
    their_amount: usdOrNull(item.theirAmount),
    our_amount: usdOrNull(item.ourAmount),
    reason: item.reason,
    state: item.state,
    resolution: item.resolution,
    note: item.note,
    resolved_by: item.resolvedBy,
    resolved_at: item.resolvedAt,
    reopened: item.reopened,
    reopened_by_file: numberOrNull(item.reopenedByFile),
    detected_at: item.detectedAt,
  };
}

export function namingToWire(naming: Naming): z.infer<typeof namingAnswer> {
  return {
    file_no: String(naming.fileKey),
    line_no: naming.lineNo,
    settlement_date: naming.settlementDate,
    settled_amount: usdText(naming.settledAmount),
    at: naming.at,
  };
}
