import { createHash } from "node:crypto";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { RejectionReason } from "./file.ts";
import {
  type FileHeader,
  type FileTrailer,
  isTrailer,
  type MalformedRow,
  parseHeader,
  parseRow,
  parseTrailer,
} from "./file-format.ts";
import type { MalformedLine } from "./item-store.ts";
import { settlement as bounds } from "./limits.ts";
import { createLineSplitter, type Line } from "./line-splitter.ts";
import { createRowBatch, type RowBatch } from "./row-store.ts";

/** The trailer of a right file. */
export interface Totals {
  readonly trailer: FileTrailer;
  /** Minor units of USD that the rows without a readable amount must be worth together. */
  readonly unreadAmount: bigint;
}

/** Reads a file as its bytes come: what it says of itself, its rows in batches, and in the end whether it is whole. No I/O. */
export interface FileReader {
  /** Null until the first line was read. */
  readonly header: FileHeader | null;
  readonly rowsRead: number;
  readonly malformed: number;
  readonly lastLine: number;
  /** The first malformed ones only. */
  readonly malformedLines: readonly MalformedLine[];
  /** Refuses a file whose first line is no header, with a sentence. */
  push(chunk: Uint8Array): Result<null, string>;
  /** After the last byte. */
  end(): Result<null, string>;
  /** Whether more rows wait than one batch should have. */
  isBatchFull(): boolean;
  /** The rows since the last call. */
  takeBatch(): RowBatch;
  /** From now on only the content's digest matters. */
  skipRows(): void;
  sha256(): Buffer;
  /** Whether the file is what its header and trailer say. */
  verdict(): Result<Totals, RejectionReason>;
}

export function createFileReader(): FileReader {
  const hash = createHash("sha256");
  const splitter = createLineSplitter({ lineBytesMax: bounds.lineBytesMax });
  const malformedLines: MalformedLine[] = [];
  let bytes = 0;
  let header: FileHeader | null = null;
  let trailer: FileTrailer | "invalid" | null = null;
  let moreAfterTrailer = false;
  let skipping = false;
  let rowsRead = 0;
  let malformed = 0;
  let lastLine = 0;
  let debits = 0n;
  let credits = 0n;
  let unreadRows = 0;
  let batch = createRowBatch();

  const count = (amount: bigint): void => {
    if (amount > 0n) debits += amount;
    else credits += amount;
  };
  const readMalformed = (lineNo: number, row: MalformedRow): void => {
    malformed += 1;
    if (row.settledAmount === null) unreadRows += 1;
    else count(row.settledAmount);
    if (malformedLines.length < bounds.malformedItemsMax) {
      const { settledAmount, fault } = row;
      // A copy: a part of a string keeps the whole chunk that it was cut from in memory, here for as long as the import lasts.
      const networkReference = Buffer.from(row.networkReference, "latin1").toString("latin1");
      malformedLines.push({ lineNo, reason: fault, networkReference, settledAmount });
    }
  };
  const readRow = (line: Line, expected: number): void => {
    const row =
      line.text === null
        ? refused({ fault: "line_too_long" as const, networkReference: "", settledAmount: null })
        : parseRow(line.text);
    if (!row.ok) {
      readMalformed(line.number, row.reason);
      return;
    }
    rowsRead += 1;
    count(row.value.settledAmount);
    // A file with more rows than its header says will be rejected: what is too much need not be stored.
    if (rowsRead <= expected) batch.add(line.number, row.value);
  };
  const readLine = (line: Line): Result<null, string> => {
    if (header === null) {
      const parsed = line.text === null ? refused("the first line is too long for a header") : parseHeader(line.text);
      if (!parsed.ok) return parsed;
      header = parsed.value;
      return ok(null);
    }
    if (trailer !== null) {
      // Empty lines at the end are what editors leave.
      moreAfterTrailer ||= line.text !== "";
      return ok(null);
    }
    lastLine = line.number;
    if (line.text !== null && isTrailer(line.text)) {
      trailer = parseTrailer(line.text) ?? "invalid";
    } else {
      readRow(line, header.rows);
    }
    return ok(null);
  };
  const readLines = (lines: readonly Line[]): Result<null, string> => {
    for (const line of lines) {
      if (skipping) break;
      const read = readLine(line);
      if (!read.ok) return read;
    }
    return ok(null);
  };

  return {
    get header() {
      return header;
    },
    get rowsRead() {
      return rowsRead;
    },
    get malformed() {
      return malformed;
    },
    get lastLine() {
      return lastLine;
    },
    malformedLines,
    push: (chunk) => {
      hash.update(chunk);
      bytes += chunk.byteLength;
      if (skipping) return ok(null);
      const read = readLines(splitter.push(chunk));
      // What has no end of line for so long is another kind of file; it need not be read to its end.
      const hasNoHeader = header === null && bytes > 2 * bounds.lineBytesMax;
      return read.ok && hasNoHeader ? refused("the first line is too long for a header") : read;
    },
    end: () => {
      const read = readLines(splitter.end());
      return read.ok && header === null ? refused("the file is empty") : read;
    },
    isBatchFull: () => batch.count >= bounds.batchRows,
    takeBatch: () => {
      const taken = batch;
      batch = createRowBatch();
      return taken;
    },
    skipRows: () => {
      skipping = true;
      batch = createRowBatch();
    },
    sha256: () => hash.copy().digest(),
    verdict: () => {
      if (bytes > bounds.fileBytesMax) return refused("too_large");
      if (trailer === null || header === null) return refused("trailer_missing");
      if (trailer === "invalid") return refused("trailer_invalid");
      if (moreAfterTrailer) return refused("more_after_trailer");
      const rows = rowsRead + malformed;
      if (trailer.rows !== rows || header.rows !== rows) return refused("rows_differ");
      // Rows without a readable amount can only add to either sum.
      const more = { debits: trailer.debits - debits, credits: trailer.credits - credits };
      const isRight =
        unreadRows === 0 ? more.debits === 0n && more.credits === 0n : more.debits >= 0n && more.credits <= 0n;
      return isRight ? ok({ trailer, unreadAmount: more.debits + more.credits }) : refused("sums_differ");
    },
  };
}
