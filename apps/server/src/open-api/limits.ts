/** Bounds of the merchants' API, each with its unit in the name and its reason. */
export interface OpenApiLimits {
  /** Calls a second from one address (IPv6: one /64), and how many may come at once. Two busy backends behind one address fit. */
  readonly addressPerSecond: number;
  readonly addressBurst: number;
  /** The same for one Api-Key, counted once it has proved itself with an Access-Token. */
  readonly keyPerSecond: number;
  readonly keyBurst: number;
}

export const defaultLimits: OpenApiLimits = {
  addressPerSecond: 200,
  addressBurst: 400,
  keyPerSecond: 100,
  keyBurst: 200,
};

/** About 150 bytes each: 8 MB for addresses. Beyond it the one that was silent longest is forgotten. */
export const bucketsMax = 50_000;

/** A call may be this old; never in the future (contract section 1, `Timestamp`). */
export const timestampAgeMsMax = 60_000;

/** Contract section 3, Get Token: 24 hours. */
export const accessTokenMs = 86_400_000;

/** What `Retry-After` says with 503: a failed-over database or a restarted process is back in about that time. */
export const unavailableRetrySeconds = 5;

/** From the first byte of a call to its last: slower than this is nobody's network, but somebody holding connections. */
export const requestTimeoutMs = 30_000;
export const headersTimeoutMs = 10_000;
/** Node's own bound; it also bounds the path. */
export const headerBytesMax = 16_384;
/** Longer than the 60 s for which the usual proxies keep a connection, so that they close first and never meet a closed one. */
export const keepAliveMs = 65_000;
