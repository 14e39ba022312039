/** The bounds of this room, each with its unit in the name and its reason. */
export const bounds = {
  /**
   * A clearing may come while the merchant is still being asked about its purchase: 20 looks, 100 ms apart, are longer than a question
   * (800 ms) with its conclusion. After that the network is told to come again.
   */
  underWayLooksMax: 20,
  underWayLookMs: 100,
  /** A message whose reference another card's message is writing at this moment is read again: the other one is there by then. */
  collisionRetriesMax: 2,
  /** Parts of one purchase that are added up; more than any shop sends. */
  partsMax: 500,
  /** Partly cleared purchases whose rest is released in one round of the worker. */
  releaseBatchMax: 200,
  /** Minor units; what a conversion may come to, as the amounts of authorizations. */
  amountMinorMax: 9_999_999_999_999n,
} as const;
