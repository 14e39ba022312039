import type { RowFault } from "./file-format.ts";

export const fileStates = ["importing", "matching", "imported", "rejected"] as const;
export type FileState = (typeof fileStates)[number];

/** Why a whole file is wrong. */
export type RejectionReason =
  | "trailer_missing"
  | "trailer_invalid"
  | "rows_differ"
  | "sums_differ"
  | "more_after_trailer"
  | "too_large";

/** A settlement file as it was taken in; amounts in minor units of USD. */
export interface SettlementFile {
  readonly fileKey: number;
  readonly fileId: string;
  readonly network: string;
  /** `yyyy-mm-dd`. */
  readonly settlementDate: string;
  readonly state: FileState;
  /** Of a rejected file; empty otherwise. */
  readonly reason: RejectionReason | "";
  /** As the header says; what was read so far is `rowsRead` and `malformed`. */
  readonly rowsExpected: number;
  readonly rowsRead: number;
  readonly malformed: number;
  /** In hexadecimal; empty while it is being read. */
  readonly sha256: string;
  /** Null while it is being read. */
  readonly debits: bigint | null;
  readonly credits: bigint | null;
  /** What the rows whose amount could not be read must be worth by the trailer. */
  readonly unreadAmount: bigint;
  /** What matching found when it compared the rows. */
  readonly matched: number;
  readonly amountDiffers: number;
  readonly onlyTheirs: number;
  readonly namedTwice: number;
  /** Messages of this settlement date that no file has named; null until that day is decided. */
  readonly onlyOurs: number | null;
  /** Items of this file that wait for an operator. */
  readonly openItems: number;
  /** It is `importing`, and whoever did so has gone silent: importing it again begins anew. */
  readonly brokenOff: boolean;
  readonly begunBy: string;
  readonly begunAt: number;
  readonly endedAt: number | null;
}

export const itemKinds = ["amount_differs", "only_theirs", "only_ours", "named_twice", "malformed"] as const;
export type ItemKind = (typeof itemKinds)[number];
export const itemStates = ["open", "resolved"] as const;
export type ItemState = (typeof itemStates)[number];

/** What an operator can decide about a difference. None of them moves money: each records who bears it. */
export const resolutions = ["accept_theirs", "keep_ours", "written_off", "claimed", "expected_later"] as const;
export type Resolution = (typeof resolutions)[number];
/** What settles an item by itself: a later file has named our message, or the message that a row was about has come. */
export type OwnResolution = "named_later" | "message_came";

/** A difference between a file and our messages. */
export interface SettlementItem {
  readonly itemId: string;
  readonly kind: ItemKind;
  readonly settlementDate: string;
  /** Null for `only_ours`. */
  readonly fileKey: number | null;
  readonly lineNo: number | null;
  readonly networkReference: string;
  readonly merchantId: number | null;
  readonly consumeNo: string;
  readonly theirAmount: bigint | null;
  readonly ourAmount: bigint | null;
  readonly reason: RowFault | "";
  readonly state: ItemState;
  /** The last decision, also of an item that a later file has opened again. */
  readonly resolution: Resolution | OwnResolution | "";
  readonly note: string;
  readonly resolvedBy: string;
  readonly resolvedAt: number | null;
  readonly reopened: number;
  readonly reopenedByFile: number | null;
  readonly detectedAt: number;
}

/** A row that names a reference. */
export interface Naming {
  readonly fileKey: number;
  readonly lineNo: number;
  readonly settlementDate: string;
  readonly settledAmount: bigint;
  readonly at: number;
}
