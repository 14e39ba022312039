/** Every bound of this room. Times are milliseconds, sizes bytes. */
export const callbackLimits = {
  /** Contract section 2: later than this the purchase fails. */
  questionDeadlineMs: 800,
  /** How long a late answer may still come in, so that it is recorded and the connection survives; nobody waits for it. */
  lateAnswerMs: 1_000,
  /** Questions in a row without a proper answer that open a merchant's circuit; then the first wait and the longest. */
  breakerFailures: 10,
  breakerWaitMs: 5_000,
  breakerWaitMsMax: 60_000,
  /** Merchants whose failures are remembered, about 100 bytes each. */
  circuitsMax: 10_000,
  /**
   * How long a merchant's URL and secret are used without asking the database, for a process that does not hear of a change. From half of it
   * on they are read again in the background, so that a busy merchant's question never waits for it.
   */
  targetAgeMsMax: 5_000,
  targetRefreshMs: 2_500,
  targetsKept: 1_024,
  /** Questions of one merchant that occupy a connection; 512 at 50 ms are 10,000 questions a second. */
  questionsOfMerchantMax: 512,
  /** Questions of all merchants: each holds a socket and about 20 KB. */
  questionsMax: 8_192,
  /** The thread that asks failing merchants has so much longer to tell that a question's time is up. */
  threadGraceMs: 30,
  /** All questions there may be, 20 KB each. */
  threadHeapMbMax: 256,
  /** After such a thread has ended by itself. */
  threadPauseMs: 60_000,
  /** Contract section 6. */
  tryDeadlineMs: 5_000,
  /** A merchant's window (pace.ts): where it begins and how far it grows; 64 at 20 ms are 3,200 pushes a second. */
  windowFirst: 8,
  triesOfMerchantMax: 64,
  /** Below this answers are not slow: pauses of this process alone can take as long. */
  slowAnswerMs: 100,
  /**
   * Answers in the mean that is compared with the usual: of an exponential distribution it is off by 9 %, so that chance alone seldom
   * makes 1.75 times the usual. And answers from which the usual is found, after a window was halved.
   */
  recentAnswers: 64,
  usualAnswersMin: 16,
  usualWindowfuls: 4,
  /** A merchant that got faster has its new usual after some thousand answers; chance alone moves it by a few per cent. */
  usualForgottenAnswers: 1_024,
  /** Pushes in flight of all merchants: each holds a socket and about 20 KB. */
  triesMax: 512,
  /**
   * Claimed ahead of the free places: what a merchant takes in about a second; and at most, of one merchant and of all, 1 KB each. What
   * is being written as delivered counts, so a fast merchant needs more than one claim's worth: with 1,024 it got a fifth more than with 512.
   */
  claimAheadMs: 1_000,
  claimedOfMerchantMax: 1_024,
  claimedMax: 4_096,
  /** Pushes that leave the outbox in one step, about 30 ms, and the steps that a reader of the line takes. */
  outboxMax: 2_000,
  outboxStepsMax: 5,
  /** Pushes of one claim: one statement of about 20 ms. */
  claimMax: 1_000,
  /** Longer than waiting in line, a try, and the writing of its result; a push whose worker died waits this long. */
  leaseMs: 15_000,
  /** What is left of the lease when a try begins, at least: the try and 3 s for writing its result. */
  leaseLeftMs: 8_000,
  /** Merchants whose pace is remembered, about 300 bytes each. */
  merchantsPacedMax: 4_096,
  /** `Retry-After`: when it is absent or 0, and at most. A day's wait would be an outage, which the schedule of retries is for. */
  patienceMs: 10_000,
  patienceMsMin: 1_000,
  patienceMsMax: 3_600_000,
  /** A merchant that has asked for patience for so long and has taken nothing is treated as failing. */
  patienceEndsAfterMs: 5 * 86_400_000,
  /** Deliveries to an endpoint are paused after so long of nothing but failures. */
  pausedAfterMs: 5 * 86_400_000,
  /** What stays as it is about an endpoint is written down so often. */
  endpointNotedEveryMs: 60_000,
  /** Open pushes of an endpoint are counted so far. */
  openCountMax: 10_000,
  /** Contract section 6: how long a push waits for an earlier one of its card that keeps failing. */
  orderPatienceMs: 600_000,
  /** Contract section 6: retries end this long after the first failure. */
  retriesEndAfterMs: 30 * 86_400_000,
  /** Whole days that finished pushes are kept, and tries: those of 30 days of retries and of the 30 days after them. */
  historyDays: 30,
  attemptDays: 61,
  /** Days whose partitions are made before they begin. */
  partitionsAhead: 3,
  /** Each takes the history for a moment, from all who write it. */
  partitionsDroppedPerRound: 20,
  /** Times that work is tried whose partition was missing: another process may be making it meanwhile. */
  partitionTries: 4,
  eventsKeptMs: 90 * 86_400_000,
  /** A merchant without a callback URL is looked at again after this. */
  noTargetPauseMs: 30_000,
  /** A merchant whose circuit is open is looked at again after this, where the circuit itself does not say when. */
  heldLookMs: 1_000,
  pollMs: 100,
  /** Between two claims: lets results and claims gather into batches. */
  claimGapMs: 10,
  /** After the database failed. */
  failurePauseMs: 1_000,
  stopMs: 10_000,
  /** While somebody waits for all due pushes, one that another process is trying is waited for in such steps, as long as a try takes. */
  othersTryLookMs: 20,
  othersTryLooksMax: 300,
  /** Due pushes of each merchant that are looked at for one being tried. */
  othersTryRows: 1_000,
  /** Rounds of one call of `runDue`. */
  roundsMax: 10_000,
  /** Merchants that one statement visits, about 10 µs each. When there are more, looking takes a fifth of one connection's time at most. */
  merchantsVisited: 512,
  /** But however long a look took, the next one comes after this. */
  restMsMax: 1_000,
  /** Pushes looked at beside one for each free place: some wait for an earlier one of their card, and are moved out of the way. */
  lookedAtBeside: 64,
  /** Pushes of one card that are claimed together. */
  runMax: 8,
  /** A card's next open pushes that are looked through for those that wait. */
  waitingLookedAt: 64,
  answerBytesMax: 16_384,
  answerBytesKept: 4_096,
  headerBytesMax: 16_384,
  /** TCP and TLS together. */
  connectMs: 3_000,
  /**
   * Questions plus tries, so that none waits for another's connection. Connections are opened only as they are needed.
   */
  connectionsOfMerchantMax: 576,
  merchantsConnectedMax: 1_024,
  /** Shorter than the idle time-out of usual servers (Node and Apache 5 s), which would close under our request. */
  keepAliveMs: 4_000,
  /** When a server says how long it keeps idle connections, at most this. */
  keepAliveMsMax: 300_000,
  /** Connections that a merchant which is being asked keeps open: one for the next question, one for the one beside it. */
  warmConnections: 2,
  /** For so long after its last question. */
  warmForMs: 300_000,
  /** How often each merchant's are looked after, and in how many steps all of them. */
  warmLookMs: 1_000,
  warmLooks: 20,
  /** Merchants that are kept warm, the ones used last: a spare is replaced every 8 s, so these are 64 new connections a second at most. */
  warmMerchantsMax: 256,
  /** After a spare connection could not be made or was closed by the merchant's server. */
  warmPauseMs: 5_000,
  /** Shorter than what usual servers wait for the first request of a connection (HAProxy 10 s, Apache 20, nginx and Node 60). */
  spareMsMax: 8_000,
  /**
   * A request up to this size is written by one call into an empty buffer, which takes all of it or nothing: if that call fails,
   * the merchant has seen no byte of it.
   */
  oneWriteBytesMax: 8_192,
  /** The records of questions gather for so long. A push that may have to tell a late answer waits for half a second after that can come. */
  questionsGatherMs: 100,
  rowsPerWrite: 500,
  rowsWaitingMax: 20_000,
  /** Pushes sent again, or events removed, by one statement. */
  rowsPerStep: 1_000,
  /** Open pushes that one statement looks through for those that have failed: 20 ms. */
  openPerStep: 10_000,
  listMax: 100,
} as const;
