import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import type { Choices } from "./random.ts";
import type { Place, Stand, StandCard } from "./stand.ts";

/** What the network was told about one message at one try. */
export type Told =
  | { readonly kind: "approved"; readonly consumeNo: string; readonly repeat: boolean }
  | { readonly kind: "declined"; readonly consumeNo: string; readonly reason: string; readonly repeat: boolean }
  /** The connection broke or was refused, or a status that is no decision. */
  | { readonly kind: "nothing"; readonly why: string };

/** A purchase that was sent to the platform, with everything that came back. */
export interface Message {
  readonly reference: string;
  readonly merchantId: number;
  readonly cardNo: string;
  readonly amountCents: number;
  readonly body: string;
  readonly told: Told[];
}

/** Remembers every message and every answer, as the network would. */
export interface Load {
  readonly messages: Message[];
  /** Stops sending; resolves when the last message under way has come to its end. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly stand: Stand;
  readonly choices: Choices;
  /** So many buyers, each of whom waits for its answer and then up to `pauseMsMax`. */
  readonly buyers: number;
  readonly pauseMsMax: number;
}

const path = "/network/v1/authorizations";
/** Longer than the platform takes for anything: 2 s of waiting for a first answer, 5 s for a connection to the database. */
const answerTimeoutMs = 20_000;
const messagesMax = 100_000;
/** A network asks again at once, elsewhere, half of the time; the rest it leaves for later. */
const retriedPercent = 50;
const noProcessPauseMs = 20;
const silencePauseMs = 250;

export function startLoad(options: LoadOptions): Load {
  const messages: Message[] = [];
  const stopping = new AbortController();
  const purchases = purchaseSource(options.stand, options.choices);
  const buy = async (): Promise<void> => {
    while (!stopping.signal.aborted && messages.length < messagesMax) {
      const place = runningPlace(options);
      if (place === null) {
        await sleep(noProcessPauseMs);
        continue;
      }
      const message = purchases();
      messages.push(message);
      const first = await send(options.stand, message, place);
      const other = runningPlace(options);
      if (first.kind === "nothing" && other !== null && options.choices.percent(retriedPercent)) {
        await send(options.stand, message, other);
      }
      // Whoever hears nothing does not come back at once: without a database that would be all there is.
      await sleep(first.kind === "nothing" ? silencePauseMs : options.choices.whole(0, options.pauseMsMax));
    }
  };
  const buyers = Array.from({ length: options.buyers }, buy);
  return {
    messages,
    stop: async () => {
      stopping.abort();
      await Promise.all(buyers);
    },
  };
}

/** A network process as far as is known: one that was just killed looks alive until the connection breaks. */
function runningPlace({ stand, choices }: LoadOptions): Place | null {
  const [first, ...others] = stand.places.filter(({ role, running }) => role === "network" && running !== null);
  return first === undefined ? null : choices.of([first, ...others]);
}

/** Mostly small amounts, now and then one that few can pay. */
function purchaseSource(stand: Stand, choices: Choices): () => Message {
  const cards = stand.merchants.flatMap((merchant) =>
    merchant.customers.flatMap((customer) => customer.cards.map((card) => ({ merchant, card }))),
  );
  const run = Date.now().toString(36);
  let serial = 0;
  return () => {
    const chosen = cards[choices.whole(0, cards.length - 1)];
    if (chosen === undefined) throw new Error("the stand has no cards");
    serial += 1;
    const amountCents = choices.percent(5) ? choices.whole(10_000, 90_000) : choices.whole(50, 990);
    const { merchantId } = chosen.merchant;
    return purchase({ reference: `${run}-${serial}`, merchantId, card: chosen.card, amountCents });
  };
}

export function purchase(wanted: {
  readonly reference: string;
  readonly merchantId: number;
  readonly card: StandCard;
  readonly amountCents: number;
}): Message {
  const { reference, merchantId, card, amountCents } = wanted;
  const { pan, expiry, cvv } = card.printed;
  const body = JSON.stringify({
    network_reference: reference,
    pan,
    expiry,
    cvv,
    kind: "purchase",
    amount: (amountCents / 100).toFixed(2),
    currency: "USD",
    merchant: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
  });
  return { reference, merchantId, cardNo: card.cardNo, amountCents, body, told: [] };
}

/** Sends a message once and writes down what came back. Never rejects. */
export async function send(stand: Stand, message: Message, place: Place): Promise<Told> {
  const told = await tryOnce(stand, message, place);
  message.told.push(told);
  return told;
}

async function tryOnce(stand: Stand, message: Message, { running }: Place): Promise<Told> {
  if (running === null) {
    return { kind: "nothing", why: "no process" };
  }
  try {
    const { statusCode, body } = await request(`${running.network}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${stand.networkToken}`, "content-type": "application/json" },
      body: message.body,
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const answer: unknown = await body.json();
    return statusCode === 200 ? toldOf(answer) : { kind: "nothing", why: `status ${statusCode}` };
  } catch (error) {
    return { kind: "nothing", why: error instanceof Error ? error.name : "unknown" };
  }
}

function toldOf(answer: unknown): Told {
  if (typeof answer !== "object" || answer === null || !("approved" in answer)) {
    return { kind: "nothing", why: "no answer of the network front" };
  }
  const { approved, reason, consume_no, repeat } = Object.fromEntries(Object.entries(answer));
  const [consumeNo, repeated] = [String(consume_no), repeat === true];
  return approved === true
    ? { kind: "approved", consumeNo, repeat: repeated }
    : { kind: "declined", consumeNo, reason: String(reason), repeat: repeated };
}

/** The last thing that the network knows about a message. */
export function lastTold({ told }: Message): Told {
  return told.findLast(({ kind }) => kind !== "nothing") ?? { kind: "nothing", why: "never answered" };
}
