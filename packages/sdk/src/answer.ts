import {
  ApiError,
  AuthenticationError,
  apiErrorOf,
  ConflictError,
  ConnectionError,
  InvalidRequestError,
  NotFoundError,
  RateLimitError,
  ServerError,
} from "./errors.ts";
import type { HttpAnswer } from "./exchange.ts";

/** The platform waits an hour for nothing: a longer `Retry-After` is a mistake. */
const retryAfterMsMax = 3_600_000;

/** The envelope's `data` (contract section 1). Throws ApiError for another code than 0, ConnectionError for no envelope. */
export function answerOf(answer: HttpAnswer, call: string): unknown {
  const envelope = fieldsOf(answer.text);
  const code = envelope?.["code"];
  if (envelope === null || typeof code !== "number") throw noAnswer(answer, call);
  if (code !== 0) {
    const { msg } = envelope;
    throw apiErrorOf({ code, msg: typeof msg === "string" ? msg : "", ...placeOf(answer, call) });
  }
  if (answer.status !== 200 || envelope["data"] === undefined) throw noAnswer(answer, call);
  return envelope["data"];
}

/** The JSON of the sandbox's API, whose errors are HTTP statuses with `{"error":{code,message,field}}`. */
export function sandboxAnswerOf(answer: HttpAnswer, call: string): object {
  const json = fieldsOf(answer.text);
  if (json === null) throw noAnswer(answer, call);
  if (answer.status >= 200 && answer.status < 300) return json;
  const { error } = json;
  if (!isFields(error)) {
    // A call beside those of the sandbox, or a platform that is no sandbox, answers with the envelope.
    const { code, msg } = json;
    if (typeof code !== "number") throw noAnswer(answer, call);
    throw apiErrorOf({ code, msg: textOf(msg), ...placeOf(answer, call) });
  }
  const ErrorClass = classOfStatus(answer.status);
  throw new ErrorClass({
    code: 0,
    reason: textOf(error["code"]),
    msg: textOf(error["message"]),
    field: textOf(error["field"]),
    ...placeOf(answer, call),
  });
}

function classOfStatus(status: number): typeof ApiError {
  switch (status) {
    case 400:
      return InvalidRequestError;
    case 401:
    case 403:
      return AuthenticationError;
    case 404:
      return NotFoundError;
    case 409:
      return ConflictError;
    case 429:
      return RateLimitError;
    default:
      return status >= 500 ? ServerError : ApiError;
  }
}

function placeOf({ status, headers }: HttpAnswer, call: string) {
  return {
    call,
    httpStatus: status,
    requestId: headers.get("request-id") ?? "",
    retryAfterMs: retryAfterMsOf(headers.get("retry-after")),
  };
}

/** Seconds, or a date, which is compared with the answer's own clock nowhere: the platform sends seconds. */
function retryAfterMsOf(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/u.test(header) ? Math.min(Number(header) * 1_000, retryAfterMsMax) : null;
}

/** A gateway in front of the platform answers in its own words: 502, 503 and 504 are failures that may pass. */
function noAnswer(answer: HttpAnswer, call: string): Error {
  if (answer.status >= 500 || answer.status === 429) {
    const ErrorClass = classOfStatus(answer.status);
    return new ErrorClass({
      code: 0,
      reason: "unknown",
      msg: `HTTP ${answer.status}`,
      field: "",
      ...placeOf(answer, call),
    });
  }
  return new ConnectionError(call, `what came (HTTP ${answer.status}) is no answer of the platform`);
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
