import { isIP } from "node:net";
import { performance } from "node:perf_hooks";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { ok, type Result, refused } from "#kernel/index.ts";
import { callbackLimits } from "./limits.ts";
import type { CallbackTarget, ClientIdentity } from "./ports.ts";
import { AddressNotPublic, isPublicAddress, publicLookup } from "./public-address.ts";
import { createWarmConnector, type WarmConnector } from "./warm-connector.ts";

/** A merchant's own connections and the path on its server. */
export interface MerchantConnection {
  readonly dispatcher: Dispatcher;
  readonly path: string;
}

export type ConnectionRefusal = "url_invalid" | "https_required";

export interface Connections {
  /**
   * The merchant's connections; makes them when the merchant is new, its URL points to another server or its client certificate is
   * another one. Those it had are closed when their requests are over. Opens nothing yet.
   */
  to(merchant: MerchantTarget): Result<MerchantConnection, ConnectionRefusal>;
  /**
   * The merchant is being asked: for the next 5 minutes it keeps at least two open connections, as far as its server lets us and while it is
   * among the 256 merchants that were used last.
   */
  keepWarm(merchantId: number): void;
  /** Ends idle connections at once and the others when their request is over. */
  close(): Promise<void>;
}

export interface MerchantTarget {
  readonly merchantId: number;
  readonly target: Pick<CallbackTarget, "url" | "clientIdentity">;
}

export interface ConnectionOptions {
  readonly allowPrivateAddresses: boolean;
  readonly connectionsOfMerchantMax?: number;
  readonly merchantsMax?: number;
  readonly warmMerchantsMax?: number;
}

interface Entry {
  readonly url: string;
  readonly origin: string;
  /** Of the client's certificate; empty without one. */
  readonly certificateId: string;
  readonly lines: Lines;
  readonly connection: MerchantConnection;
}

/** The connections to one server of a merchant. */
interface Lines {
  readonly pool: Pool;
  readonly warm: WarmConnector;
  /** Of a clock that never goes back; -Infinity: never asked. */
  warmUntilMs: number;
}

interface State {
  readonly options: ConnectionOptions;
  readonly connector: buildConnector.connector;
  /** By merchant, the one that was used longest ago first. */
  readonly entries: Map<number, Entry>;
  /** Pools whose place was taken, until their last request is over. */
  readonly leaving: Set<Promise<void>>;
  /** Runs while a merchant is kept warm. */
  timer: NodeJS.Timeout | undefined;
  /** Since the timer was started. */
  looks: number;
  /** Merchants whose spare connections are still to be looked at in this round. */
  round: number[];
  /** How many of them one look takes. */
  share: number;
}

/**
 * One pool of keep-alive connections per merchant, so that a merchant only ever waits for itself, also when two of them share
 * a server. Redirects are not followed, certificates are verified, and in production every address is checked when connecting.
 */
export function createConnections(options: ConnectionOptions): Connections {
  const state: State = {
    options,
    connector: connectorFor(options),
    entries: new Map(),
    leaving: new Set(),
    timer: undefined,
    looks: 0,
    round: [],
    share: 0,
  };
  return {
    to: (target) => connectionTo(state, target),
    keepWarm: (merchantId) => keepWarm(state, merchantId),
    close: () => closeAll(state),
  };
}

