import { once } from "node:events";
import { Cardwright } from "@cardwright/sdk";
import { createCallbackReceiver } from "./callbacks.ts";
import { openDatabase } from "./database.ts";
import { createMerchantServer } from "./server.ts";
import { createUsers, type Mode } from "./users.ts";

export interface ExampleMerchantOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Listens here only; 127.0.0.1 unless told, because the merchant's own pages have no log-in. */
  readonly host?: string;
  /** Its SQLite file, made when missing. */
  readonly database: string;
  readonly platformUrl: string;
  readonly apiKey: string;
  /** Signs the callbacks. */
  readonly apiSecret: string;
  readonly appId: string;
  /** `whsec_…`: with it, callbacks must have the signature over their whole body as well. */
  readonly webhookSecret?: string | undefined;
  readonly mode: Mode;
  /** package_no in credit mode, card_bin_no in authorization mode. */
  readonly cardProduct: string;
  readonly kycUrl: string;
  /** Unix ms; a sandbox whose clock is moved passes its own. */
  readonly now?: () => number;
}

export interface ExampleMerchant {
  readonly url: string;
  /** To be set as the merchant's callback URL on the platform. */
  readonly callbackUrl: string;
  /** Lets requests in flight finish for at most 5 s, then closes the database. */
  close(): Promise<void>;
}

/** Starts the merchant; rejects when the port is taken or the database file cannot be opened. */
export async function startExampleMerchant(options: ExampleMerchantOptions): Promise<ExampleMerchant> {
  const host = options.host ?? "127.0.0.1";
  const now = options.now ?? Date.now;
  const closing = new AbortController();
  const db = openDatabase(options.database);
  const { platformUrl, apiKey, apiSecret, appId, webhookSecret, mode } = options;
  const webhookSecrets = webhookSecret === undefined ? [] : [webhookSecret];
  const platform = new Cardwright({ baseUrl: platformUrl, apiKey, apiSecret, appId, webhookSecrets, now });
  const users = createUsers({ ...options, db, platform, now, closing: closing.signal });
  const receiveCallback = createCallbackReceiver({ db, mode, callbacks: platform.callbacks, now });
  const server = createMerchantServer({ db, mode, users, receiveCallback });
  try {
    await once(server.listen(options.port, host), "listening");
  } catch (error) {
    db.close();
    throw error;
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const url = `http://${host}:${port}`;
  const close = async (): Promise<void> => {
    closing.abort();
    const closed = once(server, "close");
    server.close();
    const cut = setTimeout(() => server.closeAllConnections(), 5000);
    await closed;
    clearTimeout(cut);
    db.close();
  };
  return { url, callbackUrl: `${url}/callback`, close };
}
