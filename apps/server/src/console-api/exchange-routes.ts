import { formatRate, isCurrency } from "@cardwright/money";
import { z } from "zod";
import { type Exchange, type ExchangeRate, exchangeLimits } from "#exchange/index.ts";
import { ok, refused } from "#kernel/index.ts";
import { pageOf, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const newRates = z.strictObject({
  source: z
    .string()
    .min(1)
    .max(exchangeLimits.sourceCharactersMax)
    .meta({ description: "Who says so; kept with every purchase that is converted by it.", examples: ["ecb"] }),
  valid_from: z
    .int()
    .min(0)
    .exactOptional()
    .meta({ description: "Unix time in milliseconds, at most 31 days from now to either side; now when absent." }),
  rates: z
    .array(
      z.strictObject({
        currency: z
          .string()
          .max(16)
          .meta({ examples: ["EUR"] }),
        rate: z
          .string()
          .max(32)
          .meta({
            description: "USD for one whole unit: above 0, at most 100, at most 12 decimals.",
            examples: ["1.08"],
          }),
      }),
    )
    .min(1)
    .max(exchangeLimits.ratesPerCallMax),
});

const rateAnswer = {
  currency: z.string(),
  rate: z.string().meta({ examples: ["1.08"] }),
  source: z.string(),
  valid_from: timeMs,
  created_at: timeMs,
};

/** The rate table: what currencies are worth in USD. */
export function exchangeRoutes({ exchange }: { readonly exchange: Exchange }): Route[] {
  return [
    route({
      method: "PUT",
      path: "/exchange-rates",
      summary: "Write exchange rates down",
      description:
        "For one or many currencies at once, all or none. Rates are never changed: each call adds what is valid from a moment on, and a correction is another call with the same `valid_from`. The same call with the same `valid_from` again adds nothing.",
      status: 200,
      body: newRates,
      answer: z.strictObject({ list: z.array(z.strictObject(rateAnswer)) }),
      refusals: [],
      handle: async ({ body, by }) => {
        const { source, valid_from: validFrom, rates } = body;
        const written = await exchange.put({ source, rates, ...(validFrom !== undefined && { validFrom }) }, by);
        return written.ok ? ok({ list: written.value.map(rateToWire) }) : written;
      },
    }),
    route({
      method: "GET",
      path: "/exchange-rates",
      summary: "List the rates that are valid now",
      status: 200,
      answer: z.strictObject({
        list: z.array(
          z.strictObject({
            ...rateAnswer,
            is_usable: z.boolean().meta({ description: "False for a rate that is too old: it converts nothing." }),
          }),
        ),
      }),
      refusals: [],
      handle: async () => {
        const current = await exchange.current();
        return ok({ list: current.map((rate) => ({ ...rateToWire(rate), is_usable: rate.isUsable })) });
      },
    }),
    route({
      method: "GET",
      path: "/exchange-rates/{currency}",
      summary: "List a currency's rates, newest first",
      description: "Those that will be valid later come first.",
      status: 200,
      params: z.strictObject({ currency: publicNumber }),
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ list: z.array(z.strictObject(rateAnswer)) }),
      refusals: ["currency_unknown"],
      handle: async ({ params, query }) => {
        const { currency } = params;
        if (!isCurrency(currency)) return refused("currency_unknown");
        return ok({ list: (await exchange.history({ currency, ...pageOf(query) })).map(rateToWire) });
      },
    }),
  ];
}

function rateToWire(rate: ExchangeRate) {
  return {
    currency: rate.currency,
    rate: formatRate(rate.rate),
    source: rate.source,
    valid_from: rate.validFrom,
    created_at: rate.createdAt,
  };
}
