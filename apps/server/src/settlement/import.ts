import { setTimeout as sleep } from "node:timers/promises";
import type { Initiator } from "#audit/index.ts";
import { inTransaction } from "#database/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { decideDays } from "./decide-days.ts";
import type { SettlementDeps } from "./deps.ts";
import type { SettlementFile } from "./file.ts";
import type { FileHeader } from "./file-format.ts";
import { createFileReader, type FileReader } from "./file-reader.ts";
import {
  type Claim,
  deleteFile,
  insertFile,
  receiveFile,
  rejectFile,
  releaseClaim,
  renewClaim,
  selectFile,
  selectFileById,
  selectRejected,
  takeOverFile,
} from "./file-store.ts";
import { insertMalformed } from "./item-store.ts";
import { settlement as bounds } from "./limits.ts";
import { auditEnd, matchFile } from "./match.ts";
import { lockTurn } from "./match-store.ts";
import { removeRows } from "./remove-rows.ts";
import { createRowWriter, type RowWriter } from "./row-writer.ts";

/** waiting: for another import of the file to end. clearing: what an earlier one has left. The others follow each other. */
export type ImportStep = "waiting" | "clearing" | "reading" | "matching" | "deciding";

/** Rows done in this step, and all that it has; `of` is 0 where that is not known. */
export interface ImportProgress {
  readonly step: ImportStep;
  readonly rows: number;
  readonly of: number;
}

export interface ImportOptions {
  readonly by: Initiator;
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Ends the import; the file stays `importing` and the next import of it begins anew. */
  readonly signal?: AbortSignal;
  /** For how long a silent importer keeps its file. */
  readonly leaseMs?: number;
}

export interface Imported {
  /** `imported`, or `rejected` with its reason. */
  readonly file: SettlementFile;
  /** The same content had been imported, or rejected, before: nothing was changed. */
  readonly repeat: boolean;
}

export type ImportRefusal =
  /** A sentence about the first line; nothing was written down. */
  | { readonly kind: "header_invalid"; readonly message: string }
  /** The id belongs to a file with other content. */
  | { readonly kind: "file_id_reused" }
  /** Somebody else is importing it. */
  | { readonly kind: "import_under_way" }
  /** This import was silent for too long, and another one has taken the file. */
  | { readonly kind: "import_taken_over" };

type Work = SettlementDeps & {
  readonly options: ImportOptions;
  readonly tell: (step: ImportStep, rows?: number, of?: number) => void;
};

/** Reading a large chunk at once would make one batch of it, whatever its size. */
const chunkBytesMax = 65_536;

/**
 * Takes a settlement file in, as its bytes come: rows go to the database in batches while the next ones are read, so memory is
 * bounded whatever the size, and a slow database slows the source. Nothing counts before the trailer was right; then every row is
 * compared with our messages, and the days that are over are decided. The SHA-256 of the content is the file's identity. Throws
 * what the source or the database throws; the file then stays `importing` and a new import of it begins anew.
 */
export async function importFile(
  deps: SettlementDeps,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<Result<Imported, ImportRefusal>> {
  const tell: Work["tell"] = (step, rows = 0, of = 0) => options.onProgress?.({ step, rows, of });
  const work: Work = { ...deps, options, tell };
  const reader = createFileReader();
  const chunks = piecesOf(source);
  try {
    return await importChunks(work, reader, chunks);
  } finally {
    // A source that was not read to its end is let go, whoever holds it open.
    await chunks.return(undefined);
  }
}

async function importChunks(work: Work, reader: FileReader, chunks: Chunks): Promise<Result<Imported, ImportRefusal>> {
  const headed = await readHeader(reader, chunks);
  if (!headed.ok) {
    return refused({ kind: "header_invalid", message: headed.reason });
  }
  const begun = await begin(work, headed.value);
  switch (begun.kind) {
    case "under_way":
      return refused({ kind: "import_under_way" });
    case "known":
      return repeat(work, begun.file, await digestOf(reader, chunks));
    case "claimed":
      return importClaimed(work, { reader, chunks, claim: begun.claim });
  }
}

/** Bytes in pieces of a bounded size, whatever the source gives. */
async function* piecesOf(source: AsyncIterable<Uint8Array>): Chunks {
  for await (const chunk of source) {
    for (let start = 0; start < chunk.byteLength; start += chunkBytesMax) {
      yield chunk.subarray(start, start + chunkBytesMax);
    }
  }
}

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

async function readHeader(reader: FileReader, chunks: Chunks): Promise<Result<FileHeader, string>> {
  while (reader.header === null) {
    const { done, value } = await chunks.next();
    const read = done === true ? reader.end() : reader.push(value);
    if (!read.ok) {
      return read;
    }
  }
  return ok(reader.header);
}

async function digestOf(reader: FileReader, chunks: Chunks): Promise<Buffer> {
  reader.skipRows();
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    reader.push(next.value);
  }
  return reader.sha256();
}

type Begun =
  | { readonly kind: "claimed"; readonly claim: Claim }
  | { readonly kind: "known"; readonly file: SettlementFile }
  | { readonly kind: "under_way" };

