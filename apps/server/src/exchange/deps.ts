import type { Pool } from "pg";
import type { Clock } from "#kernel/index.ts";

export interface ExchangeDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /**
   * A rate that is older is not used: a purchase is declined rather than billed by what a currency was worth long ago. Null: no rate
   * is too old. That is the sandbox, whose clock moves by years while nobody publishes rates for them.
   */
  readonly ageMsMax: number | null;
}
