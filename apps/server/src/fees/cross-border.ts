import type { Rate } from "@cardwright/money";

/** The platform's two units of account stand at par (contract section 9, Money), so between them nothing is exchanged. */
const atPar: readonly string[] = ["USD", "TUSDT"];

/** Any transaction not in the card's currency is cross-border, wherever the shop is (contract section 3.1). ISO 4217 codes. */
export function isCrossBorder(currencies: { readonly transaction: string; readonly card: string }): boolean {
  const { transaction, card } = currencies;
  return transaction !== card && !(atPar.includes(transaction) && atPar.includes(card));
}

/**
 * What a cross-border transaction pays as `Exchange_fee`: the difference between the two rates. A cross-border rate below
 * the domestic one gives zero, because `Consume_fee` shows the domestic rate and a row cannot be negative.
 */
export function exchangeRate(rates: { readonly consumeRate: Rate; readonly crossConsumeRate: Rate }): Rate {
  const scale = Math.max(rates.consumeRate.scale, rates.crossConsumeRate.scale);
  const difference = unitsAt(rates.crossConsumeRate, scale) - unitsAt(rates.consumeRate, scale);
  return { units: difference > 0n ? difference : 0n, scale };
}

function unitsAt(rate: Rate, scale: number): bigint {
  return rate.units * 10n ** BigInt(scale - rate.scale);
}
