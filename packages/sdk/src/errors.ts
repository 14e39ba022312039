import { contractErrors } from "./generated/errors.ts";

/** What everything that this package throws on purpose is. Nothing secret is in any of them. */
export class CardwrightError extends Error {
  override readonly name: string = "CardwrightError";
}

/** Why the platform refused, by the contract's name of the code; `unknown` for a code that this version does not know. */
export type ErrorReason = (typeof contractErrors)[keyof typeof contractErrors]["name"] | (string & {});

export interface ApiErrorDetails {
  /** The envelope's `code`. 0 where an answer had none. */
  readonly code: number;
  readonly reason: ErrorReason;
  /** Dotted path of the wrong field; empty when the error is about the whole call. */
  readonly field: string;
  /** The envelope's `msg`, in the language of the client. */
  readonly msg: string;
  readonly httpStatus: number;
  /** Finds the platform's log lines of this call; empty when it sent none. */
  readonly requestId: string;
  /** Milliseconds after which the platform asks to be called again; null when it did not say. */
  readonly retryAfterMs: number | null;
  /** `POST /open-api/v1/card/apply` */
  readonly call: string;
}

/** The platform answered and refused. */
export class ApiError extends CardwrightError implements ApiErrorDetails {
  override readonly name: string = "ApiError";
  readonly code: number;
  readonly reason: ErrorReason;
  readonly field: string;
  readonly msg: string;
  readonly httpStatus: number;
  readonly requestId: string;
  readonly retryAfterMs: number | null;
  readonly call: string;

  constructor(details: ApiErrorDetails) {
    super(`${details.call} was refused: ${details.code} ${details.msg}`);
    this.code = details.code;
    this.reason = details.reason;
    this.field = details.field;
    this.msg = details.msg;
    this.httpStatus = details.httpStatus;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.call = details.call;
  }
}

/** The credential, its addresses, the token or the time of the call (1002, 1003, 1005 to 1008, 1010, 1011, 1021, 1022). */
export class AuthenticationError extends ApiError {
  override readonly name = "AuthenticationError";
}
/** The merchant may not do this: other mode, no PCI, sandbox only (1012, 1013, 6003). */
export class PermissionError extends ApiError {
  override readonly name = "PermissionError";
}
/** A field is missing or wrong; `field` names it. */
export class InvalidRequestError extends ApiError {
  override readonly name = "InvalidRequestError";
}
/** What a number names does not exist for this merchant. */
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError";
}
/** It cannot be done in the present state, or the unique number was used with other content. */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
}
/** The cardholder's balance or the merchant's reserve is too low (3002, 3005). */
export class InsufficientFundsError extends ApiError {
  override readonly name = "InsufficientFundsError";
}
/** Too many calls (1009), or too many wrong tries (4015). */
export class RateLimitError extends ApiError {
  override readonly name = "RateLimitError";
}
/** The platform itself failed, or is shutting down (1001, HTTP 5xx). */
export class ServerError extends ApiError {
  override readonly name = "ServerError";
}

/** No usable answer came. Whether the call took effect is unknown; one with a `…_unique_no` may simply be made again. */
export class ConnectionError extends CardwrightError {
  override readonly name: string = "ConnectionError";
  /** `POST /open-api/v1/card/apply` */
  readonly call: string;

  constructor(call: string, why: string) {
    super(`${call} got no answer: ${why}`);
    this.call = call;
  }
}

/** The answer took longer than `timeoutMs`. A kind of `ConnectionError`: the call may have taken effect. */
export class TimeoutError extends ConnectionError {
  override readonly name = "TimeoutError";
}

