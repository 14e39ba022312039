import type { Pool } from "pg";
import type { Clock } from "#kernel/index.ts";

export interface SettlementDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}
