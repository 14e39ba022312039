/** The bounds of this room, each with its unit in the name and its reason. */
export const bounds = {
  /**
   * A message may come while the merchant is still being asked about its purchase: 20 looks, 100 ms apart, are longer than a question
   * (800 ms) with its conclusion. After that the network is told to come again.
   */
  underWayLooksMax: 20,
  underWayLookMs: 100,
  /** A message whose reference another card's message is writing at this moment is read again: the other one is there by then. */
  collisionRetriesMax: 2,
  /** Parts of one purchase that are added up; more than any shop sends. */
  partsMax: 500,
  /** Minor units; what a conversion may come to, as the amounts of authorizations. */
  amountMinorMax: 9_999_999_999_999n,
  /** Holds ended in one round of the sweep, each in a transaction of its own of about 3 ms. */
  expiredBatchMax: 200,
  /** Fees charged in one round. */
  dueFeesBatchMax: 200,
  /** How long a refund that was authorized may wait for its clearing (30 days, as the networks give). */
  refundPendingMs: 30 * 86_400_000,
} as const;
