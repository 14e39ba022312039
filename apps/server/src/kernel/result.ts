/** An expected outcome as a value: callers handle every reason, bugs throw instead. */
export type Result<Value, Reason> = Ok<Value> | Refused<Reason>;
export interface Ok<Value> {
  readonly ok: true;
  readonly value: Value;
}
export interface Refused<Reason> {
  readonly ok: false;
  readonly reason: Reason;
}

export function ok<Value>(value: Value): Ok<Value> {
  return { ok: true, value };
}

export function refused<const Reason>(reason: Reason): Refused<Reason> {
  return { ok: false, reason };
}

/** For the end of a total `switch`: the compiler refuses to build when a case was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`unhandled case: ${String(value)}`);
}
