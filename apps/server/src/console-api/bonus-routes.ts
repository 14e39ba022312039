import { TRANSFER_TYPES } from "@cardwright/contract";
import { decimalsOf, formatAmount, parsePositiveAmount } from "@cardwright/money";
import { z } from "zod";
import { type BonusGrant, bonusReasonCharactersMax, bonusReferenceCharactersMax, type Credit } from "#credit/index.ts";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

export interface BonusRouteDeps {
  readonly merchants: Merchants;
  readonly credit: Credit;
}

const decimals = decimalsOf("TUSDT");
const bonusParams = z.strictObject({ merchant_no: publicNumber, cardholder_no: publicNumber });

const newBonus = z.strictObject({
  type: z.enum(TRANSFER_TYPES).meta({ description: "`In` gives, `Out` takes back what is left." }),
  amount: z
    .string()
    .max(32)
    .meta({ description: "TUSDT, decimal text above 0.", examples: ["20.00"] }),
  reference: z
    .string()
    .max(bonusReferenceCharactersMax)
    .meta({ description: "Names the bonus, once per merchant: the same call again answers the same bonus." }),
  reason: z
    .string()
    .max(bonusReasonCharactersMax)
    .meta({ examples: ["Welcome campaign"] }),
});

const bonusAnswer = z.strictObject({
  bonus_no: z.string(),
  merchant_no: z.string(),
  cardholder_no: z.string(),
  type: z.enum(TRANSFER_TYPES),
  amount: z.string(),
  reference: z.string(),
  reason: z.string(),
  created_at: timeMs,
});

/** Bonus credit of cardholders (credit mode). */
export function bonusRoutes({ merchants, credit }: BonusRouteDeps): Route[] {
  return [
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/cardholders/{cardholder_no}/bonus",
      summary: "Give bonus credit to a cardholder, or take it back",
      description: "A bonus repays purchases as they clear. Moves the money exactly once for a reference.",
      status: 200,
      params: bonusParams,
      body: newBonus,
      answer: bonusAnswer,
      refusals: [
        "merchant_unknown",
        "cardholder_unknown",
        "account_unknown",
        "amount_invalid",
        "reference_invalid",
        "reason_invalid",
        "bonus_too_low",
        "bonus_reference_reused",
      ],
      handle: async ({ params, body, by }) => {
        const { merchant_no: merchantNo, cardholder_no: cardholderNo } = params;
        const merchant = await merchants.find(merchantNo);
        if (merchant === null) return refused("merchant_unknown");
        const amount = parsePositiveAmount(body.amount, decimals);
        if (!amount.ok) return refused("amount_invalid");
        const { merchantId } = merchant;
        const { type, reference, reason } = body;
        const given = await credit.grantBonus(
          { merchantId, cardholderNo, type, amount: amount.value, reference, reason },
          by,
        );
        return given.ok ? ok(bonusToWire(merchantNo, given.value)) : given;
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/cardholders/{cardholder_no}/bonus",
      summary: "Read a cardholder's bonus balance and how it was given, newest first",
      status: 200,
      params: bonusParams,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ bonus_balance: z.string(), list: z.array(bonusAnswer) }),
      refusals: ["merchant_unknown", "account_unknown"],
      handle: async ({ params, query }) => {
        const { merchant_no: merchantNo, cardholder_no: cardholderNo } = params;
        const merchant = await merchants.find(merchantNo);
        if (merchant === null) return refused("merchant_unknown");
        const key = { merchantId: merchant.merchantId, cardholderNo };
        const accounts = await credit.accountsOf(key);
        if (accounts === null) return refused("account_unknown");
        const { available, held } = accounts.bonus;
        const grants = await credit.listBonuses({ ...key, ...pageOf(query) });
        return ok({
          bonus_balance: formatAmount(available + held, decimals),
          list: grants.map((grant) => bonusToWire(merchantNo, grant)),
        });
      },
    }),
  ];
}

function bonusToWire(merchantNo: string, grant: BonusGrant): z.infer<typeof bonusAnswer> {
  return {
    bonus_no: grant.bonusNo,
    merchant_no: merchantNo,
    cardholder_no: grant.cardholderNo,
    type: grant.type,
    amount: formatAmount(grant.amount, decimals),
    reference: grant.reference,
    reason: grant.reason,
    created_at: grant.createdAt,
  };
}
