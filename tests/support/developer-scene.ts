import { createServer, type Server } from "node:http";
import { type ApiAnswer, startApi, type TestApi, type TestCredential, textAt } from "./api.ts";

/** A callback as the merchant's server got it. */
export interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: { readonly id: string; readonly action: string; readonly data: object };
}

/** A merchant's server that answers what a test wants. */
export interface MerchantServer {
  readonly url: string;
  readonly received: Received[];
  answer: { status: number; body: string };
  close(): Promise<void>;
}

export const takes = { status: 200, body: '{"code":0,"message":""}' };
export const refuses = { status: 500, body: "not today" };

export async function openMerchantServer(): Promise<MerchantServer> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString("utf8");
      received.push({ headers: request.headers, text, body: JSON.parse(text) });
      response.writeHead(merchant.answer.status).end(merchant.answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const merchant: MerchantServer = {
    url: `http://127.0.0.1:${port}/callback`,
    received,
    answer: takes,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return merchant;
}

/** A merchant with a server and an active card; its pushes are sent when a test says so. */
export interface DeveloperScene {
  readonly api: TestApi;
  readonly server: MerchantServer;
  readonly merchant: TestCredential;
  readonly cardNo: string;
  /** Paths are below `/developer/v1`; a POST has a body, if only an empty one. */
  get(path: string, credential?: TestCredential): Promise<ApiAnswer>;
  post(path: string, body?: object | string, options?: { language?: string; as?: TestCredential }): Promise<ApiAnswer>;
  /** Freezes the card or takes that back: one more push. */
  changeCard(): Promise<void>;
  /** Sends everything that is due. */
  deliver(): Promise<void>;
  close(): Promise<void>;
}

export async function openDeveloperScene(): Promise<DeveloperScene> {
  const api = await startApi();
  const server = await openMerchantServer();
  const merchant = await api.newMerchant("AUTHORIZATION", { callbackUrl: server.url });
  const cardBinNo = await api.newBin();
  await api.recharge(merchant, "100.00");
  const cardholderNo = await api.approvedCardholder(merchant);
  const applied = await api.post(merchant, "/card/apply", {
    card_bin_no: cardBinNo,
    cardholder_no: cardholderNo,
    card_unique_no: "card-1",
    card_type: "Virtual",
  });
  const cardNo = textAt(applied.data, "card_no");
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();
  // That the card is active is told, so that a test's own pushes come first.
  await api.rooms.callbacks.delivery.runDue();
  let frozen = false;
  return {
    api,
    server,
    merchant,
    cardNo,
    get: async (path, credential = merchant) =>
      api.call({ path: `/developer/v1${path}`, headers: await api.headersOf(credential) }),
    post: async (path, body = {}, { language, as = merchant } = {}) =>
      api.call({
        method: "POST",
        path: `/developer/v1${path}`,
        headers: { ...(await api.headersOf(as)), Language: language },
        body,
      }),
    changeCard: async () => {
      frozen = !frozen;
      const status = frozen ? "Frozen" : "Activated";
      const changed = await api.post(merchant, "/card/status/update", { card_no: cardNo, status });
      if (changed.code !== 0) throw new Error(`the card stays as it is: ${changed.text}`);
    },
    deliver: async () => {
      await api.rooms.callbacks.delivery.runDue();
    },
    close: async () => {
      await server.close();
      await api.close();
    },
  };
}
