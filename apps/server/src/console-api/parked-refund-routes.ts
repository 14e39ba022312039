import { decimalsOf, formatAmount } from "@cardwright/money";
import { z } from "zod";
import {
  type Clearing,
  type ParkedRefund,
  parkedNoteCharactersMax,
  parkedStatuses,
  resolutions,
} from "#clearing/index.ts";
import { ok } from "#kernel/index.ts";
import { type Merchants, oneLine } from "#merchants/index.ts";
import { merchantOf, pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

/** Cards are billed in USD or TUSDT, which have the same decimals. */
const decimals = decimalsOf("USD");

const parkedAnswer = z.strictObject({
  parked_no: z.string(),
  merchant_no: z.string(),
  card_no: z.string(),
  cardholder_no: z.string(),
  purchase_no: z.string().meta({ description: "The purchase that it says it refunds." }),
  consume_no: z.string().meta({ description: "The Refund consumption; empty while there is none." }),
  network_reference: z.string(),
  amount: z.string().meta({ description: "In the card's currency.", examples: ["150.00"] }),
  refundable: z.string().meta({ description: "What was left of the purchase when it came.", examples: ["100.00"] }),
  local_amount: z.string(),
  local_currency: z.string(),
  shop: z.string(),
  status: z.enum(parkedStatuses),
  note: z.string(),
  created_at: timeMs,
  resolved_at: timeMs.nullable(),
});

const resolution = z.strictObject({
  resolution: z.enum(resolutions).meta({
    description:
      "`release`: the cardholder gets it, as any other refund. `keep_for_merchant`: it goes into the merchant's reserve. `keep_for_platform`: it is the platform's income.",
  }),
  note: z
    .string()
    .max(parkedNoteCharactersMax)
    .regex(oneLine)
    .exactOptional()
    .meta({ description: "Why; one line, for the audit." }),
});

/** Refunds of more than there was left of their purchases. */
export function parkedRefundRoutes(deps: {
  readonly merchants: Pick<Merchants, "find">;
  readonly clearing: Pick<Clearing, "listParkedRefunds" | "resolveParkedRefund">;
}): Route[] {
  const { merchants, clearing } = deps;
  return [
    route({
      method: "GET",
      path: "/parked-refunds",
      summary: "List parked refunds, newest first",
      description:
        "A refund of more than is left of its purchase is settled by the network and not given to the cardholder: an operator decides.",
      status: 200,
      query: z.strictObject({
        merchant_no: publicNumber.exactOptional(),
        status: z.enum(parkedStatuses).exactOptional(),
        ...pageQuery,
      }),
      answer: z.strictObject({ list: z.array(parkedAnswer) }),
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
        return ok({ list: (await clearing.listParkedRefunds(filter)).map(parkedToWire) });
      },
    }),
    route({
      method: "POST",
      path: "/parked-refunds/{parked_no}/resolve",
      summary: "Decide what becomes of a parked refund",
      description: "Once: the same decision again answers the same, another one is refused.",
      status: 200,
      params: z.strictObject({ parked_no: publicNumber }),
      body: resolution,
      answer: parkedAnswer,
      refusals: ["parked_refund_unknown", "parked_refund_resolved"],
      handle: async ({ params, body, by }) => {
        const decision = { parkedNo: params.parked_no, resolution: body.resolution, note: body.note ?? "" };
        const resolved = await clearing.resolveParkedRefund(decision, by);
        return resolved.ok ? ok(parkedToWire(resolved.value)) : resolved;
      },
    }),
  ];
}

function parkedToWire(parked: ParkedRefund): z.infer<typeof parkedAnswer> {
  return {
    parked_no: parked.parkedNo,
    merchant_no: parked.merchantNo,
    card_no: parked.cardNo,
    cardholder_no: parked.cardholderNo,
    purchase_no: parked.purchaseNo,
    consume_no: parked.consumeNo,
    network_reference: parked.networkReference,
    amount: formatAmount(parked.amount, decimals),
    refundable: formatAmount(parked.refundable, decimals),
    local_amount: parked.localAmount,
    local_currency: parked.localCurrency,
    shop: parked.acceptor.name,
    status: parked.status,
    note: parked.note,
    created_at: parked.createdAt,
    resolved_at: parked.resolvedAt,
  };
}
