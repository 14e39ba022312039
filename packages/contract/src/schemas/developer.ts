/** Requests and answers of the developer API: times are Unix milliseconds, 0 where there is none; texts are "" where there is none. */
import { z } from "zod";
import { CALLBACK_ACTIONS, MERCHANT_MODES } from "../constants.ts";
import { cardNo, count, described, listOf, oneOf, requiredText, text, time } from "./field.ts";

/** What has become of a push: to be sent (again), received by the merchant, or given up after 30 days of failures. */
export const PUSH_STATES = ["Open", "Delivered", "Given_up"] as const;
export type PushState = (typeof PUSH_STATES)[number];

/** The callbacks that are kept and sent again: nobody waits for the answer of a purchase of yesterday. */
export const PUSH_ACTIONS = [CALLBACK_ACTIONS[1], CALLBACK_ACTIONS[2]] as const;
export type PushAction = (typeof PUSH_ACTIONS)[number];

export const CALLBACK_ENDPOINT_STATES = ["Active", "Paused"] as const;
export const PAUSED_BY = ["", "failures", "operator", "merchant"] as const;
export const ENVIRONMENTS = ["sandbox", "production"] as const;

/** Pushes sent again by one call that names them. */
export const RESEND_IDS_MAX = 100;
/** A week: long enough to roll a secret out by hand, short enough that a leaked one does not stay. */
export const OVERLAP_HOURS_MAX = 168;
export const OVERLAP_HOURS_DEFAULT = 24;
export const PUSH_PAGE_DEFAULT = 20;
export const PUSH_PAGE_MAX = 100;
const CALLBACK_URL_CHARACTERS_MAX = 2048;
/** The last millisecond that 13 digits can say, in the year 2286. */
const TIME_MAX_MS = 9_999_999_999_999;
/** Longer than any id of ours; what is longer than that is not worth being repeated in an answer. */
const CALLBACK_ID_CHARACTERS_MAX = 64;

const noFields = z.object({});

const flag = (description: string, example: boolean): z.ZodBoolean => described(z.boolean(), { description, example });
const moment = (description: string): z.ZodInt =>
  described(z.int().min(0).max(TIME_MAX_MS), {
    description: `${description} Unix milliseconds.`,
    example: 1779408000000,
  });

const callbackUrl = {
  description: "Where callbacks go; empty for none.",
  example: "https://shop.example.com/callback",
};
const callbackId = { description: "The push's `id`.", example: "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234" };

export const developerMerchantInfoRequest = noFields;
export const developerMerchantInfoData = z.object({
  merchant_no: text({ description: "Your number with us.", example: "M20260522001" }),
  name: text({ description: "Your name with us.", example: "Shop" }),
  mode: oneOf(MERCHANT_MODES, { description: "Your mode.", example: "AUTHORIZATION" }),
  app_id: text({ description: "Signed into every callback.", example: "app_demo" }),
  environment: oneOf(ENVIRONMENTS, { description: "What kind of installation this is.", example: "sandbox" }),
  callback_url: text(callbackUrl),
  time: time("The platform's time now; in the sandbox somebody may have moved it."),
});

export const developerCallbackUrlBody = z.object({
  callback_url: described(z.string().max(CALLBACK_URL_CHARACTERS_MAX), callbackUrl),
});
export const developerCallbackUrlData = z.object({ callback_url: text(callbackUrl) });

export const developerEndpointRequest = noFields;
export const developerEndpointData = z.object({
  state: oneOf(CALLBACK_ENDPOINT_STATES, { description: "Whether pushes are sent.", example: "Active" }),
  paused_by: oneOf(PAUSED_BY, { description: "Who or what paused it; empty while `Active`.", example: "" }),
  paused_at: time("Since when it is paused, or 0."),
  failing_since: time("The first of the failures since the last success, or 0."),
  last_success_at: time("Or 0."),
  last_failure_at: time("Or 0."),
  open_count: count("Pushes that are not delivered yet.", 3),
  open_count_is_exact: flag("False when there are more than are counted.", true),
});

export const developerEndpointTestData = z.object({
  delivered: flag("Whether your server took the test push.", true),
  http_status: count("Status of its answer, or 0.", 200),
  error: text({ description: "What went wrong, or empty.", example: "" }),
  answer: text({ description: "What it answered, the first 4 KB.", example: '{"code":0,"message":""}' }),
  duration_ms: count("Milliseconds until then.", 42),
  resumed: flag("Whether the success has resumed an endpoint that failures had paused.", false),
});

