import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ExampleMerchant, startExampleMerchant } from "@cardwright/example-merchant";
import { createProgramme, enrolMerchant, type OperatorDesk, setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import type { SandboxMerchant } from "../../scripts/sandbox/settings.ts";
import { folderOfTest } from "./processes.ts";

/** A callback as it came in. */
export interface Callback {
  readonly id: string;
  readonly action: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where a merchant receives callbacks: says yes to everything, as slowly as a test wants. */
export interface CallbackListener {
  readonly url: string;
  /** Milliseconds until a callback is answered; null: never. At once, until a test says otherwise. */
  answerAfterMs: (callback: Callback) => number | null;
  callbacks(): readonly Callback[];
  /** Consumption pushes about it, as `status` or `status remark`, oldest first. */
  told(consumeNo: string): string[];
  close(): Promise<void>;
}

export async function listenForCallbacks(): Promise<CallbackListener> {
  const received: Callback[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const callback: Callback = JSON.parse(Buffer.concat(pieces).toString("utf8"));
      received.push(callback);
      const wait = listener.answerAfterMs(callback);
      if (wait !== null) {
        void sleep(wait).then(() => response.end('{"code":0,"message":""}'));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const listener: CallbackListener = {
    url: `http://127.0.0.1:${port}/callback`,
    answerAfterMs: () => 0,
    callbacks: () => received,
    told: (consumeNo) =>
      received
        .filter(({ action, data }) => action === "Consumption" && data["consume_no"] === consumeNo)
        .map(({ data }) => `${String(data["status"])} ${String(data["remark"])}`.trim()),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return listener;
}

/** A merchant of a running sandbox with a cardholder and an active virtual card, whose callbacks a listener receives. */
export interface CardMerchant {
  readonly account: SandboxMerchant;
  readonly cardNo: string;
  readonly listener: CallbackListener;
  /** Plays a shop: answers the receipt of `POST /sandbox/v1/purchases` and its HTTP status. */
  buy(amount: string, options?: { readonly networkReference?: string }): Promise<Receipt>;
  close(): Promise<void>;
}

export interface Receipt {
  readonly status: number;
  readonly approved: boolean;
  readonly reason: string;
  readonly consumeNo: string;
}

/** Enrols a merchant at the operator's desk and opens a card through the example merchant, as a customer of it would. */
export async function enrolWithCard(options: {
  readonly desk: OperatorDesk;
  readonly kycUrl: string;
  readonly mode: SandboxMerchant["mode"];
}): Promise<CardMerchant> {
  const { desk, kycUrl, mode } = options;
  const programme = await createProgramme(desk);
  const account = await enrolMerchant(desk, { name: "Test merchant", mode, programme });
  const example = await startExampleMerchant({
    port: 0,
    database: join(await folderOfTest(), "books.sqlite"),
    platformUrl: desk.apiUrl,
    kycUrl,
    apiKey: account.apiKey,
    apiSecret: account.apiSecret,
    webhookSecret: account.webhookSecret,
    appId: account.appId,
    mode,
    cardProduct: account.productNo,
  });
  const listener = await listenForCallbacks();
  // First: what opening the card pushes must find an address.
  await setCallbackUrl(desk, { merchantNo: account.merchantNo, callbackUrl: listener.url });
  const cardNo = await openCard(example);
  await example.close();
  return {
    account,
    cardNo,
    listener,
    buy: async (amount, { networkReference } = {}) => {
      const body = { card_no: cardNo, amount, ...(networkReference && { network_reference: networkReference }) };
      const answer = await postJson(`${desk.apiUrl}/sandbox/v1/purchases`, { "Api-Key": account.apiKey }, body);
      const { approved, reason, consume_no: consumeNo } = answer.json;
      const text = (value: unknown) => (typeof value === "string" ? value : "");
      return {
        status: answer.status,
        approved: approved === true,
        reason: text(reason),
        consumeNo: text(consumeNo),
      };
    },
    close: () => listener.close(),
  };
}

async function openCard(example: ExampleMerchant): Promise<string> {
  const form = { name: "Ada Lovelace", email: "ada@example.com", balance: "1000.00" };
  const user = await postJson(`${example.url}/users`, {}, form);
  const card = await postJson(`${example.url}/users/${String(user.json["id"])}/cards`, {}, { type: "Virtual" });
  if (card.status !== 201) {
    throw new Error(`no card was opened: ${JSON.stringify(user.json)} ${JSON.stringify(card.json)}`);
  }
  return String(card.json["card_no"]);
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Readonly<Record<string, unknown>>;
}

export async function postJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<JsonAnswer> {
  return readJson(
    await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    }),
  );
}

export async function getJson(url: string, headers: Readonly<Record<string, string>> = {}): Promise<JsonAnswer> {
  return readJson(await fetch(url, { headers }));
}

async function readJson(response: Response): Promise<JsonAnswer> {
  const json: unknown = await response.json();
  const isObject = typeof json === "object" && json !== null;
  return {
    status: response.status,
    headers: response.headers,
    json: isObject ? Object.fromEntries(Object.entries(json)) : {},
  };
}
