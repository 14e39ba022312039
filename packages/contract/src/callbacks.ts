/** Callbacks, platform → merchant (contract section 6). Key order here is the order on the wire. */
import { z } from "zod";
import { CALLBACK_ACTIONS, CARD_STATUSES, type CallbackAction } from "./constants.ts";
import {
  consumeNo,
  consumeRelateNo,
  consumptionType,
  detail,
  feeType,
  localCurrency,
  merchantInfo,
  remark,
  transactionStatus,
} from "./schemas/consumption.ts";
import { cardholderNo, cardNo, described, oneOf, text, time } from "./schemas/field.ts";

/** Header names of every callback. */
export const CALLBACK_HEADERS = {
  timestamp: "Timestamp",
  signature: "Signature",
  signVersion: "Sign-Version",
  timezone: "Timezone",
} as const;
/** Beside them for a merchant with a webhook secret: Standard Webhooks, over the whole body (contract section 8). */
export const STANDARD_WEBHOOK_HEADERS = {
  id: "webhook-id",
  timestamp: "webhook-timestamp",
  signature: "webhook-signature",
} as const;
/** The fixed values of two of the first. */
export const CALLBACK_SIGN_VERSION = "V1";
export const CALLBACK_TIMEZONE = "UTC+8";

const money = (description: string, example: number): z.ZodNumber =>
  described(z.number(), { description: `${description} A JSON number in its shortest form.`, example });

const amounts = {
  amount: money("Amount in the card's currency, without fees.", 100),
  local_amount: money("Amount in the shop's currency.", 92.5),
  local_currency: localCurrency,
};

export const authData = z.object({
  consume_no: consumeNo,
  card_no: cardNo,
  cardholder_no: cardholderNo,
  type: consumptionType,
  ...amounts,
  merchant_info: merchantInfo,
  status: described(z.literal("Pending"), { description: "Always `Pending`.", example: "Pending" }),
  time: time("When the purchase arrived."),
});

export const consumptionData = z.object({
  consume_no: consumeNo,
  consume_relate_no: consumeRelateNo,
  card_no: cardNo,
  cardholder_no: cardholderNo,
  type: consumptionType,
  ...amounts,
  fee: money("Sum of `fee_detail`.", 1),
  remark,
  detail,
  fee_detail: described(z.array(z.object({ amount: money("The fee.", 1), fee_type: feeType })), {
    description: "The fees above zero.",
  }),
  merchant_info: merchantInfo,
  status: transactionStatus,
  time: time("When this change happened."),
});

const cardStatus = oneOf(CARD_STATUSES, { description: "Status of the card.", example: "Activated" });

export const cardUpdateData = z.object({
  card_no: cardNo,
  before_status: cardStatus,
  after_status: cardStatus.meta({ examples: ["Frozen"] }),
  reason: text({ description: "Why; may be empty.", example: "" }),
  time: time("When the status changed."),
});

export type AuthData = z.infer<typeof authData>;
export type ConsumptionData = z.infer<typeof consumptionData>;
export type CardUpdateData = z.infer<typeof cardUpdateData>;
export interface CallbackData {
  Auth: AuthData;
  Consumption: ConsumptionData;
  Card_update: CardUpdateData;
}

const pushId = text({
  description: "Number of the push. A repeated push has the same one. Not covered by the signature.",
  example: "7f1c0a4e9b2d4c6f8a1b3d5e7f901234",
});

function body<const Action extends CallbackAction, Data extends z.ZodType>(action: Action, data: Data) {
  return z.object({
    id: pushId,
    action: described(z.literal(action), { description: "What the push is about.", example: action }),
    data,
  });
}

export const authCallback = body("Auth", authData);
export const consumptionCallback = body("Consumption", consumptionData);
export const cardUpdateCallback = body("Card_update", cardUpdateData);
export const callbackBody = z.discriminatedUnion("action", [authCallback, consumptionCallback, cardUpdateCallback]);
export type CallbackBody = z.infer<typeof callbackBody>;

/** The merchant's answer. `code` must be the JSON number 0 and the HTTP status 2xx, everything else is a failure. */
export const callbackAnswer = z.object({
  code: described(z.int(), { description: "0 is yes or received; anything else is no or failed.", example: 0 }),
  message: text({ description: "For people. Note that it is `message` here.", example: "" }).optional(),
});
export type CallbackAnswer = z.infer<typeof callbackAnswer>;

export interface CallbackDefinition {
  readonly action: CallbackAction;
  readonly summary: string;
  readonly description: string;
  readonly body: z.ZodObject;
}

const definitions: Readonly<Record<CallbackAction, Omit<CallbackDefinition, "action">>> = {
  Auth: {
    summary: "May this purchase go through?",
    description:
      "Authorization mode, synchronous. The whole answer must be there 800 ms after we hand the request to the connection. Late, unreachable, not JSON or a `code` other than 0: the purchase fails, or your own time-out policy applies.",
    body: authCallback,
  },
  Consumption: {
    summary: "A consumption was created or changed",
    description:
      "Asynchronous, at least once: on creation, on each change of status, and again once fees and shop are complete; so several pushes for one `consume_no`. Pushes about one card arrive in order.",
    body: consumptionCallback,
  },
  Card_update: {
    summary: "A card's status changed",
    description: "Asynchronous, at least once. A new card is first reported when it leaves `Pending`.",
    body: cardUpdateCallback,
  },
};

export const callbacks: readonly CallbackDefinition[] = CALLBACK_ACTIONS.map((action) => ({
  action,
  ...definitions[action],
}));
