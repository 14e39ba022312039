/** Every bound of the platform in one place, each with its unit in the name and its reason. */

export const facts = {
  /** About 400 bytes each: 20 MB at most in every process that decides. */
  cardsKept: 50_000,
} as const;

export const authorization = {
  /** Two batches of this size are under way at most; larger ones add waiting time faster than they add speed. */
  batchMax: 256,
  /** Of more than this a batch takes half: so many take 15 ms or so, which is what somebody else may wait for a free lane. */
  batchEven: 64,
  /** Waiting beside a statement that is under way, so many are worth a second one (a statement costs as much as eight items before its first). */
  extraLaneItemsMin: 48,
  /** What is of a merchant that did not answer lets others go first for so long: a fifth of the 50 ms that there are after its 800 ms. */
  patienceMs: 10,
  /** At 10,000 decisions a second the last one waits 0.8 s, as long as a merchant may take; beyond it the network is refused. */
  queueMax: 8_192,
  /** A question that is still open after it has lost its process: far beyond 800 ms and a slow disk, and its hold must come back soon. */
  questionMsMax: 30_000,
  /** After a question has timed out its answer is still read for a second; its push waits a little longer than that. */
  lateAnswerMs: 1_500,
  /** How long an approval holds the money when no clearing comes (7 days). */
  authorizationHoldMs: 7 * 86_400_000,
  /** The same for lodging and car hire (31 days), which clear at the end of a stay. */
  longHoldMs: 31 * 86_400_000,
  /** Times that a decision is tried again because the card changed in between. */
  staleRetriesMax: 3,
  /** A repeat of a message whose merchant is being asked waits for that answer: 20 looks, 100 ms apart. */
  repeatLooksMax: 20,
  repeatLookMs: 100,
  /**
   * A statement whose connection broke is sent again, since it may have been done: 3 times, 100 ms apart, but not any more when the
   * first tries took longer than 2 s (a database that hangs), because a network waits for no more than a few seconds.
   */
  uncertainRetriesMax: 3,
  uncertainWaitMs: 100,
  uncertainMsMax: 2_000,
  /** Holds released in one step of the sweep. */
  releaseBatchMax: 200,
  /** Minor units; 13 digits keep every sum of a batch far inside a bigint. */
  amountMinorMax: 9_999_999_999_999n,
  networkReferenceLengthMax: 64,
} as const;

export const verify = {
  brokenRowsMax: 100,
  /** Postings hashed in one statement: 20,000 make 3 MB of text in the server. */
  digestPiece: 20_000,
} as const;

export const fold = {
  /** Transactions summed up in one statement: 0.4 s of the 15 s that a statement may take. */
  transactionsPerPiece: 50_000,
} as const;

export const reserve = {
  /** Minor units of USD: ten billion, as of a recharge. */
  amountMax: 1_000_000_000_000n,
  referenceCharactersMax: 128,
  destinationCharactersMax: 256,
  reasonCharactersMax: 512,
  /** Warnings of one merchant: more would not be read. */
  thresholdsMax: 10,
  /** How often the worker compares reserves with their thresholds. */
  watchEveryMs: 1_000,
  /** Merchants warned about in one round. */
  watchBatchMax: 100,
  /**
   * A day is closed so long after its end: a movement is committed after the moment it carries, by at most the 15 s of a statement and
   * its repeats. One that is later still is added when it is found.
   */
  closeDelayMs: 60_000,
  closeEveryMs: 5_000,
  /** Merchants whose days are closed in one round. */
  closeMerchantsMax: 50,
  /** Days of a merchant closed, or looked through again, in one transaction. */
  closeDaysMax: 31,
  /** Closed days that are folded once more when the next one is closed: what was committed days late, and cancels out, is found so. */
  foldAgainDays: 7,
  /** Before a statement is read its merchant's days are closed, at most so many times `closeDaysMax`: 13 months and more. */
  closeRoundsMax: 14,
  /** Days in one answer: a leap year. */
  statementDaysMax: 366,
  /** The forecast looks back so far, and takes less than the second for that. */
  forecastWindowMs: 7 * 86_400_000,
  forecastWindowMsMin: 86_400_000,
} as const;

export const cards = {
  /** Wrong tries in a row before a card's activation is locked (contract section 9). */
  activationFailuresMax: 5,
  activationLockMs: 30 * 60_000,
  /** Contract `expires_in`: 60 seconds. */
  clientTokenMs: 60_000,
  makingBatchMax: 100,
  /** Batches in one round of the worker: 10,000 cards that are being made. */
  makingBatchesMax: 100,
  oldTokensBatchMax: 1_000,
  /** Cards shown with a cardholder's info. */
  perCardholderShownMax: 1_000,
} as const;

export const scheduledWork = {
  /** Real time of one round of the worker: it ends well within what a stop waits for. */
  roundMsMax: 2_000,
  /** Batches in a row of which others did everything; then the next round goes on. */
  idleStepsMax: 5,
} as const;

export const database = {
  /** No statement of the platform takes longer in health; one that does is ended before it blocks the others. */
  statementTimeoutMs: 15_000,
  /** The vault's statements are single-row look-ups and inserts. */
  vaultPoolMax: 4,
} as const;

export const stopping = {
  /** From the signal to the end of the process: what orchestrators give before they kill. */
  deadlineMs: 10_000,
  /** Of it, what the requests under way may take. */
  requestsMs: 7_000,
} as const;

export const platform = {
  /** From the first byte of a network message to its last. */
  requestTimeoutMs: 10_000,
  /** Applicants looked at in one round. */
  kycPollMax: 32,
} as const;

/** What signs and secures callbacks: webhook secrets and client certificates. */
export const callbackSecrets = {
  /** A receiver that is changed by hand over a weekend; longer, and the old secret is as good as never replaced. */
  overlapMsMax: 7 * 86_400_000,
  /** When nobody says how long (24 h). */
  overlapMsDefault: 86_400_000,
  /** Secrets of one merchant that are not erased yet: whoever rotates on and on waits for the worker, at 20 in 10 s. */
  webhookSecretsMax: 20,
  /** The current one and the one before it. */
  validWebhookSecretsMax: 2,
  /** How often the worker erases what has ended, and how much of it in one round. */
  eraseEveryMs: 10_000,
  eraseBatchMax: 100,
  /** Of a certificate with its issuers: five certificates of 3 KB. */
  certificatePemCharactersMax: 16_384,
  certificateChainMax: 5,
  /** An RSA key of 4,096 bits has 3.3 KB; a vault record holds 4 KiB. */
  privateKeyPemCharactersMax: 8_192,
  rsaBitsMin: 2_048,
  rsaBitsMax: 4_096,
  subjectCharactersMax: 512,
  /** Long enough to order a new certificate (30 days). */
  expiryToldBeforeMs: 30 * 86_400_000,
  expiryLookEveryMs: 60_000,
  expiryBatchMax: 100,
} as const;
