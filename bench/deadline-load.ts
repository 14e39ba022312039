import { setTimeout as sleep } from "node:timers/promises";
import type { AuthorizationAnswer } from "../apps/server/src/authorization/index.ts";
import { purchaseSource } from "./purchases.ts";
import type { Stand } from "./stand.ts";

/** Questions that the hanging merchant has open all the time. */
export const inFlight = 200;
/** How long it has for each, milliseconds. */
export const earliestMs = 800;
/** The healthy merchant's purchases per second. */
export const neighbourRate = 100;
/** What is compared takes turns so often. */
export const rounds = 4;
/** Questions that nobody waits for any more are still listened to for a second: the next turn begins after that. */
export const settleMs = 1_200;

/** A purchase of a merchant that answers: anything but an approval is a failure of the benchmark. */
export function approvedBy(buy: () => Promise<AuthorizationAnswer>): () => Promise<void> {
  return async () => {
    const answer = await buy();
    if (!answer.approved) {
      throw new Error(`a purchase was declined although its merchant approves: ${answer.reason}`);
    }
  };
}

/** Who buys with the cards of one merchant; `reference` tells its purchases from others. */
export function buyersOf(stand: Stand): (merchantId: number, reference: string) => () => Promise<AuthorizationAnswer> {
  const byMerchant = Map.groupBy(stand.cards, ({ merchantId }) => merchantId);
  return (merchantId, reference) => {
    const next = purchaseSource(byMerchant.get(merchantId) ?? [], { seed: 21, reference });
    return async () => {
      const answer = await stand.engine.authorization.authorize(next());
      stand.approved += answer.approved ? 1 : 0;
      return answer;
    };
  };
}

/**
 * So many questions in all, a bounded number at once. The callers begin one after the other over the first 800 ms, as purchases do: begun in
 * one instant, all of them would be decided, wait and end together.
 */
export async function askAll(
  count: number,
  options: {
    readonly once: () => Promise<unknown>;
    readonly signal: AbortSignal;
    readonly onProgress: () => void;
  },
): Promise<void> {
  let begun = 0;
  const caller = async (_: unknown, index: number): Promise<void> => {
    await sleep((index * earliestMs) / inFlight);
    while (begun < count && !options.signal.aborted) {
      begun += 1;
      await options.once();
      options.onProgress();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}