/** Why a callback is not believed. */
export type SignatureRefusal =
  | "body_too_large"
  | "body_not_utf8"
  | "body_invalid"
  | "sign_version_unknown"
  | "signature_missing"
  | "timestamp_invalid"
  | "timestamp_stale"
  | "timestamp_future"
  | "data_invalid"
  | "signature_mismatch"
  | "webhook_signature_missing"
  | "webhook_id_invalid"
  | "webhook_timestamp_invalid"
  | "webhook_timestamp_stale"
  | "webhook_timestamp_future"
  | "webhook_signature_mismatch"
  | "webhook_id_mismatch"
  | "data_not_as_agreed";

/** A callback that did not verify. Tell its sender nothing of `reason`. */
export class SignatureError extends CardwrightError {
  override readonly name = "SignatureError";
  readonly reason: SignatureRefusal;

  constructor(reason: SignatureRefusal) {
    super(`the callback was not verified: ${reason}`);
    this.reason = reason;
  }
}

type ApiErrorClass = new (details: ApiErrorDetails) => ApiError;

/** Every code of the contract and of the developer API; a test holds that none is missing. */
const classByCode: Readonly<Record<number, ApiErrorClass>> = {
  1001: ServerError,
  1002: AuthenticationError,
  1003: AuthenticationError,
  1004: InvalidRequestError,
  1005: AuthenticationError,
  1006: AuthenticationError,
  1007: AuthenticationError,
  1008: AuthenticationError,
  1009: RateLimitError,
  1010: AuthenticationError,
  1011: AuthenticationError,
  1012: PermissionError,
  1013: PermissionError,
  1014: AuthenticationError,
  1015: PermissionError,
  1016: PermissionError,
  1017: ConflictError,
  1018: PermissionError,
  1019: InvalidRequestError,
  1020: InvalidRequestError,
  1021: AuthenticationError,
  1022: AuthenticationError,
  2001: ConflictError,
  2002: NotFoundError,
  2003: ConflictError,
  2004: ConflictError,
  2005: ConflictError,
  2006: ServerError,
  2007: InvalidRequestError,
  2008: InvalidRequestError,
  2009: InvalidRequestError,
  2010: InvalidRequestError,
  2011: ConflictError,
  3001: NotFoundError,
  3002: InsufficientFundsError,
  3003: InvalidRequestError,
  3004: ConflictError,
  3005: InsufficientFundsError,
  3006: InvalidRequestError,
  3007: NotFoundError,
  4001: NotFoundError,
  4002: NotFoundError,
  4003: NotFoundError,
  4004: ConflictError,
  4005: ConflictError,
  4006: ConflictError,
  4007: InvalidRequestError,
  4008: InvalidRequestError,
  4009: InvalidRequestError,
  4010: InvalidRequestError,
  4011: ConflictError,
  4012: ConflictError,
  4013: NotFoundError,
  4014: InvalidRequestError,
  4015: RateLimitError,
  4016: InvalidRequestError,
  4017: ConflictError,
  4018: ConflictError,
  4019: ConflictError,
  6001: NotFoundError,
  6002: ConflictError,
  6003: PermissionError,
};

interface KnownError {
  readonly name: string;
  readonly en: string;
  readonly zh: string;
  readonly ofField: boolean;
}

const knownErrors: ReadonlyMap<number, KnownError> = new Map(
  Object.entries(contractErrors).map(([code, known]) => [Number(code), known]),
);

/** The error of a refused call, of the class that its code asks for. */
export function apiErrorOf(refused: Omit<ApiErrorDetails, "reason" | "field">): ApiError {
  const known = knownErrors.get(refused.code);
  const details = { ...refused, reason: known?.name ?? "unknown", field: fieldOf(refused.msg, known) };
  const byStatus = refused.httpStatus >= 500 ? ServerError : ApiError;
  return new (classByCode[refused.code] ?? byStatus)(details);
}

/** `msg` is `<field> <message>` where the error is about a field (contract section 1). */
function fieldOf(msg: string, known: KnownError | undefined): string {
  if (known?.ofField !== true) return "";
  const message = [known.en, known.zh].find((text) => msg.endsWith(` ${text}`));
  return message === undefined ? "" : msg.slice(0, -message.length - 1);
}
