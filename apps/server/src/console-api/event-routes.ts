import { z } from "zod";
import type { MerchantEvent, MerchantEvents } from "#callbacks/index.ts";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { merchantParams, pageOf, pageQuery, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const eventAnswer = z.strictObject({
  event_id: z.string(),
  kind: z.string().meta({
    description:
      "`circuit_opened`: the merchant's server failed so often that it is not asked for a while; `circuit_closed`: it answers again; `about` says whether it is the questions of purchases or the deliveries of callbacks. `callbacks_paused`: nothing is delivered any more, because a person wanted it or because for 5 days everything failed (`by`); `callbacks_resumed`: it goes on. `management_fee_failed`: a card's management fee could not be taken and is tried again at `retry_at`; `card_cancelled`: nor then; `management_fee_missed`: nor then, but the card is exempt. `reserve_low`: the available reserve has fallen below one of the merchant's thresholds. `client_certificate_expires`: the certificate that we show the merchant's server ends within 30 days, at `valid_to`. Other kinds may follow.",
  }),
  detail: z.record(z.string(), z.union([z.string(), z.number()])).meta({
    description: "What the kind has to say.",
    examples: [{ about: "deliveries", cause: "failures", wait_ms: 5000 }],
  }),
  at: timeMs,
});

/** What happened to a merchant's server. */
export function eventRoutes(deps: {
  readonly merchants: Merchants;
  readonly callbacks: { readonly events: Pick<MerchantEvents, "list"> };
}): Route[] {
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/events",
      summary: "List what happened to a merchant's server and reserve, newest first",
      description: "Each process of the platform finds out about the server for itself. Events are kept for 90 days.",
      status: 200,
      params: merchantParams,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ list: z.array(eventAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ params, query }) => {
        const merchant = await deps.merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId } = merchant;
        const events = await deps.callbacks.events.list({ merchantId, ...pageOf(query) });
        return ok({ list: events.map(eventToWire) });
      },
    }),
  ];
}

function eventToWire({ eventId, kind, detail, atMs }: MerchantEvent): z.infer<typeof eventAnswer> {
  return { event_id: eventId, kind, detail: { ...detail }, at: atMs };
}
