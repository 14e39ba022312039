import { formatRate, parseRate } from "@cardwright/money";
import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import { type CreditPolicy, creditPolicyKinds } from "#merchants/index.ts";

export const creditPolicyBody = z
  .strictObject({
    kind: z.enum(creditPolicyKinds),
    ratio: z
      .string()
      .max(16)
      .exactOptional()
      .meta({ description: "For the kind `ratio`: above 0, at most 100, at most 4 decimals.", examples: ["1.5"] }),
  })
  .meta({
    description:
      "Credit mode: what bounds a transfer `In`. `none`: nothing. `reserve`: all credit that the merchant's cardholders hold after it is at most the reserve, available and held. `ratio`: at most so many times the reserve.",
  });

export const creditPolicyAnswer = z.strictObject({ kind: z.enum(creditPolicyKinds), ratio: z.string() });

/** A ratio without its kind, or the kind without a ratio, cannot be meant. How large it may be is the merchants room's to say. */
export function creditPolicyFromWire({
  kind,
  ratio = "",
}: z.infer<typeof creditPolicyBody>): Result<CreditPolicy, "credit_policy_invalid"> {
  if (kind !== "ratio") return ratio === "" ? ok({ kind }) : refused("credit_policy_invalid");
  const parsed = parseRate(ratio);
  return parsed.ok ? ok({ kind, ratio: parsed.value }) : refused("credit_policy_invalid");
}

export function creditPolicyToWire(policy: CreditPolicy): z.infer<typeof creditPolicyAnswer> {
  return { kind: policy.kind, ratio: policy.kind === "ratio" ? formatRate(policy.ratio) : "" };
}
