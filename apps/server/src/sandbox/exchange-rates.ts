import type { Exchange } from "#exchange/index.ts";

/**
 * USD for one unit, near what they were worth in 2026 and easy to reckon with: for playing, not for pricing. Currencies with 0, 2 and 3
 * decimals are among them.
 */
export const sandboxRates: Readonly<Record<string, string>> = {
  AED: "0.2723",
  AUD: "0.66",
  BHD: "2.65",
  BRL: "0.18",
  CAD: "0.73",
  CHF: "1.12",
  CLP: "0.00105",
  CNY: "0.14",
  CZK: "0.043",
  DKK: "0.145",
  EUR: "1.08",
  GBP: "1.27",
  HKD: "0.128",
  IDR: "0.000061",
  INR: "0.0119",
  JOD: "1.41",
  JPY: "0.0064",
  KRW: "0.00072",
  KWD: "3.25",
  MXN: "0.055",
  MYR: "0.225",
  NOK: "0.093",
  NZD: "0.605",
  OMR: "2.6",
  PHP: "0.0172",
  PLN: "0.25",
  SAR: "0.2667",
  SEK: "0.095",
  SGD: "0.74",
  THB: "0.0285",
  TND: "0.32",
  TRY: "0.029",
  TWD: "0.031",
  VND: "0.000039",
  ZAR: "0.054",
};

/** Fills the rate table of a sandbox that has none, so that its shops can sell in any of these currencies from the first start on. */
export async function seedExchangeRates(exchange: Pick<Exchange, "seed">): Promise<boolean> {
  const list = Object.entries(sandboxRates).map(([currency, rate]) => ({ currency, rate }));
  return exchange.seed({ source: "sandbox", rates: list }, { actor: "sandbox" });
}
