/** Bounds of the settlement room, each with its unit in the name and its reason. */
export const settlement = {
  /** A whole row has 250 bytes at most by the forms of its fields; more is not a row, and is not kept in memory. */
  lineBytesMax: 512,
  /** Five times the largest file that is planned for. */
  rowsMax: 5_000_000,
  /** `rowsMax` rows of 250 bytes and some; ends an import whose source never does. */
  fileBytesMax: 1_400_000_000,
  /** Rows of one insert: 5,000 are 0.6 MB of text, and larger ones were not faster. Two of them are in memory at most. */
  batchRows: 5_000,
  /** Lines matched in one transaction: 0.3 s while nobody else may match. */
  pieceRows: 20_000,
  /** Malformed rows of one file that become items; beyond it they are only counted, which says enough. */
  malformedItemsMax: 1_000,
  /** An importer renews its lease with every batch, several times a second; one that is silent for so long is dead, or slower than useful. */
  leaseMs: 10_000,
  /** Who finds a file being imported waits a little longer than a lease for the other to end, or to be dead: 24 looks, 500 ms apart. */
  leaseLooksMax: 24,
  leaseLookMs: 500,
  /** Two files so far apart or less belong to one series, and the days between them are decided; a longer gap begins a new one. */
  gapDaysMax: 7,
  /** Days decided in one round: a series of files that was imported late. */
  daysPerRoundMax: 60,
  /** Items that wait for a message, looked at in one round of the worker. */
  awaitedPerRoundMax: 5_000,
  noteCharactersMax: 500,
  /** Rows shown that name one reference; more than two is a mistake of the network's already. */
  namingsShownMax: 20,
} as const;
