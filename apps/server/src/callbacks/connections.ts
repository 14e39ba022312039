import { isIP } from "node:net";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { ok, type Result, refused } from "#kernel/index.ts";
import { callbackLimits } from "./limits.ts";
import { AddressNotPublic, isPublicAddress, publicLookup } from "./public-address.ts";

/** A merchant's own connections and the path on its server. */
export interface MerchantConnection {
  readonly dispatcher: Dispatcher;
  readonly path: string;
}

export type ConnectionRefusal = "url_invalid" | "https_required";

export interface Connections {
  /** The merchant's connections; makes them when the merchant is new or its URL points to another server. Opens nothing yet. */
  to(target: { readonly merchantId: number; readonly url: string }): Result<MerchantConnection, ConnectionRefusal>;
  /** Ends idle connections at once and the others when their request is over. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly allowPrivateAddresses: boolean;
  readonly connectionsOfMerchantMax?: number;
  readonly merchantsMax?: number;
}

interface Entry {
  readonly url: string;
  readonly origin: string;
  readonly pool: Pool;
  readonly connection: MerchantConnection;
}

interface State {
  readonly options: ConnectionOptions;
  readonly connector: buildConnector.connector;
  /** By merchant, the one that was used longest ago first. */
  readonly entries: Map<number, Entry>;
  /** Pools whose place was taken, until their last request is over. */
  readonly leaving: Set<Promise<void>>;
}

/**
 * One pool of keep-alive connections per merchant, so that a merchant only ever waits for itself, also when two of them share
 * a server. Redirects are not followed, certificates are verified, and in production every address is checked when connecting.
 */
export function createConnections(options: ConnectionOptions): Connections {
  const state: State = { options, connector: connectorFor(options), entries: new Map(), leaving: new Set() };
  return {
    to: (target) => connectionTo(state, target),
    close: () => closeAll(state),
  };
}

function connectorFor({ allowPrivateAddresses }: ConnectionOptions): buildConnector.connector {
  const tls = {
    allowH2: false,
    timeout: callbackLimits.connectMs,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
  } as const;
  if (allowPrivateAddresses) {
    return buildConnector(tls);
  }
  const connect = buildConnector({ ...tls, lookup: publicLookup() });
  return (options, callback) => {
    // A literal address is never looked up, so the resolver does not see it.
    if (isIP(options.hostname) !== 0 && !isPublicAddress(options.hostname)) {
      queueMicrotask(() => callback(new AddressNotPublic(), null));
      return;
    }
    connect(options, callback);
  };
}

function connectionTo(
  state: State,
  { merchantId, url }: { readonly merchantId: number; readonly url: string },
): Result<MerchantConnection, ConnectionRefusal> {
  const known = state.entries.get(merchantId);
  if (known !== undefined && known.url === url) {
    state.entries.delete(merchantId);
    state.entries.set(merchantId, known);
    return ok(known.connection);
  }
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    return refused("url_invalid");
  }
  if (parsed.protocol === "http:" && !state.options.allowPrivateAddresses) {
    return refused("https_required");
  }
  const entry = newEntry(state, { url, parsed, known });
  state.entries.delete(merchantId);
  state.entries.set(merchantId, entry);
  if (known !== undefined && known.pool !== entry.pool) {
    leave(state, known.pool);
  }
  dropLeastUsed(state);
  return ok(entry.connection);
}

function newEntry(
  state: State,
  { url, parsed, known }: { readonly url: string; readonly parsed: URL; readonly known: Entry | undefined },
): Entry {
  const pool = known?.origin === parsed.origin ? known.pool : newPool(state, parsed.origin);
  return { url, origin: parsed.origin, pool, connection: { dispatcher: pool, path: parsed.pathname + parsed.search } };
}

function newPool({ connector, options }: State, origin: string): Pool {
  return new Pool(origin, {
    connect: connector,
    allowH2: false,
    connections: options.connectionsOfMerchantMax ?? callbackLimits.connectionsOfMerchantMax,
    pipelining: 1,
    keepAliveTimeout: callbackLimits.keepAliveMs,
    keepAliveMaxTimeout: callbackLimits.keepAliveMsMax,
    maxHeaderSize: callbackLimits.headerBytesMax,
    // The deadline of each exchange is exact; these two may be off by half a second.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function dropLeastUsed(state: State): void {
  const merchantsMax = state.options.merchantsMax ?? callbackLimits.merchantsConnectedMax;
  for (const [merchantId, { pool }] of state.entries) {
    if (state.entries.size <= merchantsMax) {
      return;
    }
    state.entries.delete(merchantId);
    leave(state, pool);
  }
}

function leave(state: State, pool: Pool): void {
  const left: Promise<void> = pool.close().finally(() => state.leaving.delete(left));
  state.leaving.add(left);
}

async function closeAll(state: State): Promise<void> {
  for (const { pool } of state.entries.values()) {
    leave(state, pool);
  }
  state.entries.clear();
  await Promise.all(state.leaving);
}
