/** Bounds of reversals, expiry and fees that are charged by themselves, each with its unit in the name and its reason. */
export const reversalBounds = {
  /**
   * A reversal whose authorization is still with the merchant waits for its end: 20 looks, 100 ms apart, which is twice what a merchant
   * may take. Then the network is told to come again.
   */
  askingLooksMax: 20,
  askingLookMs: 100,
  /** Holds ended in one round of the sweep, each in a transaction of its own of about 3 ms. */
  expiredBatchMax: 200,
  /** Fees charged in one round. */
  dueFeesBatchMax: 200,
  /** How long a refund that was authorized may wait for its clearing (30 days, as the networks give). */
  refundPendingMs: 30 * 86_400_000,
} as const;
