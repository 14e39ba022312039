import type { z } from "zod";
import { type Refused, refused } from "#kernel/index.ts";

/** A field of an operator's input that cannot be: its dotted path in camel case, and what is wrong with it. */
export interface InvalidInput {
  readonly field: string;
  readonly message: string;
}

export type ProductRefusal =
  | "bin_unknown"
  | "package_unknown"
  | "card_type_not_on_bin"
  | "card_type_missing"
  | InvalidInput;

export type OfferRefusal = "package_not_available" | "bin_not_available";

export function refuseInput(error: z.ZodError): Refused<InvalidInput> {
  const [issue] = error.issues;
  return refused({ field: issue?.path.map(String).join(".") ?? "", message: issue?.message ?? "is not valid" });
}
