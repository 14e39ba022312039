import type { AuthData, CardUpdateData, ConsumptionData } from "../generated/types.ts";

/** What every verified callback has. Headers are covered by no signature: `sequence`, `attempt` and the like are hints. */
export interface CallbackFacts {
  /** The same for every repeat of a push. Without Standard Webhooks no signature covers it. */
  readonly id: string;
  /** The text of `data` as it came, to the character. */
  readonly dataText: string;
  /** Unix ms of this try. */
  readonly timestampMs: number;
  /** Which signatures were there and are good. */
  readonly verifiedBy: readonly ("v1" | "standard_webhooks")[];
  /** Counts the pushes about one card from 1, without gaps; null for `Auth` and test pushes. */
  readonly sequence: number | null;
  /** Counts the tries of this push from 1; null where the platform does not say. */
  readonly attempt: number | null;
  /** Of an `Auth`: how long the platform waits for the whole answer; null where it does not say. */
  readonly deadlineMs: number | null;
  /** A push that the developer or the operator has asked for and that changes nothing. */
  readonly isTest: boolean;
  /** Of a purchase that failed because the answer came too late: what was answered and when; else null. */
  readonly lateAnswer: { readonly code: number; readonly afterMs: number } | null;
}

/** May this purchase go through? */
export interface AuthCallback extends CallbackFacts {
  readonly action: "Auth";
  readonly data: AuthData;
}
/** A consumption was created or changed. */
export interface ConsumptionCallback extends CallbackFacts {
  readonly action: "Consumption";
  readonly data: ConsumptionData;
}
/** A card's status changed. */
export interface CardUpdateCallback extends CallbackFacts {
  readonly action: "Card_update";
  readonly data: CardUpdateData;
}
/** One that this version of the package does not know. */
export interface OtherCallback extends CallbackFacts {
  readonly action: "other";
  /** As it stands in the body. */
  readonly wireAction: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A callback that is believed. Amounts in it are JSON numbers; `toMinorUnits` makes exact ones of them. */
export type Callback = AuthCallback | ConsumptionCallback | CardUpdateCallback | OtherCallback;

/** Headers in any of the usual forms; names in any case. */
export type HeaderSource =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A `Request` of the Fetch API. */
export interface FetchRequestLike {
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

/** A request of `node:http` whose body is not read yet. */
export interface IncomingRequestLike extends AsyncIterable<Uint8Array | string> {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Headers and the body exactly as it came: its bytes, or the text of them where the framework hands out nothing else. */
export interface RawRequest {
  readonly headers: HeaderSource;
  readonly body: Uint8Array | string;
}

export type CallbackRequest = FetchRequestLike | IncomingRequestLike | RawRequest;

/** What a request to the merchant is answered. */
export interface RawAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}
