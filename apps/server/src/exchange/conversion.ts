import { type CurrencyCode, convert as convertCurrencies, type Rate } from "@cardwright/money";

/**
 * A purchase's amount in USD cents: exact, rounded once, half up. `amount` is in minor units of `from` (yen of JPY, fils of KWD), the
 * rate is for one whole unit, so the currency's decimals are taken into account here.
 */
export function convert({
  amount,
  from,
  rate,
}: {
  readonly amount: bigint;
  readonly from: CurrencyCode;
  readonly rate: Rate;
}): bigint {
  return convertCurrencies({ minor: amount, from, to: "USD", rate });
}
