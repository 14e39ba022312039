/** Every bound of a run, with its unit in the name and its reason. */
export const limits = {
  /** A check that takes longer has met a merchant that hangs; the others still have to fit into two minutes. */
  checkMs: 20_000,
  /** Finding the money takes 60 calls, and a merchant may need half a second for each. */
  preparationMs: 40_000,
  /** The whole run stays under two minutes: no check goes on after the first of these, nothing is given back after the second. */
  runMs: 108_000,
  endMs: 116_000,
  /** What is left of the run when a check of the load begins, at least. */
  loadCheckMsMin: 3_000,
  /** Giving back what one check has opened: so long, and this much more for each purchase (a load opens 2,000 in 16 lanes). */
  giveBackMs: 6_000,
  giveBackEachMs: 8,
  /** Also at the very end of a run. */
  giveBackMsMin: 2_000,
  /** A question is listened to for so long after the platform would have given up, so that the report can say how late it was. */
  questionMs: 5_000,
  /** Contract section 6: a push is a failure when its answer takes longer. */
  pushMs: 5_000,
  /** What the platform reads of an answer. */
  answerBytesMax: 16_384,
  /** Of an answer that is shown in a report. */
  answerShownMax: 160,
  connectMs: 3_000,
  /** As many questions as the platform has open at one merchant. */
  connectionsMax: 512,
  /** Node closes an idle connection after 5 s: the usual one has forgotten us by then. */
  idleMs: 6_000,
  /** Books that are kept by a worker behind the endpoint may be late by this much in all; each wait in turn. */
  settleWaitsMs: [100, 300, 1_100],
  burstQuestions: 64,
  /** Long enough for 300 questions at 50/s, so that p99 is not the slowest one. */
  steadySecondsEach: 6,
  /** Of all rates together. */
  steadySecondsMax: 32,
  ratesMax: 6,
  ratePerSecondMax: 2_000,
  /** Beyond it the endpoint does not keep up, and nothing new is learned by piling on more. */
  waitingMax: 2_000,
  /** As many pushes of one merchant as the platform has under way. */
  releaseLanes: 16,
  /** Time that giving back the purchases of the load takes, and the end of the run. */
  loadTailMs: 22_000,
  /** One TCP segment follows the other after this. */
  packetGapMs: 40,
  /** Minor units: what the test card must have in the merchant's books at least. The run's purchases are of 1.00 to 4.75. */
  cardMoneyMin: 2_000n,
  /** Questions are halved from 2^29 minor units (5,368,709.12) down to one: together they find any sum below 10,737,418.24. */
  searchBits: 30,
} as const;
