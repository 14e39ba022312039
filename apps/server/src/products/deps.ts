import type { Pool } from "pg";
import type { Clock } from "#kernel/index.ts";

export interface ProductsDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}
