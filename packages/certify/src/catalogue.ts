import type { Check } from "./check.ts";
import { amountChecks } from "./checks/amounts.ts";
import { bookingChecks } from "./checks/booking.ts";
import { concurrencyChecks } from "./checks/concurrency.ts";
import { connectionChecks, connectionChecksLater } from "./checks/connection.ts";
import { loadChecks } from "./checks/load.ts";
import { orderChecks } from "./checks/order.ts";
import { shapeChecks } from "./checks/shape.ts";
import { signatureChecks } from "./checks/signature.ts";
import { textChecks } from "./checks/text.ts";
import { toleranceChecks } from "./checks/tolerance.ts";

/** Every check, in the order in which a run makes them. */
export const catalogue: readonly Check[] = [
  ...connectionChecks,
  ...signatureChecks,
  ...shapeChecks,
  ...bookingChecks,
  ...orderChecks,
  ...amountChecks,
  ...textChecks,
  ...toleranceChecks,
  ...connectionChecksLater,
  ...concurrencyChecks,
  ...loadChecks,
];
