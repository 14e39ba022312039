import { z } from "zod";
import type { AuditTrail } from "#audit/index.ts";
import type { CallbackEndpoints, EndpointState } from "#callbacks/index.ts";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { endpointAnswer, endpointToWire } from "./callback-wire.ts";
import { merchantParams } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const testAnswer = z.strictObject({
  delivered: z.boolean(),
  http_status: z.int().nullable(),
  error: z.string().meta({ description: "Empty when it was delivered." }),
  answer: z.string().meta({ description: "What the server said, the first 4 KB." }),
  duration_ms: z.int(),
  resumed: z.boolean().meta({ description: "The success has ended a pause that failures had caused." }),
});

export interface CallbackEndpointRouteDeps {
  readonly merchants: Merchants;
  readonly callbacks: { readonly endpoints: CallbackEndpoints };
  readonly auditTrail: AuditTrail;
}

/** How a merchant's server takes its pushes: pausing them, going on, and trying it out. */
export function callbackEndpointRoutes(deps: CallbackEndpointRouteDeps): Route[] {
  const { merchants, callbacks, auditTrail } = deps;
  const { endpoints } = callbacks;
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/callback-endpoint",
      summary: "Read how a merchant's server takes its pushes, and how many wait for it",
      status: 200,
      params: merchantParams,
      answer: endpointAnswer,
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        return merchant === null
          ? refused("merchant_unknown")
          : ok(endpointToWire(await endpoints.stateOf(merchant.merchantId)));
      },
    }),
    changeRoute(deps, {
      word: "pause",
      summary: "Send a merchant no more pushes until somebody resumes",
      description: "They are kept and do not run out of their 30 days. `Auth` is asked all the same.",
      change: (merchantId) => endpoints.pause({ merchantId, by: "operator" }),
    }),
    changeRoute(deps, {
      word: "resume",
      summary: "Send a merchant its pushes again, whoever paused them",
      change: (merchantId) => endpoints.resume({ merchantId }),
    }),
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/callback-endpoint/test",
      summary: "Send a test push and tell what the merchant's server said",
      description:
        "A `Card_update` that changes nothing, with the header `Test-Push: true`. A success ends a pause that failures have caused.",
      status: 200,
      params: merchantParams,
      answer: testAnswer,
      refusals: ["merchant_unknown", "callback_url_missing"],
      handle: async ({ params, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId, merchantNo: subject } = merchant;
        await auditTrail.append({ ...by, merchantId, action: "callback_endpoint.test", subject, detail: {} });
        const sent = await endpoints.sendTest({ merchantId });
        if (!sent.ok) return refused("callback_url_missing");
        const { delivered, httpStatus, error, answer, durationMs, resumed } = sent.value;
        const duration_ms = Math.round(durationMs);
        return ok({ delivered, http_status: httpStatus, error, answer, duration_ms, resumed });
      },
    }),
  ];
}

function changeRoute(
  { merchants, auditTrail }: CallbackEndpointRouteDeps,
  facts: {
    readonly word: "pause" | "resume";
    readonly summary: string;
    readonly description?: string;
    readonly change: (merchantId: number) => Promise<EndpointState>;
  },
): Route {
  const { word, summary, description, change } = facts;
  return route({
    method: "POST",
    path: `/merchants/{merchant_no}/callback-endpoint/${word}`,
    summary,
    ...(description !== undefined && { description }),
    status: 200,
    params: merchantParams,
    answer: endpointAnswer,
    refusals: ["merchant_unknown"],
    handle: async ({ params, by }) => {
      const merchant = await merchants.find(params.merchant_no);
      if (merchant === null) return refused("merchant_unknown");
      const { merchantId, merchantNo: subject } = merchant;
      await auditTrail.append({ ...by, merchantId, action: `callback_endpoint.${word}`, subject, detail: {} });
      return ok(endpointToWire(await change(merchantId)));
    },
  });
}
