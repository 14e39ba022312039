import { z } from "zod";
import type { Management } from "#clearing/index.ts";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { merchantParams, pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const exemption = z.strictObject({
  card_no: publicNumber.nullable().meta({ description: "null: every card of the merchant." }),
  exempt: z.boolean(),
});

/** Which cards are kept when their management fee cannot be taken twice (contract section 3.1). */
export function managementRoutes(deps: {
  readonly merchants: Merchants;
  readonly management: Pick<Management, "exempt" | "exemptions">;
}): Route[] {
  return [
    route({
      method: "PUT",
      path: "/merchants/{merchant_no}/management-exemptions",
      summary: "Exempt a card, or every card of a merchant, from cancellation for an unpaid management fee",
      description:
        "A card whose management fee could not be taken, nor at the end of the month, is cancelled unless it is exempt. The fee itself is due all the same. With `exempt` false the card's, or the merchant's, own exemption ends.",
      status: 200,
      params: merchantParams,
      body: exemption,
      answer: exemption,
      refusals: ["merchant_unknown", "card_unknown"],
      handle: async ({ params, body, by }) => {
        const merchant = await deps.merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { card_no: cardNo, exempt } = body;
        const changed = await deps.management.exempt({ merchantId: merchant.merchantId, cardNo, exempt }, by);
        return changed.ok ? ok(body) : changed;
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/management-exemptions",
      summary: "List what is exempt from cancellation: the merchant as a whole first, then by card",
      status: 200,
      params: merchantParams,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({
        list: z.array(z.strictObject({ card_no: z.string().nullable(), created_at: timeMs })),
      }),
      refusals: ["merchant_unknown"],
      handle: async ({ params, query }) => {
        const merchant = await deps.merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const list = await deps.management.exemptions({ merchantId: merchant.merchantId, ...pageOf(query) });
        return ok({ list: list.map(({ cardNo, createdAt }) => ({ card_no: cardNo, created_at: createdAt })) });
      },
    }),
  ];
}
