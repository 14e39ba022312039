/** An answer of the platform over HTTP. */
export interface WireAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  /** Of an answer that is not JSON. */
  readonly text?: string;
}

export interface WireRequest {
  readonly method: "GET" | "POST" | "PATCH" | "PUT";
  /** From the root of the platform's API server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text is sent as it is, everything else as JSON. */
  readonly body?: object | string;
}

/** How a scenario reaches the platform: the same calls that anybody makes from outside. */
export type Wire = (request: WireRequest) => Promise<WireAnswer>;

/** A callback as it came in, or as it was queued. */
export interface WireCallback {
  readonly action: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How a merchant's server answers `Auth`. */
export interface ServerAnswer {
  readonly kind: "yes" | "no" | "part" | "late" | "silent" | "nonsense" | "down";
  readonly reason?: string;
  readonly approvedAmount?: string;
}

/** The merchant's side of the callbacks of one scenario. */
export interface Witness {
  /** All of the scenario's cards so far, oldest first; `Auth` only where `seesQuestions`. */
  callbacks(cardNos: readonly string[]): Promise<readonly WireCallback[]>;
  readonly seesQuestions: boolean;
  /** Only on a merchant made for the scenario. */
  answerWith(answer: ServerAnswer): void;
  takePushes(taken: boolean): void;
  /** What came and could not be trusted: wrong signatures, bodies that are no callbacks. */
  faults(): readonly string[];
}

export const fieldOf = (json: unknown, ...path: readonly (string | number)[]): unknown => {
  let value = json;
  for (const key of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
};

export function textAt(json: unknown, ...path: readonly (string | number)[]): string {
  const value = fieldOf(json, ...path);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function recordsAt(json: unknown, ...path: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  const value = fieldOf(json, ...path);
  return Array.isArray(value) ? value.map((each) => Object.fromEntries(Object.entries(each ?? {}))) : [];
}
