import { refused } from "#kernel/index.ts";
import type { OperatorApiDeps } from "./operator-api.ts";

/** For tests of the other routes: parked refunds need whole purchases and have tests of their own. */
export const noParkedRefunds: OperatorApiDeps["clearing"] = {
  listParkedRefunds: async () => [],
  resolveParkedRefund: async () => refused("parked_refund_unknown"),
};