function connectorFor(
  { allowPrivateAddresses }: ConnectionOptions,
  identity?: ClientIdentity,
): buildConnector.connector {
  const tls = {
    allowH2: false,
    timeout: callbackLimits.connectMs,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(identity !== undefined && { cert: identity.certificatePem, key: identity.privateKeyPem }),
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
  { merchantId, target }: MerchantTarget,
): Result<MerchantConnection, ConnectionRefusal> {
  const { url, clientIdentity: identity } = target;
  const known = state.entries.get(merchantId);
  if (known !== undefined && known.url === url && known.certificateId === (identity?.certificateId ?? "")) {
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
  const entry = newEntry(state, { url, parsed, known, identity });
  state.entries.delete(merchantId);
  state.entries.set(merchantId, entry);
  if (known !== undefined && known.lines !== entry.lines) {
    leave(state, known.lines);
  }
  dropLeastUsed(state);
  return ok(entry.connection);
}

function newEntry(
  state: State,
  parts: {
    readonly url: string;
    readonly parsed: URL;
    readonly known: Entry | undefined;
    readonly identity: ClientIdentity | undefined;
  },
): Entry {
  const { url, parsed, known, identity } = parts;
  const { origin } = parsed;
  const certificateId = identity?.certificateId ?? "";
  const isSameServer = known !== undefined && known.origin === origin && known.certificateId === certificateId;
  const lines = isSameServer ? known.lines : newLines(state, { origin, identity });
  const connection = { dispatcher: lines.pool, path: parsed.pathname + parsed.search };
  return { url, origin, certificateId, lines, connection };
}

function newLines(
  { connector, options }: State,
  { origin, identity }: { readonly origin: string; readonly identity: ClientIdentity | undefined },
): Lines {
  // With a certificate the connector is the merchant's own, so that no TLS session is resumed in another's name.
  const warm = createWarmConnector(identity === undefined ? connector : connectorFor(options, identity));
  const pool = new Pool(origin, {
    connect: warm.connect,
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
  return { pool, warm, warmUntilMs: Number.NEGATIVE_INFINITY };
}

function keepWarm(state: State, merchantId: number): void {
  const entry = state.entries.get(merchantId);
  if (entry !== undefined) {
    entry.lines.warmUntilMs = performance.now() + callbackLimits.warmForMs;
    state.timer ??= setInterval(() => look(state), callbackLimits.warmLookMs / callbackLimits.warmLooks).unref();
  }
}

/**
 * A few merchants at a time, so that each is looked at every second: the connections of all of them, opened in one turn of the event loop,
 * would hold up the decisions by 20 ms.
 */
function look(state: State): void {
  const nowMs = performance.now();
  const isFirstOfRound = state.looks % callbackLimits.warmLooks === 0;
  state.looks += 1;
  if (isFirstOfRound) {
    beginRound(state, nowMs);
  }
  for (const merchantId of state.round.splice(0, state.share)) {
    const lines = state.entries.get(merchantId)?.lines;
    lines?.warm.topUp({ inUse: lines.pool.stats.connected, nowMs });
  }
}

/** Whoever was not asked for a while, or is not among those used last, loses its spare connections. */
function beginRound(state: State, nowMs: number): void {
  const isWarm = ({ lines }: Entry): boolean => lines.warmUntilMs > nowMs;
  const warm = [...state.entries].flatMap(([merchantId, entry]) => (isWarm(entry) ? [merchantId] : []));
  state.round = warm.slice(-(state.options.warmMerchantsMax ?? callbackLimits.warmMerchantsMax));
  state.share = Math.ceil(state.round.length / callbackLimits.warmLooks);
  const kept = new Set(state.round);
  for (const [merchantId, { lines }] of state.entries) {
    if (!kept.has(merchantId)) {
      lines.warm.coolDown();
    }
  }
  if (state.round.length === 0) {
    stopTimer(state);
  }
}

function stopTimer(state: State): void {
  clearInterval(state.timer);
  state.timer = undefined;
  state.looks = 0;
}

function dropLeastUsed(state: State): void {
  const merchantsMax = state.options.merchantsMax ?? callbackLimits.merchantsConnectedMax;
  for (const [merchantId, { lines }] of state.entries) {
    if (state.entries.size <= merchantsMax) {
      return;
    }
    state.entries.delete(merchantId);
    leave(state, lines);
  }
}

function leave(state: State, { pool, warm }: Lines): void {
  warm.coolDown();
  const left: Promise<void> = pool.close().finally(() => state.leaving.delete(left));
  state.leaving.add(left);
}

async function closeAll(state: State): Promise<void> {
  stopTimer(state);
  for (const { lines } of state.entries.values()) {
    leave(state, lines);
  }
  state.entries.clear();
  await Promise.all(state.leaving);
}
