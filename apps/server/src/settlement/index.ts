/** The card network's daily settlement files: taken in, compared with its messages, and what differs resolved by an operator. */
import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { createAdvance } from "./advance.ts";
import type { SettlementDeps } from "./deps.ts";
import type { Naming, SettlementFile, SettlementItem } from "./file.ts";
import { type FileFilter, selectFile, selectFiles } from "./file-store.ts";
import { type Imported, type ImportOptions, type ImportRefusal, importFile } from "./import.ts";
import { type ItemFilter, selectItem, selectItems } from "./item-store.ts";
import { settlement as bounds } from "./limits.ts";
import { type Decision, type ResolveRefusal, resolveItem } from "./resolve.ts";
import { selectNamings } from "./row-store.ts";

export type { SettlementDeps } from "./deps.ts";
export {
  type FileState,
  fileStates,
  type ItemKind,
  type ItemState,
  itemKinds,
  itemStates,
  type Naming,
  type RejectionReason,
  type Resolution,
  resolutions,
  type SettlementFile,
  type SettlementItem,
} from "./file.ts";
export {
  type FileHeader,
  type FileRow,
  type FileTrailer,
  formatName,
  headerLine,
  isDay,
  rowLine,
  type SettledKind,
  settledDecimals,
  settledKinds,
  trailerLine,
} from "./file-format.ts";
export type { FileFilter } from "./file-store.ts";
export type { Imported, ImportOptions, ImportProgress, ImportRefusal, ImportStep } from "./import.ts";
export type { ItemFilter } from "./item-store.ts";
export type { Decision, ResolveRefusal } from "./resolve.ts";

export const noteCharactersMax = bounds.noteCharactersMax;

export interface Settlement {
  importFile(source: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<Result<Imported, ImportRefusal>>;
  listFiles(filter: FileFilter): Promise<SettlementFile[]>;
  findFile(fileKey: number): Promise<SettlementFile | null>;
  listItems(filter: ItemFilter): Promise<SettlementItem[]>;
  /** With the rows that name its reference. */
  findItem(itemId: string): Promise<{ readonly item: SettlementItem; readonly namings: readonly Naming[] } | null>;
  resolve(decision: Decision, by: Initiator): Promise<Result<SettlementItem, ResolveRefusal>>;
  /** One round of the worker. */
  advance(): Promise<number>;
}

export function createSettlement(deps: SettlementDeps): Settlement {
  const { pool } = deps;
  return {
    importFile: (source, options) => importFile(deps, source, options),
    listFiles: (filter) => selectFiles(pool, filter),
    findFile: (fileKey) => selectFile(pool, fileKey),
    listItems: (filter) => selectItems(pool, filter),
    findItem: async (itemId) => {
      const item = await selectItem(pool, itemId);
      if (item === null) {
        return null;
      }
      const { networkReference } = item;
      const namings =
        networkReference === "" ? [] : await selectNamings(pool, { networkReference, limit: bounds.namingsShownMax });
      return { item, namings };
    },
    resolve: (decision, by) => resolveItem(deps, decision, by),
    advance: createAdvance(deps),
  };
}
