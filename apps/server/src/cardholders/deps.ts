import type { Pool } from "pg";
import type { Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { KycProvider } from "./kyc-provider.ts";

/** What the free functions of this room work with. */
export interface CardholdersDeps {
  readonly pool: Pool;
  readonly kyc: KycProvider;
  readonly clock: Clock;
  readonly newCardholderNo: (nowMs: number) => string;
  /**
   * Called in the transaction of a cardholder's first approval, exactly once per cardholder: accounts are opened there.
   * When it throws, the approval is undone and comes again with the next poll.
   */
  readonly onApproved: (tx: Sql, approved: { merchantId: number; cardholderNo: string }) => Promise<void>;
}
