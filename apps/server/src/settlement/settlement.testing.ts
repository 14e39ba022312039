import type { TestDatabase } from "@cardwright/testing/database";
import { type FileHeader, type FileRow, headerLine, rowLine, type Settlement, trailerLine } from "./index.ts";

/** Noon of the settlement date that tests begin with. */
export const noon = Date.UTC(2026, 4, 22, 12);
export const dayMs = 86_400_000;
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export interface RowWishes extends Partial<FileRow> {
  readonly networkReference: string;
}

/** A clearing of 10.00 USD unless wished otherwise. */
export const row = (wishes: RowWishes): FileRow => ({
  originalReference: `auth-${wishes.networkReference}`,
  kind: "clearing",
  lastFour: "4242",
  amount: wishes.settledAmount === undefined ? 1_000n : abs(wishes.settledAmount),
  currency: "USD",
  settledAmount: 1_000n,
  at: noon,
  ...wishes,
});

const abs = (amount: bigint): bigint => (amount < 0n ? -amount : amount);
const sumOf = (rows: readonly FileRow[], isCounted: (amount: bigint) => boolean): bigint =>
  rows.map((each) => each.settledAmount).reduce((sum, amount) => sum + (isCounted(amount) ? amount : 0n), 0n);

let files = 0;

/** The text of a right file. */
export function fileOf(rows: readonly FileRow[], header: Partial<FileHeader> = {}): string {
  files += 1;
  return [
    headerLine({
      fileId: `file-${files}`,
      network: "testnet",
      settlementDate: dateOf(noon),
      rows: rows.length,
      ...header,
    }),
    ...rows.map(rowLine),
    trailerLine({
      rows: rows.length,
      debits: sumOf(rows, (amount) => amount > 0n),
      credits: sumOf(rows, (amount) => amount < 0n),
    }),
  ].join("");
}

/** The file as a source, in chunks of `chunkBytes`. */
export async function* sourceOf(file: string | Uint8Array, chunkBytes = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = typeof file === "string" ? Buffer.from(file, "utf8") : file;
  for (let start = 0; start < bytes.byteLength; start += chunkBytes) {
    yield bytes.subarray(start, start + chunkBytes);
  }
}

export const by = { actor: "operator", requestId: "request-1" };

/** Imports a file that is expected to be read. */
export async function imported(settlement: Settlement, file: string | Uint8Array) {
  const answer = await settlement.importFile(sourceOf(file), { by });
  if (!answer.ok) {
    throw new Error(`refused: ${JSON.stringify(answer.reason)}`);
  }
  return answer.value;
}

export interface MessageWishes {
  readonly networkReference: string;
  readonly merchantId?: number;
  readonly settledAmount?: bigint;
  readonly at?: number;
}

/** Messages of the network as the platform has recorded them: 10.00 USD of merchant 1 unless wished otherwise. */
export async function recordMessages(database: TestDatabase, messages: readonly MessageWishes[]): Promise<void> {
  await database.pool.query(
    `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, card_no, consume_no, settled_amount, effect, at)
     SELECT merchant_id, reference, 'clearing', '\\x00', 'C1', 'O-' || reference, amount, 'cleared', at
     FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[]) AS u (merchant_id, reference, amount, at)`,
    [
      messages.map(({ merchantId = 1 }) => merchantId),
      messages.map(({ networkReference }) => networkReference),
      messages.map(({ settledAmount = 1_000n }) => settledAmount),
      messages.map(({ at = noon }) => at),
    ],
  );
}

export const everyItem = {
  state: null,
  kind: null,
  fileKey: null,
  settlementDate: null,
  merchantId: null,
  networkReference: null,
  page: 0,
  size: 100,
};
