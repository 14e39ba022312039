import { decimalsOf, formatAmount, parsePositiveAmount } from "@cardwright/money";
import { z } from "zod";
import { ok, refused } from "#kernel/index.ts";
import {
  type Merchants,
  oneLine,
  type RechargeOrder,
  rechargeCurrencies,
  rechargeStatuses,
  referenceCharactersMax,
} from "#merchants/index.ts";
import { merchantOf, pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const newRecharge = z.strictObject({
  merchant_no: publicNumber,
  amount: z
    .string()
    .max(32)
    .meta({ description: "Decimal text above 0.", examples: ["10000.00"] }),
  currency: z.enum(rechargeCurrencies).meta({ description: "TUSDT is booked at par." }),
  reference: z
    .string()
    .max(referenceCharactersMax)
    .regex(oneLine)
    .meta({ description: "Names the payment, once per merchant: the same call again answers the same order." }),
});

const rechargeAnswer = z.strictObject({
  recharge_no: z.string(),
  merchant_no: z.string(),
  amount: z.string(),
  currency: z.enum(rechargeCurrencies),
  reference: z.string(),
  status: z.enum(rechargeStatuses),
  created_at: timeMs,
  decided_at: timeMs.nullable(),
});

const rechargeParams = z.strictObject({ recharge_no: publicNumber });
const rechargeQuery = z.strictObject({
  merchant_no: publicNumber.exactOptional(),
  status: z.enum(rechargeStatuses).exactOptional(),
  ...pageQuery,
});

/** Money that goes into merchants' reserves. */
export function rechargeRoutes({ merchants }: { readonly merchants: Merchants }): Route[] {
  return [
    route({
      method: "POST",
      path: "/recharges",
      summary: "Note a payment into a merchant's reserve",
      description: "Nothing is booked until it is confirmed.",
      status: 201,
      body: newRecharge,
      answer: rechargeAnswer,
      refusals: ["merchant_unknown", "amount_invalid", "reference_invalid", "reference_reused"],
      handle: async ({ body, by }) => {
        const merchant = await merchants.find(body.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const amount = parsePositiveAmount(body.amount, decimalsOf(body.currency));
        if (!amount.ok) return refused("amount_invalid");
        const { currency, reference } = body;
        const request = { merchantId: merchant.merchantId, amount: amount.value, currency, reference };
        const made = await merchants.createRecharge(request, by);
        return made.ok ? ok(rechargeToWire(made.value)) : made;
      },
    }),
    route({
      method: "GET",
      path: "/recharges",
      summary: "List recharge orders, newest first",
      status: 200,
      query: rechargeQuery,
      answer: z.strictObject({ list: z.array(rechargeAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ query }) => {
        const { status } = query;
        const merchantId = await merchantOf(merchants, query);
        if (!merchantId.ok) return merchantId;
        const filter = {
          ...pageOf(query),
          ...(merchantId.value !== undefined && { merchantId: merchantId.value }),
          ...(status !== undefined && { status }),
        };
        return ok({ list: (await merchants.listRecharges(filter)).map(rechargeToWire) });
      },
    }),
    route({
      method: "POST",
      path: "/recharges/{recharge_no}/confirm",
      summary: "Book a payment into the reserve",
      description: "Books exactly once, however often it is called.",
      status: 200,
      params: rechargeParams,
      answer: rechargeAnswer,
      refusals: ["recharge_unknown", "recharge_rejected"],
      handle: async ({ params, by }) => {
        const decided = await merchants.confirmRecharge({ rechargeNo: params.recharge_no }, by);
        return decided.ok ? ok(rechargeToWire(decided.value)) : decided;
      },
    }),
    route({
      method: "POST",
      path: "/recharges/{recharge_no}/reject",
      summary: "Close a payment that did not come",
      status: 200,
      params: rechargeParams,
      answer: rechargeAnswer,
      refusals: ["recharge_unknown", "recharge_confirmed"],
      handle: async ({ params, by }) => {
        const decided = await merchants.rejectRecharge({ rechargeNo: params.recharge_no }, by);
        return decided.ok ? ok(rechargeToWire(decided.value)) : decided;
      },
    }),
  ];
}

function rechargeToWire(order: RechargeOrder): z.infer<typeof rechargeAnswer> {
  return {
    recharge_no: order.rechargeNo,
    merchant_no: order.merchantNo,
    amount: formatAmount(order.amount, decimalsOf(order.currency)),
    currency: order.currency,
    reference: order.reference,
    status: order.status,
    created_at: order.createdAt,
    decided_at: order.decidedAt,
  };
}
