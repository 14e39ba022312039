import { Pool } from "undici";
import { type Clock, ok, type Result, refused, uuid7 } from "#kernel/index.ts";

/** Everything that is printed on a card, as the vault reveals it to the one who plays its holder. */
export interface RevealedCard {
  readonly pan: string;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly cvv: string;
}

export interface TerminalDeps {
  /** Port to the vault: `revealForSandboxNetwork`. */
  readonly reveal: (card: {
    readonly merchantId: number;
    readonly cardNo: string;
  }) => Promise<Result<RevealedCard, "card_unknown">>;
  readonly clock: Clock;
  /** Where the network front listens, e.g. `http://127.0.0.1:8090`; asked when the first purchase is made. */
  readonly networkUrl: () => string;
  readonly networkToken: string;
}

/** A shop, as it names itself to the network. */
export interface Shop {
  readonly name: string;
  readonly mcc: string;
  readonly city: string;
  readonly country: string;
}

/** What is played at a terminal. Amounts are decimal texts, as a terminal shows them. */
export interface TerminalPurchase {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly amount: string;
  readonly currency: string;
  /** What the network converted the amount to, in the card's currency. */
  readonly billingAmount?: string;
  readonly kind: "purchase" | "atm";
  readonly wallet: boolean;
  readonly shop: Shop;
  /** The same reference again is the same message again. A new one when absent. */
  readonly networkReference?: string;
  readonly wrongCvv?: boolean;
  readonly wrongExpiry?: boolean;
}

/** What the network answered. */
export interface TerminalReceipt {
  readonly networkReference: string;
  readonly approved: boolean;
  /** ISO 8583 field 39. */
  readonly responseCode: string;
  /** A decline's reason; empty when approved. */
  readonly reason: string;
  readonly consumeNo: string;
  readonly repeat: boolean;
  /** Milliseconds that the platform took. */
  readonly platformMs: number;
  /** Milliseconds from the first byte to the last, as the terminal saw it. */
  readonly terminalMs: number;
}

export type PurchaseRefusal =
  | { readonly kind: "card_unknown" }
  | { readonly kind: "too_many_purchases" }
  /** No network front, or one that does not decide now. */
  | { readonly kind: "network_unavailable" }
  /** The front did not understand the message. `field` in the words of the network front. */
  | { readonly kind: "not_accepted"; readonly field: string; readonly message: string };

export interface Terminal {
  purchase(purchase: TerminalPurchase): Promise<Result<TerminalReceipt, PurchaseRefusal>>;
  close(): Promise<void>;
}

const connectionsMax = 64;
const purchasesInFlightMax = 512;
/** Far above the 800 ms of a merchant's answer: a terminal waits longer than anything that is worth waiting for. */
const answerTimeoutMs = 15_000;
const answerBytesMax = 16 * 1024;
const authorizationsPath = "/network/v1/authorizations";

/** A shop's terminal that reaches the platform as the card network does: by HTTP, with the number that is printed on the card. */
export function createTerminal(deps: TerminalDeps): Terminal {
  let pool: Pool | null = null;
  let inFlight = 0;
  return {
    purchase: async (purchase) => {
      if (inFlight >= purchasesInFlightMax) {
        return refused({ kind: "too_many_purchases" });
      }
      inFlight += 1;
      try {
        pool ??= new Pool(new URL(deps.networkUrl()).origin, {
          connections: connectionsMax,
          headersTimeout: answerTimeoutMs,
          bodyTimeout: answerTimeoutMs,
          maxResponseSize: answerBytesMax,
        });
        return await play(deps, pool, purchase);
      } finally {
        inFlight -= 1;
      }
    },
    close: async () => {
      await pool?.close();
    },
  };
}

async function play(
  deps: TerminalDeps,
  network: Pool,
  purchase: TerminalPurchase,
): Promise<Result<TerminalReceipt, PurchaseRefusal>> {
  const card = await deps.reveal({ merchantId: purchase.merchantId, cardNo: purchase.cardNo });
  if (!card.ok) {
    return refused({ kind: "card_unknown" });
  }
  const networkReference = purchase.networkReference ?? `sandbox-${uuid7(deps.clock.now())}`;
  const startedAt = performance.now();
  const answer = await send(network, {
    token: deps.networkToken,
    body: JSON.stringify(messageOf({ purchase, networkReference, card: card.value })),
  });
  const terminalMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
  if (answer === null || answer.status >= 500 || answer.status === 401) {
    return refused({ kind: "network_unavailable" });
  }
  return answer.status === 200
    ? receiptOf(answer.json, { networkReference, terminalMs })
    : refused(notAccepted(answer.json));
}

function messageOf(sale: {
  readonly purchase: TerminalPurchase;
  readonly networkReference: string;
  readonly card: RevealedCard;
}): object {
  const { purchase, card } = sale;
  return {
    network_reference: sale.networkReference,
    pan: card.pan,
    cvv: purchase.wrongCvv === true ? otherCvv(card.cvv) : card.cvv,
    expiry: purchase.wrongExpiry === true ? { ...card.expiry, year: otherYear(card.expiry.year) } : card.expiry,
    kind: purchase.kind,
    wallet: purchase.wallet,
    amount: purchase.amount,
    currency: purchase.currency,
    ...(purchase.billingAmount === undefined ? {} : { billing_amount: purchase.billingAmount }),
    merchant: purchase.shop,
  };
}

const otherCvv = (cvv: string) => String((Number(cvv) + 1) % 1000).padStart(3, "0");
const otherYear = (year: number) => (year < 2099 ? year + 1 : year - 1);

/** Null when nobody answers, not in time, or not JSON. */
async function send(
  network: Pool,
  message: { readonly token: string; readonly body: string },
): Promise<{ readonly status: number; readonly json: unknown } | null> {
  try {
    const { statusCode, body } = await network.request({
      method: "POST",
      path: authorizationsPath,
      headers: { authorization: `Bearer ${message.token}`, "content-type": "application/json" },
      body: message.body,
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    return { status: statusCode, json: await body.json() };
  } catch {
    return null;
  }
}

function receiptOf(
  json: unknown,
  own: Pick<TerminalReceipt, "networkReference" | "terminalMs">,
): Result<TerminalReceipt, PurchaseRefusal> {
  const answer = fieldsOf(json);
  const { approved, repeat } = answer;
  if (typeof approved !== "boolean" || typeof repeat !== "boolean") {
    return refused({ kind: "network_unavailable" });
  }
  return ok({
    ...own,
    approved,
    repeat,
    responseCode: textOf(answer["response_code"]),
    reason: textOf(answer["reason"]),
    consumeNo: textOf(answer["consume_no"]),
    platformMs: typeof answer["elapsed_ms"] === "number" ? answer["elapsed_ms"] : 0,
  });
}

function notAccepted(json: unknown): PurchaseRefusal {
  const error = fieldsOf(fieldsOf(json)["error"]);
  return { kind: "not_accepted", field: textOf(error["field"]), message: textOf(error["message"]) };
}

const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === "object" && json !== null ? Object.fromEntries(Object.entries(json)) : {};

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
