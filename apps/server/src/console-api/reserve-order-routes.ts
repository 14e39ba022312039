import { decimalsOf, formatAmount, parsePositiveAmount } from "@cardwright/money";
import { z } from "zod";
import { ok, refused } from "#kernel/index.ts";
import {
  adjustmentCategories,
  adjustmentDirections,
  type Merchants,
  oneLine,
  type ReserveOrder,
  type Reserves,
  reserveOrderKinds,
  reserveOrderStatuses,
} from "#merchants/index.ts";
import { reserve as bounds } from "../limits.ts";
import { merchantOf, pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const decimals = decimalsOf("USD");
const line = (charactersMax: number) => z.string().max(charactersMax).regex(oneLine);

const asked = {
  merchant_no: publicNumber,
  amount: z
    .string()
    .max(32)
    .meta({ description: "Decimal text above 0, in USD.", examples: ["2500.00"] }),
  reference: line(bounds.referenceCharactersMax).meta({
    description: "Names the order, once per merchant: the same call again answers the same order.",
  }),
};

const newWithdrawal = z.strictObject({
  ...asked,
  destination: line(bounds.destinationCharactersMax).meta({ description: "Where the money goes, in your words." }),
});

const newAdjustment = z.strictObject({
  ...asked,
  direction: z.enum(adjustmentDirections).meta({ description: "`credit` fills the reserve, `debit` takes from it." }),
  category: z.enum(adjustmentCategories).meta({
    description:
      "What was wrong, which says who bears it: a payment booked wrongly, the card network, or our own income (`fee_correction`, `goodwill`).",
  }),
  reason: line(bounds.reasonCharactersMax),
});

const orderAnswer = z.strictObject({
  order_no: z.string(),
  kind: z.enum(reserveOrderKinds),
  merchant_no: z.string(),
  direction: z.enum(adjustmentDirections),
  amount: z.string(),
  currency: z.literal("USD"),
  destination: z.string().meta({ description: "Empty for an adjustment." }),
  category: z.union([z.enum(adjustmentCategories), z.literal("")]).meta({ description: "Empty for a withdrawal." }),
  reason: z.string(),
  reference: z.string(),
  status: z.enum(reserveOrderStatuses),
  asked_by: z.string(),
  decided_by: z.string().nullable(),
  created_at: timeMs,
  decided_at: timeMs.nullable(),
});

const orderParams = z.strictObject({ order_no: publicNumber });
const askRefusals = ["merchant_unknown", "amount_invalid", "reference_invalid", "reference_reused"] as const;

/** Money that leaves or enters a reserve otherwise than by cards and recharges: asked for by one operator, approved by another. */
export function reserveOrderRoutes(deps: { readonly merchants: Merchants; readonly reserves: Reserves }): Route[] {
  const { merchants, reserves } = deps;
  return [
    route({
      method: "POST",
      path: "/withdrawals",
      summary: "Ask for a payment out of a merchant's reserve",
      description: "Nothing is held or booked until another operator approves.",
      status: 201,
      body: newWithdrawal,
      answer: orderAnswer,
      refusals: [...askRefusals, "destination_invalid"],
      handle: async ({ body, by }) => {
        const common = await commonOf(body);
        if (!common.ok) return common;
        const made = await reserves.askWithdrawal({ ...common.value, destination: body.destination }, by);
        return made.ok ? ok(orderToWire(made.value)) : made;
      },
    }),
    route({
      method: "POST",
      path: "/adjustments",
      summary: "Ask for a correction of a merchant's reserve",
      description: "Nothing is booked until another operator approves.",
      status: 201,
      body: newAdjustment,
      answer: orderAnswer,
      refusals: [...askRefusals, "reason_invalid"],
      handle: async ({ body, by }) => {
        const common = await commonOf(body);
        if (!common.ok) return common;
        const { direction, category, reason } = body;
        const made = await reserves.askAdjustment({ ...common.value, direction, category, reason }, by);
        return made.ok ? ok(orderToWire(made.value)) : made;
      },
    }),
    route({
      method: "GET",
      path: "/reserve-orders",
      summary: "List withdrawals and adjustments, newest first",
      status: 200,
      query: z.strictObject({
        merchant_no: publicNumber.exactOptional(),
        kind: z.enum(reserveOrderKinds).exactOptional(),
        status: z.enum(reserveOrderStatuses).exactOptional(),
        ...pageQuery,
      }),
      answer: z.strictObject({ list: z.array(orderAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ query }) => {
        const { kind, status } = query;
        const merchantId = await merchantOf(merchants, query);
        if (!merchantId.ok) return merchantId;
        const filter = {
          ...pageOf(query),
          ...(merchantId.value !== undefined && { merchantId: merchantId.value }),
          ...(kind !== undefined && { kind }),
          ...(status !== undefined && { status }),
        };
        return ok({ list: (await reserves.listOrders(filter)).map(orderToWire) });
      },
    }),
    route({
      method: "GET",
      path: "/reserve-orders/{order_no}",
      summary: "Read a withdrawal or an adjustment",
      status: 200,
      params: orderParams,
      answer: orderAnswer,
      refusals: ["reserve_order_unknown"],
      handle: async ({ params }) => {
        const order = await reserves.findOrder(params.order_no);
        return order === null ? refused("reserve_order_unknown") : ok(orderToWire(order));
      },
    }),
    route({
      method: "POST",
      path: "/reserve-orders/{order_no}/approve",
      summary: "Book what another operator has asked for",
      description: "Books exactly once, however often and by however many it is called.",
      status: 200,
      params: orderParams,
      answer: orderAnswer,
      refusals: ["reserve_order_unknown", "own_order", "reserve_order_cancelled", "reserve_too_low"],
      handle: async ({ params, by }) => {
        const decided = await reserves.approveOrder({ orderNo: params.order_no }, by);
        return decided.ok ? ok(orderToWire(decided.value)) : decided;
      },
    }),
    route({
      method: "POST",
      path: "/reserve-orders/{order_no}/cancel",
      summary: "End an order that is not booked",
      status: 200,
      params: orderParams,
      answer: orderAnswer,
      refusals: ["reserve_order_unknown", "reserve_order_booked"],
      handle: async ({ params, by }) => {
        const decided = await reserves.cancelOrder({ orderNo: params.order_no }, by);
        return decided.ok ? ok(orderToWire(decided.value)) : decided;
      },
    }),
  ];

  async function commonOf(body: { readonly merchant_no: string; readonly amount: string; readonly reference: string }) {
    const merchant = await merchants.find(body.merchant_no);
    if (merchant === null) return refused("merchant_unknown");
    const amount = parsePositiveAmount(body.amount, decimals);
    if (!amount.ok) return refused("amount_invalid");
    return ok({ merchantId: merchant.merchantId, amount: amount.value, reference: body.reference });
  }
}

function orderToWire(order: ReserveOrder): z.infer<typeof orderAnswer> {
  return {
    order_no: order.orderNo,
    kind: order.kind,
    merchant_no: order.merchantNo,
    direction: order.direction,
    amount: formatAmount(order.amount, decimals),
    currency: "USD",
    destination: order.destination,
    category: order.category,
    reason: order.reason,
    reference: order.reference,
    status: order.status,
    asked_by: order.askedBy,
    decided_by: order.decidedBy,
    created_at: order.createdAt,
    decided_at: order.decidedAt,
  };
}