const action = { description: "What the push is about.", example: "Consumption" } as const;
const state = { description: "What has become of it.", example: "Given_up" } as const;

export const developerCallbackListBody = z.object({
  state: oneOf(PUSH_STATES, { ...state, description: "Only in this state." }).optional(),
  action: oneOf(PUSH_ACTIONS, { ...action, description: "Only of this kind." }).optional(),
  card_no: text({ description: "Only about this card.", example: "C202605220001" }).optional(),
  consume_no: text({ description: "Only about this consumption.", example: "O202605220001" }).optional(),
  start_time: moment("Made at or after this moment.").optional(),
  end_time: moment("Made at or before this moment; after `start_time`.").optional(),
  before: text({
    description: "`callback_id` of the last row of the page before.",
    example: callbackId.example,
    lengthMax: CALLBACK_ID_CHARACTERS_MAX,
  }).optional(),
  size: described(z.int().min(1).max(PUSH_PAGE_MAX), {
    description: `Rows of a page, 1 to ${PUSH_PAGE_MAX}. Default ${PUSH_PAGE_DEFAULT}.`,
    example: PUSH_PAGE_DEFAULT,
  }).optional(),
});

const push = {
  callback_id: text(callbackId),
  action: oneOf(PUSH_ACTIONS, action),
  card_no: cardNo,
  consume_no: text({ description: "The consumption it is about, or empty.", example: "O202605220001" }),
  sequence: count("Number of the push within its card, from 1 without gaps.", 4),
  state: oneOf(PUSH_STATES, state),
  attempts: count("Tries so far.", 3),
  created_at: time("When it was made."),
  next_attempt_at: time("When it is tried next, or 0."),
  finished_at: time("When it was delivered or given up, or 0."),
  last_error: text({ description: "What went wrong with the last try, or empty.", example: "timeout" }),
};
export const developerCallbackListData = listOf(z.object(push));

export const developerCallbackInfoParams = z.object({ callback_id: requiredText(callbackId) });
export const developerCallbackInfoData = z.object({
  ...push,
  data: described(z.looseObject({}), {
    description: "`data` as it is pushed.",
    example: {
      card_no: "C202605220001",
      before_status: "Activated",
      after_status: "Frozen",
      reason: "",
      time: 1779408000000,
    },
  }),
  attempt_list: described(
    z.array(
      z.object({
        attempt: count("Number of the try, from 1.", 1),
        time: time("When it began."),
        duration_ms: count("Milliseconds it took.", 5000),
        http_status: count("Status of the answer, or 0.", 0),
        error: text({ description: "What went wrong, or empty.", example: "timeout" }),
        answer: text({ description: "What was answered, the first 4 KB.", example: "" }),
      }),
    ),
    { description: "The tries, the latest first." },
  ),
});

export const developerResendBody = z.object({
  callback_ids: described(z.array(z.string().max(CALLBACK_ID_CHARACTERS_MAX)).min(1).max(RESEND_IDS_MAX), {
    description: `These, 1 to ${RESEND_IDS_MAX}.`,
    example: [callbackId.example],
  }).optional(),
  since: moment("All that were made at or after this moment.").optional(),
  missed: described(z.literal(true), {
    description: "All that are not delivered: given up, or failing and waiting for a later try.",
    example: true,
  }).optional(),
});
export const developerResendData = z.object({
  resent: count("Pushes that are sent again.", 1),
  unknown: described(z.array(z.string()), {
    description: "Those of `callback_ids` that you do not have.",
    example: [],
  }),
});

const secretId = text({ description: "Number of the secret.", example: "019e4f2a-7c00-7d3e-9a1b-3d5e7f905678" });

export const developerSecretListRequest = noFields;
export const developerSecretListData = listOf(
  z.object({
    secret_id: secretId,
    created_at: time("When it was made."),
    expires_at: time("When it signs no more; 0 for the current one."),
  }),
);

export const developerSecretRotateBody = z.object({
  overlap_hours: described(z.int().min(0).max(OVERLAP_HOURS_MAX), {
    description: `Hours for which callbacks carry a signature by the old secret too, 0 to ${OVERLAP_HOURS_MAX}. Default ${OVERLAP_HOURS_DEFAULT}.`,
    example: OVERLAP_HOURS_DEFAULT,
  }).optional(),
});
export const developerSecretRotateData = z.object({
  secret_id: secretId,
  secret: text({ description: "Shown this once.", example: "whsec_bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGUuLi4=" }),
  previous_expires_at: time("When the secret before signs no more, or 0."),
});
