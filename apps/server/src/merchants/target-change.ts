import { type Sql, tell } from "#database/index.ts";

/** Where processes hear that a merchant's callbacks go elsewhere or are secured with something else: the text is its `merchantId`. */
export const callbackTargetChannel = "cardwright_callback_target";

/** Call in the transaction of the change: every process hears of it when that is committed. */
export async function tellTargetChange(tx: Sql, merchantId: number): Promise<void> {
  await tell(tx, { channel: callbackTargetChannel, text: String(merchantId) });
}
