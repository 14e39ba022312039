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
   * How long a merchant's URL and secret are used without asking the database: a change takes effect within 5 s. From half of it
   * on they are read again in the background, so that a busy merchant's question never waits for it.
   */
  targetAgeMsMax: 5_000,
  targetRefreshMs: 2_500,
  targetsKept: 1_024,
  /** Questions of one merchant that occupy a connection; 512 at 50 ms are 10,000 questions a second. */
  questionsOfMerchantMax: 512,
  /** Questions of all merchants: each holds a socket and about 20 KB. */
  questionsMax: 8_192,
  /** Contract section 6. */
  tryDeadlineMs: 5_000,
  triesOfMerchantMax: 16,
  /** A merchant whose last try failed is only probed, so that hanging merchants do not use up the tries of the others. */
  triesOfFailingMerchantMax: 2,
  triesMax: 512,
  /** Longer than a try and the writing of its result; a push whose worker died waits this long. */
  leaseMs: 15_000,
  /** Contract section 6: how long a push waits for an earlier one of its card that keeps failing. */
  orderPatienceMs: 600_000,
  /** Contract section 6: retries end this long after the first failure. */
  retriesEndAfterMs: 30 * 86_400_000,
  /** Finished pushes are kept this long. */
  keptAfterEndMs: 30 * 86_400_000,
  eventsKeptMs: 90 * 86_400_000,
  /** A merchant without a callback URL is looked at again after this. */
  noTargetPauseMs: 30_000,
  pollMs: 100,
  /** Between two claims while there is work: lets results and claims gather into batches. */
  claimGapMs: 5,
  /** After the database failed. */
  failurePauseMs: 1_000,
  stopMs: 10_000,
  /** While somebody waits for all due pushes, one that another process is trying is waited for in such steps, as long as a try takes. */
  othersTryLookMs: 20,
  othersTryLooksMax: 300,
  /** Due pushes that are looked at for one being tried. */
  othersTryRows: 1_000,
  /** Rounds of one call of `runDue`. */
  roundsMax: 10_000,
  /** The oldest due pushes that a claim looks at to find merchants, and the merchants it visits in turn beside them. */
  oldestLookedAt: 256,
  merchantsVisited: 64,
  /** Pushes looked at per free slot: some of them wait for an earlier one of their card. */
  lookedAtPerSlot: 4,
  answerBytesMax: 16_384,
  answerBytesKept: 4_096,
  headerBytesMax: 16_384,
  /** TCP and TLS together. */
  connectMs: 3_000,
  /**
   * Questions plus tries, so that none waits for another's connection. Connections are opened only as they are needed.
   */
  connectionsOfMerchantMax: 528,
  merchantsConnectedMax: 1_024,
  /** Shorter than the idle time-out of usual servers (Node and Apache 5 s), which would close under our request. */
  keepAliveMs: 4_000,
  /** When a server says how long it keeps idle connections, at most this. */
  keepAliveMsMax: 300_000,
  /** Connections that a merchant which is being asked keeps open: one for the next question, one for the one beside it. */
  warmConnections: 2,
  /** For so long after its last question. */
  warmForMs: 300_000,
  warmLookMs: 1_000,
  /** After a spare connection could not be made or was closed by the merchant's server. */
  warmPauseMs: 5_000,
  /** Shorter than what usual servers wait for the first request of a connection (HAProxy 10 s, Apache 20, nginx and Node 60). */
  spareMsMax: 8_000,
  /**
   * A request up to this size is written by one call into an empty buffer, which takes all of it or nothing: if that call fails,
   * the merchant has seen no byte of it.
   */
  oneWriteBytesMax: 8_192,
  rowsPerWrite: 500,
  rowsWaitingMax: 20_000,
  /** Pushes sent again or removed by one statement. */
  rowsPerStep: 1_000,
  listMax: 100,
  /** A push looks back over so many of its card for an earlier one of its consumption, which would have told the late answer. */
  lateAnswerLookBack: 64,
} as const;
