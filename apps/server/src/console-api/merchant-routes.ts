import { MERCHANT_MODES } from "@cardwright/contract";
import { decimalsOf, formatAmount } from "@cardwright/money";
import { z } from "zod";
import type { Credit } from "#credit/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import {
  callbackUrlCharactersMax,
  cardFrameOriginsMax,
  type Merchant,
  type MerchantSettings,
  type Merchants,
  merchantStatuses,
  nameCharactersMax,
  oneLine,
  originCharactersMax,
  utcOffsetMinutesMax,
  utcOffsetMinutesMin,
} from "#merchants/index.ts";
import {
  creditPolicyAnswer,
  creditPolicyBody,
  creditPolicyFromWire,
  creditPolicyToWire,
} from "./credit-policy-wire.ts";
import {
  failurePolicyAnswer,
  failurePolicyBody,
  failurePolicyFromWire,
  failurePolicyToWire,
} from "./failure-policy-wire.ts";
import { merchantParams, pageOf, pageQuery, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const name = z.string().max(nameCharactersMax).regex(oneLine);
const settings = {
  callback_url: z
    .string()
    .max(callbackUrlCharactersMax)
    .exactOptional()
    .meta({ description: "Where callbacks go; empty for none.", examples: ["https://merchant.example/callback"] }),
  pci_enabled: z.boolean().exactOptional().meta({ description: "May receive and show card data." }),
  card_frame_origins: z
    .array(z.string().max(originCharactersMax))
    .max(cardFrameOriginsMax)
    .exactOptional()
    .meta({ description: "Origins of the pages that may embed the card frame." }),
  utc_offset_minutes: z
    .int()
    .min(utcOffsetMinutesMin)
    .max(utcOffsetMinutesMax)
    .exactOptional()
    .meta({ description: "Minutes east of UTC, 480 when absent: day boundaries of the limits of new cards." }),
  failure_policy: failurePolicyBody.exactOptional(),
  credit_policy: creditPolicyBody.exactOptional(),
};

const newMerchant = z.strictObject({ name, mode: z.enum(MERCHANT_MODES), ...settings });
const merchantChange = z.strictObject({
  name: name.exactOptional(),
  status: z
    .enum(merchantStatuses)
    .exactOptional()
    .meta({ description: "Disabled may become Active again; Closed is final." }),
  ...settings,
});

const merchantAnswer = z.strictObject({
  merchant_no: z.string(),
  name: z.string(),
  mode: z.enum(MERCHANT_MODES),
  status: z.enum(merchantStatuses),
  app_id: z.string(),
  callback_url: z.string(),
  pci_enabled: z.boolean(),
  card_frame_origins: z.array(z.string()),
  utc_offset_minutes: z.int(),
  failure_policy: failurePolicyAnswer,
  credit_policy: creditPolicyAnswer,
  created_at: timeMs,
});

const reserveAnswer = z.strictObject({
  currency: z.literal("USD"),
  available: z.string().meta({ description: "Can be spent.", examples: ["100.00"] }),
  held: z.string().meta({ description: "Held by authorizations.", examples: ["0.00"] }),
});

const creditAnswer = z.strictObject({
  currency: z.literal("TUSDT"),
  outstanding: z.string().meta({ description: "What all cardholders hold, bonus included.", examples: ["80.00"] }),
  reserve: z.string().meta({ description: "Available and held.", examples: ["100.00"] }),
  credit_policy: creditPolicyAnswer,
});

const settingsRefusals = [
  "name_invalid",
  "callback_url_invalid",
  "card_frame_origin_invalid",
  "utc_offset_invalid",
  "failure_policy_invalid",
  "credit_policy_invalid",
] as const;

export interface MerchantRouteDeps {
  readonly merchants: Merchants;
  readonly credit: Credit;
}

/** Merchants, their settings and their reserve. */
export function merchantRoutes({ merchants, credit }: MerchantRouteDeps): Route[] {
  return [
    route({
      method: "POST",
      path: "/merchants",
      summary: "Create a merchant",
      description: "Also opens the ledger accounts of its mode. The mode cannot be changed later.",
      status: 201,
      body: newMerchant,
      answer: merchantAnswer,
      refusals: settingsRefusals,
      handle: async ({ body, by }) => {
        const settings = settingsOf(body);
        if (!settings.ok) return settings;
        const made = await merchants.create({ name: body.name, mode: body.mode, ...settings.value }, by);
        return made.ok ? ok(merchantToWire(made.value)) : made;
      },
    }),
    route({
      method: "GET",
      path: "/merchants",
      summary: "List merchants, newest first",
      status: 200,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ list: z.array(merchantAnswer) }),
      refusals: [],
      handle: async ({ query }) => ok({ list: (await merchants.list(pageOf(query))).map(merchantToWire) }),
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}",
      summary: "Read a merchant",
      status: 200,
      params: merchantParams,
      answer: merchantAnswer,
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        return merchant === null ? refused("merchant_unknown") : ok(merchantToWire(merchant));
      },
    }),
    route({
      method: "PATCH",
      path: "/merchants/{merchant_no}",
      summary: "Change a merchant's settings or status",
      description: "What is not given stays as it is.",
      status: 200,
      params: merchantParams,
      body: merchantChange,
      answer: merchantAnswer,
      refusals: ["merchant_unknown", "merchant_closed", ...settingsRefusals],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const settings = settingsOf(body);
        if (!settings.ok) return settings;
        const { name, status } = body;
        const change = {
          ...(name !== undefined && { name }),
          ...(status !== undefined && { status }),
          ...settings.value,
        };
        const changed = await merchants.update({ merchantId: merchant.merchantId, change }, by);
        return changed.ok ? ok(merchantToWire(changed.value)) : changed;
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/reserve",
      summary: "Read a merchant's reserve",
      status: 200,
      params: merchantParams,
      answer: reserveAnswer,
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        const reserve = merchant === null ? null : await merchants.reserveOf(merchant.merchantId);
        if (reserve === null) return refused("merchant_unknown");
        const text = (minor: bigint): string => formatAmount(minor, decimalsOf("USD"));
        return ok({ currency: "USD" as const, available: text(reserve.available), held: text(reserve.held) });
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/credit",
      summary: "Read how much credit a merchant's cardholders hold, and what stands behind it",
      status: 200,
      params: merchantParams,
      answer: creditAnswer,
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { outstanding, reserve } = await credit.positionOf(merchant.merchantId);
        const text = (minor: bigint): string => formatAmount(minor, decimalsOf("TUSDT"));
        return ok({
          currency: "TUSDT" as const,
          outstanding: text(outstanding),
          reserve: text(reserve),
          credit_policy: creditPolicyToWire(merchant.creditPolicy),
        });
      },
    }),
  ];
}

