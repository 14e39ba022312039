import { type EndpointDefinition, parseTimezone } from "@cardwright/contract";
import { type Clock, ok, refused } from "#kernel/index.ts";
import { type Caller, ipAllowed, type Merchants } from "#merchants/index.ts";
import type { AccessTokens } from "./access-token.ts";
import { type Answer, fail } from "./answer.ts";
import { addressGroup } from "./caller-address.ts";
import { timestampAgeMsMax } from "./limits.ts";
import type { TokenBuckets } from "./token-buckets.ts";

/** What the checks before the body look at. Headers as they came; undefined when there is none. */
export interface Arrival {
  readonly endpoint: EndpointDefinition;
  readonly address: string;
  readonly apiKey: string | undefined;
  readonly timestamp: string | undefined;
  readonly accessToken: string | undefined;
  readonly timezone: string | undefined;
  /** Finds the log lines that belong to the call. */
  readonly requestId: string;
}

/** A call that was let in: whose it is, and the caller's time zone in minutes east of UTC. */
export interface Call extends Caller {
  readonly timezoneOffsetMinutes: number;
  readonly requestId: string;
}

export interface AdmissionDeps {
  readonly clock: Clock;
  readonly merchants: Pick<Merchants, "authenticate">;
  readonly accessTokens: AccessTokens;
  readonly addressBuckets: TokenBuckets;
  readonly keyBuckets: TokenBuckets;
}

/** The checks of contract section 1, "Order of checks", up to the body: the first that fails decides. */
export async function admit(deps: AdmissionDeps, arrival: Arrival): Promise<Answer<Call>> {
  const address = within(deps.addressBuckets, addressGroup(arrival.address));
  if (!address.ok) {
    return address;
  }
  const caller = await callerOf(deps, arrival);
  if (!caller.ok) {
    return caller;
  }
  const { endpoint } = arrival;
  if (!timestampIsGood(deps.clock.now(), arrival)) {
    return fail("timestamp_invalid");
  }
  const token = await checkToken(deps, { arrival, caller: caller.value });
  if (!token.ok) {
    return token;
  }
  const key = within(deps.keyBuckets, caller.value.credential.credentialId);
  if (!key.ok) {
    return key;
  }
  if (endpoint.mode !== "both" && endpoint.mode !== caller.value.merchant.mode) {
    return fail("mode_not_supported");
  }
  const timezone = parseTimezone(arrival.timezone);
  return timezone.ok
    ? ok({ ...caller.value, timezoneOffsetMinutes: timezone.value, requestId: arrival.requestId })
    : fail(timezone.error, timezone.field);
}

function within(buckets: TokenBuckets, caller: string): Answer<null> {
  const taken = buckets.take(caller);
  return taken.ok ? ok(null) : refused({ name: "too_frequent", retryAfterSeconds: taken.retryAfterSeconds });
}

/** 1002, 1008, 1010, 1011, 1003, 1021 and 1022. A deleted credential is one that does not exist. */
async function callerOf(deps: AdmissionDeps, arrival: Arrival): Promise<Answer<Caller>> {
  if (isBlank(arrival.apiKey)) {
    return fail("api_key_required");
  }
  const caller = await deps.merchants.authenticate(arrival.apiKey);
  if (caller === null || caller.credential.status === "Deleted") {
    return fail("api_key_unknown");
  }
  const { credential, merchant } = caller;
  if (credential.status !== "Enabled") {
    return fail("api_key_disabled");
  }
  if (credential.expiresAt !== null && credential.expiresAt <= deps.clock.now()) {
    return fail("api_key_expired");
  }
  if (!ipAllowed(credential.allowList, arrival.address)) {
    return fail("ip_not_allowed");
  }
  if (merchant.status === "Closed") {
    return fail("merchant_unknown");
  }
  return merchant.status === "Active" ? ok(caller) : fail("merchant_status_abnormal");
}

/** 13 digits, at most 60 s old, never in the future. Get Token may leave it out. */
function timestampIsGood(now: number, { endpoint, timestamp }: Arrival): boolean {
  if (isBlank(timestamp)) {
    return endpoint.auth === "key";
  }
  const sentAt = /^\d{13}$/u.test(timestamp) ? Number(timestamp) : Number.NaN;
  return sentAt <= now && now - sentAt <= timestampAgeMsMax;
}

async function checkToken(
  deps: AdmissionDeps,
  { arrival, caller }: { readonly arrival: Arrival; readonly caller: Caller },
): Promise<Answer<null>> {
  if (arrival.endpoint.auth === "key") {
    return ok(null);
  }
  if (isBlank(arrival.accessToken)) {
    return fail("access_token_required");
  }
  const accepted = await deps.accessTokens.accepts(caller.credential, arrival.accessToken);
  return accepted ? ok(null) : fail("access_token_invalid");
}

function isBlank(header: string | undefined): header is undefined | "" {
  return header === undefined || header.trim() === "";
}
