import { decimalsOf, formatAmount, parseAmount } from "@cardwright/money";
import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import { type Merchants, parseDay, type ReserveOutlook, type Reserves, zeroPolicyKinds } from "#merchants/index.ts";
import { reserve as bounds } from "../limits.ts";
import { merchantParams, publicNumber } from "./request-parts.ts";
import { CsvText, type Route, route } from "./route.ts";
import { statementAnswer, statementsToCsv, statementToWire } from "./statement-wire.ts";

const decimals = decimalsOf("USD");
const usd = (minor: bigint): string => formatAmount(minor, decimals);

/** At most 11 digits and two decimals, which `parseAmount` reads without loss. */
const amount = z.string().regex(/^(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,2})?$/u);

const zeroPolicy = z
  .strictObject({
    kind: z.enum(zeroPolicyKinds),
    amount: amount.exactOptional().meta({ description: "Of `grace`: how far below zero.", examples: ["500.00"] }),
  })
  .meta({ description: "`decline`: nothing is approved beyond zero. `grace`: down to that amount below zero." });

const settingsBody = z.strictObject({
  zero_policy: zeroPolicy.exactOptional(),
  thresholds: z.array(amount).max(bounds.thresholdsMax).exactOptional().meta({
    description: "Amounts below which the reserve is low: an event `reserve_low` each time it falls below one.",
  }),
});

const settingsAnswer = z.strictObject({
  zero_policy: z.strictObject({ kind: z.enum(zeroPolicyKinds), amount: z.string() }),
  thresholds: z.array(z.string()),
});

const outlookAnswer = z.strictObject({
  currency: z.literal("USD"),
  available: z.string().meta({ description: "Not held by anything.", examples: ["100.00"] }),
  held: z.string().meta({ description: "Held by authorizations.", examples: ["0.00"] }),
  spendable: z.string().meta({ description: "What purchases may still take: with the grace, if there is one." }),
  overdraft: z.string().meta({ description: "What could not be refused has taken it below that by so much." }),
  burn_per_day: z.string().meta({
    description: "What purchases, holds and costs, less refunds, take in a day at the rate of the last 7 days.",
  }),
  lasts_days: z.number().nullable().meta({ description: "Until nothing is available; null when nothing burns." }),
  ...settingsAnswer.shape,
});

const dayParam = z.string().regex(/^\d{4}-\d{2}-\d{2}$/u);
const format = z.enum(["json", "csv"]).exactOptional().meta({ description: "Goes before the header Accept." });

/** A merchant's reserve: how it stands, how it is run, and what its days were. */
export function reserveRoutes(deps: { readonly merchants: Merchants; readonly reserves: Reserves }): Route[] {
  const { merchants, reserves } = deps;
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/reserve",
      summary: "Read a merchant's reserve, and how long it lasts",
      status: 200,
      params: merchantParams,
      answer: outlookAnswer,
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        const outlook = merchant === null ? null : await reserves.outlook(merchant.merchantId);
        return outlook === null ? refused("merchant_unknown") : ok(outlookToWire(outlook));
      },
    }),
    route({
      method: "PATCH",
      path: "/merchants/{merchant_no}/reserve",
      summary: "Change the policy at zero and the warnings",
      description: "What is not given stays as it is.",
      status: 200,
      params: merchantParams,
      body: settingsBody,
      answer: settingsAnswer,
      refusals: ["merchant_unknown", "merchant_closed", "grace_invalid", "thresholds_invalid"],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { zero_policy: policy, thresholds } = body;
        const change = {
          ...(policy !== undefined && { zeroPolicy: { kind: policy.kind, grace: minorUnits(policy.amount ?? "0") } }),
          ...(thresholds !== undefined && { thresholds: thresholds.map(minorUnits) }),
        };
        const changed = await reserves.changeSettings({ merchantId: merchant.merchantId, change }, by);
        return changed.ok ? ok(settingsToWire(changed.value)) : changed;
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/reserve/statements",
      summary: "List daily statements, as JSON or CSV",
      description:
        "Rising days of the merchant's time zone: 31 that end with `to` (the present day when absent), or up to 366 from `from`.",
      status: 200,
      params: merchantParams,
      query: z.strictObject({ from: dayParam.exactOptional(), to: dayParam.exactOptional(), format }),
      answer: z.strictObject({ list: z.array(statementAnswer) }),
      refusals: ["merchant_unknown", "day_invalid"],
      handle: async ({ params, query, accept }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const range = rangeOf(query);
        if (!range.ok) return range;
        const list = await reserves.statements({ merchantId: merchant.merchantId, ...range.value });
        return wantsCsv(query.format, accept)
          ? ok(new CsvText(statementsToCsv(list)))
          : ok({ list: list.map(statementToWire) });
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/reserve/statements/{day}",
      summary: "Read the statement of a day, as JSON or CSV",
      status: 200,
      params: z.strictObject({ merchant_no: publicNumber, day: dayParam }),
      query: z.strictObject({ format }),
      answer: statementAnswer,
      refusals: ["merchant_unknown", "statement_unknown"],
      handle: async ({ params, query, accept }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const day = parseDay(params.day);
        if (day === null) return refused("statement_unknown");
        const { merchantId } = merchant;
        const [statement] = await reserves.statements({ merchantId, fromDay: day, toDay: day });
        if (statement === undefined) return refused("statement_unknown");
        return ok(
          wantsCsv(query.format, accept) ? new CsvText(statementsToCsv([statement])) : statementToWire(statement),
        );
      },
    }),
  ];
}

function rangeOf(query: {
  readonly from?: string;
  readonly to?: string;
}): Result<{ fromDay?: number; toDay?: number }, "day_invalid"> {
  const fromDay = query.from === undefined ? undefined : parseDay(query.from);
  const toDay = query.to === undefined ? undefined : parseDay(query.to);
  if (fromDay === null || toDay === null) return refused("day_invalid");
  const days = fromDay === undefined || toDay === undefined ? 1 : toDay - fromDay + 1;
  if (days < 1 || days > bounds.statementDaysMax) return refused("day_invalid");
  return ok({ ...(fromDay !== undefined && { fromDay }), ...(toDay !== undefined && { toDay }) });
}

/** `?format` decides; without it a caller that names CSV and not JSON gets CSV. */
function wantsCsv(asked: "json" | "csv" | undefined, accept: string): boolean {
  return asked === undefined
    ? /\btext\/csv\b/iu.test(accept) && !/\bapplication\/json\b/iu.test(accept)
    : asked === "csv";
}

function minorUnits(text: string): bigint {
  const parsed = parseAmount(text, decimals);
  if (!parsed.ok) throw new Error("the schema let an amount through that cannot be read");
  return parsed.value;
}

function settingsToWire(
  settings: Pick<ReserveOutlook, "zeroPolicy" | "grace" | "thresholds">,
): z.infer<typeof settingsAnswer> {
  return {
    zero_policy: { kind: settings.zeroPolicy, amount: usd(settings.grace) },
    thresholds: settings.thresholds.map(usd),
  };
}

function outlookToWire(outlook: ReserveOutlook): z.infer<typeof outlookAnswer> {
  return {
    currency: "USD",
    available: usd(outlook.available),
    held: usd(outlook.held),
    spendable: usd(outlook.spendable),
    overdraft: usd(outlook.overdraft),
    burn_per_day: usd(outlook.burnPerDay),
    lasts_days: outlook.lastsDays,
    ...settingsToWire(outlook),
  };
}