function settingsOf(
  body: Omit<z.infer<typeof merchantChange>, "name" | "status">,
): Result<Partial<MerchantSettings>, "credit_policy_invalid"> {
  const { callback_url, pci_enabled, card_frame_origins, utc_offset_minutes, failure_policy, credit_policy } = body;
  const creditPolicy = credit_policy === undefined ? null : creditPolicyFromWire(credit_policy);
  if (creditPolicy?.ok === false) return creditPolicy;
  return ok({
    ...(callback_url !== undefined && { callbackUrl: callback_url }),
    ...(pci_enabled !== undefined && { pciEnabled: pci_enabled }),
    ...(card_frame_origins !== undefined && { cardFrameOrigins: card_frame_origins }),
    ...(utc_offset_minutes !== undefined && { utcOffsetMinutes: utc_offset_minutes }),
    ...(failure_policy !== undefined && { failurePolicy: failurePolicyFromWire(failure_policy) }),
    ...(creditPolicy !== null && { creditPolicy: creditPolicy.value }),
  });
}

function merchantToWire(merchant: Merchant): z.infer<typeof merchantAnswer> {
  return {
    merchant_no: merchant.merchantNo,
    name: merchant.name,
    mode: merchant.mode,
    status: merchant.status,
    app_id: merchant.appId,
    callback_url: merchant.callbackUrl,
    pci_enabled: merchant.pciEnabled,
    card_frame_origins: [...merchant.cardFrameOrigins],
    utc_offset_minutes: merchant.utcOffsetMinutes,
    failure_policy: failurePolicyToWire(merchant.failurePolicy),
    credit_policy: creditPolicyToWire(merchant.creditPolicy),
    created_at: merchant.createdAt,
  };
}
