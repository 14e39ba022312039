import { z } from "zod";
import type { AuditDetail, AuditTrail } from "#audit/index.ts";
import type { CallbackHistory } from "#callbacks/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import {
  callbackActions,
  callbackAnswer,
  callbackDetailAnswer,
  callbackDetailToWire,
  callbackParams,
  callbackStates,
  callbackToWire,
} from "./callback-wire.ts";
import { merchantParams, pageQuery, publicNumber, uuid } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

/** As many as one statement of the room takes. */
const idsMax = 100;
/** The last millisecond that 13 digits can say. */
const timeMsMax = 9_999_999_999_999;

const timeText = z
  .string()
  .regex(/^[0-9]{1,13}$/u)
  .exactOptional()
  .meta({ description: "Unix time in milliseconds, included." });

const callbackQuery = z.strictObject({
  card_no: publicNumber.exactOptional(),
  consume_no: publicNumber.exactOptional(),
  action: z.enum(callbackActions).exactOptional(),
  state: z.enum(callbackStates).exactOptional(),
  from: timeText,
  to: timeText,
  before: uuid.exactOptional().meta({ description: "`callback_id` of the last row of the page before." }),
  size: pageQuery.size,
});

const resendBody = z.strictObject({
  callback_ids: z.array(uuid).min(1).max(idsMax).exactOptional().meta({ description: "These." }),
  since: z
    .int()
    .min(0)
    .max(timeMsMax)
    .exactOptional()
    .meta({ description: "All that were made since this moment, in Unix milliseconds." }),
  missed: z
    .literal(true)
    .exactOptional()
    .meta({ description: "All that are not delivered: given up, or failing and waiting for a later try." }),
});

export interface CallbackRouteDeps {
  readonly merchants: Merchants;
  readonly callbacks: {
    readonly history: Pick<
      CallbackHistory,
      "list" | "find" | "attemptsOf" | "resend" | "resendMany" | "resendSince" | "resendMissed"
    >;
  };
  readonly auditTrail: AuditTrail;
}

/** What became of a merchant's pushes, and sending them again. */
export function callbackRoutes({ merchants, callbacks, auditTrail }: CallbackRouteDeps): Route[] {
  const { history } = callbacks;
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/callbacks",
      summary: "List a merchant's pushes of the last 30 days, newest first",
      status: 200,
      params: merchantParams,
      query: callbackQuery,
      answer: z.strictObject({ list: z.array(callbackAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ params, query }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { card_no: cardNo, consume_no: consumeNo, action, state, from, to, before, size = "50" } = query;
        const entries = await history.list({
          merchantId: merchant.merchantId,
          limit: Number(size),
          ...(cardNo !== undefined && { cardNo }),
          ...(consumeNo !== undefined && { consumeNo }),
          ...(action !== undefined && { action }),
          ...(state !== undefined && { state }),
          ...(from !== undefined && { fromMs: Number(from) }),
          ...(to !== undefined && { toMs: Number(to) }),
          ...(before !== undefined && { before }),
        });
        return ok({ list: entries.map(callbackToWire) });
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/callbacks/{callback_id}",
      summary: "Read a push with its data and its tries",
      status: 200,
      params: callbackParams,
      answer: callbackDetailAnswer,
      refusals: ["merchant_unknown", "callback_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const key = { merchantId: merchant.merchantId, callbackId: params.callback_id };
        const entry = await history.find(key);
        return entry === null
          ? refused("callback_unknown")
          : ok(callbackDetailToWire(entry, await history.attemptsOf(key)));
      },
    }),
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/callbacks/{callback_id}/resend",
      summary: "Send a push again, whatever became of it",
      description: "With the same id, data and sequence. Its schedule of tries begins anew.",
      status: 200,
      params: callbackParams,
      answer: callbackAnswer,
      refusals: ["merchant_unknown", "callback_unknown"],
      handle: async ({ params, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId } = merchant;
        const key = { merchantId, callbackId: params.callback_id };
        if ((await history.find(key)) === null) return refused("callback_unknown");
        const subject = key.callbackId;
        await auditTrail.append({ ...by, merchantId, action: "callback.resend", subject, detail: {} });
        const resent = await history.resend(key);
        // Removed in between: after 30 days.
        const entry = resent.ok ? await history.find(key) : null;
        return entry === null ? refused("callback_unknown") : ok(callbackToWire(entry));
      },
    }),
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/callbacks/resend",
      summary: "Send pushes again: a selection, all since a moment, or all that were missed",
      description: "Exactly one of the three says which.",
      status: 200,
      params: merchantParams,
      body: resendBody,
      answer: z.strictObject({
        resent: z.int(),
        unknown: z.array(z.string()).meta({ description: "Those of `callback_ids` that the merchant does not have." }),
      }),
      refusals: ["merchant_unknown", "resend_choice_invalid"],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId, merchantNo } = merchant;
        const selection = selectionOf(body);
        if (!selection.ok) return selection;
        const { detail, resend } = selection.value;
        await auditTrail.append({ ...by, merchantId, action: "callback.resend_many", subject: merchantNo, detail });
        return ok(await resend(history, merchantId));
      },
    }),
  ];
}

interface Selection {
  readonly detail: AuditDetail;
  readonly resend: (
    history: CallbackRouteDeps["callbacks"]["history"],
    merchantId: number,
  ) => Promise<{ resent: number; unknown: string[] }>;
}

function selectionOf(body: z.infer<typeof resendBody>): Result<Selection, "resend_choice_invalid"> {
  const { callback_ids: callbackIds, since: sinceMs, missed } = body;
  if ([callbackIds, sinceMs, missed].filter((given) => given !== undefined).length !== 1) {
    return refused("resend_choice_invalid");
  }
  if (callbackIds !== undefined) {
    return ok({
      detail: { callback_ids: callbackIds },
      resend: async (history, merchantId) => {
        const { resent, unknown } = await history.resendMany({ merchantId, callbackIds: [...new Set(callbackIds)] });
        return { resent, unknown: [...unknown] };
      },
    });
  }
  if (sinceMs !== undefined) {
    return ok({
      detail: { since: sinceMs },
      resend: async (history, merchantId) => ({
        resent: await history.resendSince({ merchantId, sinceMs }),
        unknown: [],
      }),
    });
  }
  return ok({
    detail: { missed: true },
    resend: async (history, merchantId) => ({ resent: await history.resendMissed({ merchantId }), unknown: [] }),
  });
}
