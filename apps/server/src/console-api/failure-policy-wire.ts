import { decimalsOf, formatAmount, parseAmount } from "@cardwright/money";
import { z } from "zod";
import { type FailurePolicy, failurePolicyKinds } from "#merchants/index.ts";

/** Cards are billed in USD or TUSDT, which have the same decimals. */
const decimals = decimalsOf("USD");

/** At most 11 digits and two decimals: what `parseAmount` reads without loss and the merchants room accepts. */
const amount = (description: string) =>
  z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,2})?$/u)
    .exactOptional()
    .meta({ description, examples: ["100.00"] });

export const failurePolicyBody = z
  .strictObject({
    kind: z.enum(failurePolicyKinds),
    purchase_max: amount("Of one purchase; 0.00 when absent."),
    card_day_max: amount("Of all purchases approved so on one card in a day; 0.00 when absent."),
    day_max: amount("Of all purchases approved so on all cards in a day; 0.00 when absent."),
  })
  .meta({
    description:
      "Authorization mode: what becomes of a purchase when the merchant's server gives no good answer in time. `stand_in` approves up to all three amounts, which must be above zero. Replaces the whole policy.",
  });

export const failurePolicyAnswer = z.strictObject({
  kind: z.enum(failurePolicyKinds),
  purchase_max: z.string(),
  card_day_max: z.string(),
  day_max: z.string(),
});

export function failurePolicyFromWire(body: z.infer<typeof failurePolicyBody>): FailurePolicy {
  return {
    kind: body.kind,
    purchaseMax: minorUnits(body.purchase_max),
    cardDayMax: minorUnits(body.card_day_max),
    dayMax: minorUnits(body.day_max),
  };
}

export function failurePolicyToWire(policy: FailurePolicy): z.infer<typeof failurePolicyAnswer> {
  return {
    kind: policy.kind,
    purchase_max: formatAmount(policy.purchaseMax, decimals),
    card_day_max: formatAmount(policy.cardDayMax, decimals),
    day_max: formatAmount(policy.dayMax, decimals),
  };
}

function minorUnits(text: string | undefined): bigint {
  const parsed = parseAmount(text ?? "0", decimals);
  if (!parsed.ok) throw new Error("the schema let an amount through that cannot be read");
  return parsed.value;
}
