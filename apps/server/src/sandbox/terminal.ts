import { type Clock, ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import {
  createNetworkLine,
  type LineRefusal,
  millisecondsOf,
  type NetworkLine,
  type NetworkLineDeps,
  textOf,
} from "./network-line.ts";

/** Everything that is printed on a card, as the vault reveals it to the one who plays its holder. */
export interface RevealedCard {
  readonly pan: string;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly cvv: string;
}

/** A message that moved money between the network and us, for the network's own books (its settlement file). */
export interface SaidMessage {
  readonly networkReference: string;
  readonly originalReference: string;
  readonly merchantId: number;
  readonly kind: "clearing" | "refund" | "reversal";
  readonly lastFour: string;
  /** Decimal texts; empty when the message named no amount. */
  readonly amount: string;
  readonly currency: string;
  /** In US dollars, where the message said it. */
  readonly settledUsd: string;
  /** What became of it, as the platform answered. */
  readonly effect: string;
  /** Unix ms. */
  readonly at: number;
}

export interface TerminalDeps extends NetworkLineDeps {
  /** Port to the vault: `revealForSandboxNetwork`. */
  readonly reveal: (card: {
    readonly merchantId: number;
    readonly cardNo: string;
  }) => Promise<Result<RevealedCard, "card_unknown">>;
  readonly clock: Clock;
  /** Told of every new message that the platform accepted and that will be settled. */
  readonly recordSent?: (sent: SaidMessage) => Promise<void>;
}

/** A shop, as it names itself to the network. */
export interface Shop {
  readonly name: string;
  readonly mcc: string;
  readonly city: string;
  readonly country: string;
}

interface CardMessage {
  readonly merchantId: number;
  readonly cardNo: string;
  /** The same reference again is the same message again. A new one when absent. */
  readonly networkReference?: string;
}

interface ConvertedAmount {
  /** Decimal texts, as a terminal shows them. */
  readonly amount: string;
  readonly currency: string;
  /** What the network converted the amount to, in the card's currency. */
  readonly billingAmount?: string;
  /** Decimal text: what one unit of the currency is in the card's. */
  readonly exchangeRate?: string;
}

/** An authorization that is played at a terminal. */
export interface TerminalPurchase extends CardMessage, ConvertedAmount {
  readonly kind: "purchase" | "atm" | "balance_inquiry" | "refund";
  readonly wallet: boolean;
  readonly shop: Shop;
  readonly wrongCvv?: boolean;
  readonly wrongExpiry?: boolean;
  readonly partialAllowed?: boolean;
  /** One of a series that the cardholder agreed to once. */
  readonly recurring?: boolean;
  /** The network reference of the authorization that this one adds to. */
  readonly incrementOf?: string;
}

export interface TerminalClearing extends CardMessage, ConvertedAmount {
  readonly kind: "purchase" | "atm" | "refund";
  readonly shop: Shop;
  /** Of the authorization, or for a refund of the purchase; absent when there is none. */
  readonly originalReference?: string;
  /** False: more parts will follow. */
  readonly final: boolean;
}

export interface TerminalReversal extends CardMessage {
  readonly originalReference: string;
  /** How much is given back, in the transaction's currency; everything that is left when absent. */
  readonly amount?: string;
  readonly billingAmount?: string;
}

/** What the network answered to an authorization. */
export interface TerminalReceipt {
  readonly networkReference: string;
  readonly approved: boolean;
  /** ISO 8583 field 39. */
  readonly responseCode: string;
  /** The part that was approved; empty when it was all of it. */
  readonly approvedAmount: string;
  /** A decline's reason; empty when approved. */
  readonly reason: string;
  readonly consumeNo: string;
  /** Of a balance inquiry; empty otherwise. */
  readonly balance: string;
  readonly repeat: boolean;
  /** Milliseconds that the platform took. */
  readonly platformMs: number;
  /** Milliseconds from the first byte to the last, as the terminal saw it. */
  readonly terminalMs: number;
}

/** What the platform answered to a message that tells what has happened: it cannot be declined. */
export interface NetworkReceipt {
  readonly networkReference: string;
  readonly accepted: boolean;
  /** What became of it, e.g. `cleared`, `over_captured`, `reversed_after_clearing`; or why it was not accepted. */
  readonly effect: string;
  readonly consumeNo: string;
  readonly repeat: boolean;
  readonly platformMs: number;
  readonly terminalMs: number;
}

export type PurchaseRefusal = { readonly kind: "card_unknown" } | LineRefusal;

/** Everything that a card network sends about a card. */
export interface Terminal {
  purchase(purchase: TerminalPurchase): Promise<Result<TerminalReceipt, PurchaseRefusal>>;
  /** The network tells that it approved in our stead. */
  advise(advice: TerminalPurchase): Promise<Result<NetworkReceipt, PurchaseRefusal>>;
  clear(clearing: TerminalClearing): Promise<Result<NetworkReceipt, PurchaseRefusal>>;
  reverse(reversal: TerminalReversal): Promise<Result<NetworkReceipt, PurchaseRefusal>>;
  close(): Promise<void>;
}

const paths = {
  authorization: "/network/v1/authorizations",
  advice: "/network/v1/advices",
  clearing: "/network/v1/clearings",
  reversal: "/network/v1/reversals",
} as const;

/** A terminal that reaches the platform as the card network does: by HTTP, with the number that is printed on the card. */
export function createTerminal(deps: TerminalDeps): Terminal {
  const line = createNetworkLine(deps);
  return {
    purchase: (purchase) => line.occupy(() => purchaseOver(line, { deps, purchase })),
    advise: (advice) =>
      line.occupy(() =>
        tell(line, { deps, message: advice, path: paths.advice, body: (card) => authorizationBody(advice, card) }),
      ),
    clear: (clearing) => line.occupy(() => clearOver(line, { deps, clearing })),
    reverse: (reversal) => line.occupy(() => reverseOver(line, { deps, reversal })),
    close: () => line.close(),
  };
}

type Told = Result<NetworkReceipt, PurchaseRefusal>;

async function purchaseOver(
  line: NetworkLine,
  { deps, purchase }: { readonly deps: TerminalDeps; readonly purchase: TerminalPurchase },
): Promise<Result<TerminalReceipt, PurchaseRefusal>> {
  const card = await deps.reveal(purchase);
  if (!card.ok) {
    return refused({ kind: "card_unknown" });
  }
  const networkReference = referenceOf(deps, purchase);
  const body = { network_reference: networkReference, ...authorizationBody(purchase, card.value) };
  const answer = await line.send({ path: paths.authorization, body });
  if (!answer.ok) {
    return refused(answer.reason);
  }
  const { fields, terminalMs } = answer;
  const { approved, repeat } = fields;
  if (typeof approved !== "boolean" || typeof repeat !== "boolean") {
    return refused({ kind: "network_unavailable" });
  }
  return ok({
    networkReference,
    approved,
    repeat,
    responseCode: textOf(fields["response_code"]),
    approvedAmount: textOf(fields["approved_amount"]),
    reason: textOf(fields["reason"]),
    consumeNo: textOf(fields["consume_no"]),
    balance: textOf(fields["balance"]),
    platformMs: millisecondsOf(fields["elapsed_ms"]),
    terminalMs,
  });
}

async function clearOver(
  line: NetworkLine,
  { deps, clearing }: { readonly deps: TerminalDeps; readonly clearing: TerminalClearing },
): Promise<Told> {
  return tell(line, {
    deps,
    message: clearing,
    path: paths.clearing,
    body: ({ pan }) => ({
      pan,
      kind: clearing.kind,
      original_reference: clearing.originalReference ?? "",
      ...amountFields(clearing),
      final: clearing.final,
      merchant: clearing.shop,
    }),
    settled: {
      kind: clearing.kind === "refund" ? "refund" : "clearing",
      originalReference: clearing.originalReference ?? "",
      amount: clearing.amount,
      currency: clearing.currency,
      settledUsd: clearing.billingAmount ?? (clearing.currency === "USD" ? clearing.amount : ""),
    },
  });
}

async function reverseOver(
  line: NetworkLine,
  { deps, reversal }: { readonly deps: TerminalDeps; readonly reversal: TerminalReversal },
): Promise<Told> {
  const { amount, billingAmount, originalReference } = reversal;
  return tell(line, {
    deps,
    message: reversal,
    path: paths.reversal,
    body: ({ pan }) => ({
      pan,
      original_reference: originalReference,
      ...(amount !== undefined && { amount }),
      ...(billingAmount !== undefined && { billing_amount: billingAmount }),
    }),
    settled: {
      kind: "reversal",
      originalReference,
      amount: amount ?? "",
      currency: "",
      settledUsd: billingAmount ?? "",
    },
  });
}

/** Sends a message that states a fact, and writes a new one into the network's books. */
async function tell(
  line: NetworkLine,
  told: {
    readonly deps: TerminalDeps;
    readonly message: CardMessage;
    readonly path: string;
    readonly body: (card: RevealedCard) => object;
    readonly settled?: Pick<SaidMessage, "kind" | "originalReference" | "amount" | "currency" | "settledUsd">;
  },
): Promise<Told> {
  const { deps, message } = told;
  const card = await deps.reveal(message);
  if (!card.ok) {
    return refused({ kind: "card_unknown" });
  }
  const networkReference = referenceOf(deps, message);
  const body = { network_reference: networkReference, ...told.body(card.value) };
  const answer = await line.send({ path: told.path, body });
  if (!answer.ok) {
    return refused(answer.reason);
  }
  const { fields, terminalMs } = answer;
  const { accepted } = fields;
  if (typeof accepted !== "boolean") {
    return refused({ kind: "network_unavailable" });
  }
  const repeat = fields["repeat"] === true;
  if (accepted && !repeat && told.settled !== undefined) {
    const lastFour = card.value.pan.slice(-4);
    const { merchantId } = message;
    const effect = textOf(fields["effect"]);
    await deps.recordSent?.({ ...told.settled, effect, networkReference, merchantId, lastFour, at: deps.clock.now() });
  }
  return ok({
    networkReference,
    accepted,
    effect: textOf(fields["effect"]),
    consumeNo: textOf(fields["consume_no"]),
    repeat,
    platformMs: millisecondsOf(fields["elapsed_ms"]),
    terminalMs,
  });
}

function referenceOf(deps: TerminalDeps, message: CardMessage): string {
  return message.networkReference ?? `sandbox-${uuid7(deps.clock.now())}`;
}

/** What an authorization and an advice have in common. What is not said is left out, as a plain terminal does. */
function authorizationBody(purchase: TerminalPurchase, card: RevealedCard): object {
  const { partialAllowed, recurring, incrementOf } = purchase;
  return {
    pan: card.pan,
    cvv: purchase.wrongCvv === true ? otherCvv(card.cvv) : card.cvv,
    expiry: purchase.wrongExpiry === true ? { ...card.expiry, year: otherYear(card.expiry.year) } : card.expiry,
    kind: purchase.kind,
    wallet: purchase.wallet,
    ...amountFields(purchase),
    ...(partialAllowed === true && { partial_allowed: true }),
    ...(recurring === true && { recurring: true }),
    ...(incrementOf !== undefined && { increment_of: incrementOf }),
    merchant: purchase.shop,
  };
}

function amountFields({ amount, currency, billingAmount, exchangeRate }: ConvertedAmount): object {
  return {
    amount,
    currency,
    ...(billingAmount !== undefined && { billing_amount: billingAmount }),
    ...(exchangeRate !== undefined && { exchange_rate: exchangeRate }),
  };
}

const otherCvv = (cvv: string) => String((Number(cvv) + 1) % 1000).padStart(3, "0");
const otherYear = (year: number) => (year < 2099 ? year + 1 : year - 1);
