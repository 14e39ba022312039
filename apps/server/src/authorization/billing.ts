import { convert, formatRate, isCurrency } from "@cardwright/money";
import type { UsedRate } from "#exchange/index.ts";
import type { AuthorizationRequest } from "./request.ts";

/** What a card is billed in; its two currencies are at par (contract section 9). */
const cardCurrencies: readonly string[] = ["USD", "TUSDT"];

/** The rate at which an amount was converted; decimal text. `network` is the source of a rate that the message gave. */
export interface Exchange {
  readonly rate: string;
  readonly source: string;
  readonly at: number;
}

export interface Billed {
  /** Minor units of the card's currency. */
  readonly amount: bigint;
  /** Null where both currencies are at par. */
  readonly exchange: Exchange | null;
}

/**
 * An amount of the network in the card's currency: what the network says it is, else by the network's rate, else by ours. Null when
 * nobody can tell; nothing is nothing in any currency.
 */
export async function billed(
  request: Pick<AuthorizationRequest, "amount" | "currency" | "billingAmount" | "exchangeRate">,
  options: { readonly rateOf: (currency: string) => Promise<UsedRate | null>; readonly now: number },
): Promise<Billed | null> {
  const { amount, currency, billingAmount, exchangeRate } = request;
  if (cardCurrencies.includes(currency) || amount === 0n) {
    return { amount, exchange: null };
  }
  const fromNetwork = { source: "network", at: options.now };
  if (billingAmount !== null) {
    // A message that gives both amounts has a rate, whether it names it or not; the amount is what counts.
    return {
      amount: billingAmount,
      exchange: { ...fromNetwork, rate: exchangeRate === null ? "" : formatRate(exchangeRate) },
    };
  }
  if (!isCurrency(currency)) {
    return null;
  }
  const quoted = exchangeRate === null ? await options.rateOf(currency) : { ...fromNetwork, rate: exchangeRate };
  return quoted === null
    ? null
    : {
        amount: convert({ minor: amount, from: currency, to: "USD", rate: quoted.rate }),
        exchange: { rate: formatRate(quoted.rate), source: quoted.source, at: quoted.at },
      };
}