/** A new file is ours; one that is being imported is, once its importer has been silent for the length of a lease. */
async function begin(work: Work, header: FileHeader): Promise<Begun> {
  const { pool, clock, options } = work;
  const begun = { header, leaseMs: options.leaseMs ?? bounds.leaseMs, by: options.by.actor, at: clock.now() };
  for (let looks = 0; looks < bounds.leaseLooksMax; looks += 1) {
    const claim = await insertFile(pool, begun);
    if (claim !== null) {
      return { kind: "claimed", claim };
    }
    const file = await selectFileById(pool, header);
    if (file !== null && file.state !== "importing") {
      return { kind: "known", file };
    }
    const taken = file === null ? null : await takeOverFile(pool, { ...begun, fileKey: file.fileKey });
    if (taken !== null) {
      return (await clear(work, taken)) ? { kind: "claimed", claim: taken } : { kind: "under_way" };
    }
    work.tell("waiting");
    await sleep(bounds.leaseLookMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  return { kind: "under_way" };
}

/** Removes the rows of an import that broke off. False when the file was lost meanwhile. */
async function clear(work: Work, claim: Claim): Promise<boolean> {
  work.tell("clearing");
  return removeRows(work.pool, {
    fileKey: claim.fileKey,
    whileHolding: (sql) => renewClaim(sql, claim, { rowsRead: 0, malformed: 0 }),
    onRemoved: (rows) => work.tell("clearing", rows),
  });
}

async function repeat(work: Work, file: SettlementFile, sha256: Buffer): Promise<Result<Imported, ImportRefusal>> {
  if (sha256.toString("hex") !== file.sha256) {
    return refused({ kind: "file_id_reused" });
  }
  // Where it is still being matched, this helps; otherwise there is nothing to do.
  return ok({ file: await finish(work, file.fileKey), repeat: true });
}

interface Claimed {
  readonly reader: FileReader;
  readonly chunks: Chunks;
  readonly claim: Claim;
}

async function importClaimed(work: Work, claimed: Claimed): Promise<Result<Imported, ImportRefusal>> {
  const writer = createRowWriter(work.pool, claimed.claim);
  try {
    const isOurs = await readRows(work, claimed, writer);
    return isOurs ? await conclude(work, claimed) : refused({ kind: "import_taken_over" });
  } catch (error) {
    await writer.settled();
    // Best effort: without it the next import waits for the lease to run out.
    await releaseClaim(work.pool, claimed.claim).catch(() => undefined);
    throw error;
  }
}

/** Reads to the end; one batch is on its way to the database while the next is read. False when the file was lost to another. */
async function readRows(work: Work, { reader, chunks }: Claimed, writer: RowWriter): Promise<boolean> {
  const { signal } = work.options;
  const of = reader.header?.rows ?? 0;
  let bytes = 0;
  let ended = false;
  while (!ended) {
    signal?.throwIfAborted();
    const { done, value } = await chunks.next();
    ended = done === true || bytes > bounds.fileBytesMax;
    if (done === true) {
      reader.end();
    } else {
      bytes += value.byteLength;
      reader.push(value);
    }
    if (ended || reader.isBatchFull()) {
      const { rowsRead, malformed } = reader;
      if (!(await writer.write(reader.takeBatch(), { rowsRead, malformed }))) {
        return false;
      }
      work.tell("reading", rowsRead + malformed, of);
    }
  }
  return writer.end();
}

async function conclude(work: Work, { reader, claim }: Claimed): Promise<Result<Imported, ImportRefusal>> {
  const { rowsRead, malformed, lastLine, malformedLines } = reader;
  const { fileKey } = claim;
  const at = work.clock.now();
  const read = { rowsRead, malformed, lastLine, sha256: reader.sha256() };
  const verdict = reader.verdict();
  const outcome = await inTransaction(work.pool, async (sql) => {
    await lockTurn(sql);
    const earlier = verdict.ok ? null : await selectRejected(sql, read.sha256);
    if (earlier !== null) {
      return { kind: "rejected_before", earlier } as const;
    }
    const isOurs = verdict.ok
      ? await receiveFile(sql, claim, { ...read, ...verdict.value })
      : await rejectFile(sql, claim, { ...read, reason: verdict.reason, at });
    if (!isOurs) {
      return { kind: "lost" } as const;
    }
    if (malformedLines.length > 0) {
      await insertMalformed(sql, { fileKey, lines: malformedLines, at });
    }
    if (!verdict.ok) {
      await auditEnd(sql, { fileKey, by: work.options.by, at });
    }
    return { kind: "done" } as const;
  });
  switch (outcome.kind) {
    case "lost":
      return refused({ kind: "import_taken_over" });
    case "rejected_before":
      await clear(work, claim);
      await deleteFile(work.pool, claim);
      return ok({ file: await storedFile(work, outcome.earlier), repeat: true });
    case "done":
      return ok({ file: await finish(work, fileKey), repeat: false });
  }
}

/** What is left to do with a file that was read whole, whoever has read it. */
async function finish(work: Work, fileKey: number): Promise<SettlementFile> {
  const file = await storedFile(work, fileKey);
  if (file.state === "rejected") {
    await removeRows(work.pool, { fileKey, whileHolding: null, onRemoved: (rows) => work.tell("clearing", rows) });
    return storedFile(work, fileKey);
  }
  const by = work.options.by;
  await matchFile(work, { fileKey, by, onProgress: ({ lines, of }) => work.tell("matching", lines, of) });
  await decideDays(work, () => work.tell("deciding"));
  return storedFile(work, fileKey);
}

async function storedFile(work: Work, fileKey: number): Promise<SettlementFile> {
  const file = await selectFile(work.pool, fileKey);
  if (file === null) {
    throw new Error(`settlement file ${fileKey} is not there`);
  }
  return file;
}
