import { document } from "../documents.ts";

/** A request as a receiver has it. Headers that did not come are undefined. */
export type SampleRequest = V1Request | StandardRequest;

export interface V1Request {
  readonly scheme: "V1";
  readonly version: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly body: Uint8Array;
  readonly appId: string;
  readonly apiSecret: string;
  readonly nowMs: number;
}

export interface StandardRequest {
  readonly scheme: "Standard";
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signatures: string | undefined;
  readonly body: Uint8Array;
  readonly secrets: readonly string[];
  readonly nowMs: number;
}

export interface SampleVector {
  readonly name: string;
  readonly request: SampleRequest;
  /** "ok", or the reason why it must be refused. */
  readonly verdict: string;
}

interface SignedVector {
  readonly name: string;
  readonly appId: string;
  readonly apiSecret: string;
  readonly timestamp: string;
  readonly dataText: string;
  readonly signature: string;
}

interface StandardVector {
  readonly name: string;
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
  readonly secrets: readonly string[];
  readonly signatureHeader: string;
}

interface RefusedVector {
  readonly name: string;
  readonly scheme: "V1" | "Standard";
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly appId?: string;
  readonly apiSecret?: string;
  readonly secrets?: readonly string[];
  readonly nowMs: number;
}

/** Every vector of `packages/signing`, as requests: those that are good and those that must be refused. */
export function vectors(): readonly SampleVector[] {
  const good: readonly SignedVector[] = JSON.parse(document("packages/signing/vectors.json"));
  const goodStandard: readonly StandardVector[] = JSON.parse(
    document("packages/signing/standard-webhooks-vectors.json"),
  );
  const bad: readonly RefusedVector[] = JSON.parse(document("packages/signing/refused-vectors.json"));
  return [...good.map(signed), ...goodStandard.map(standard), ...bad.map(refused)];
}

function signed({ name, dataText, ...vector }: SignedVector): SampleVector {
  const body = Buffer.from(`{"id":"push_1","action":"Consumption","data":${dataText}}`);
  const request: V1Request = {
    scheme: "V1",
    version: "V1",
    ...vector,
    body,
    nowMs: Number(vector.timestamp) + 300_000,
  };
  return { name: `V1: ${name}`, request, verdict: "ok" };
}

function standard({ name, id, timestamp, secrets, ...vector }: StandardVector): SampleVector {
  const body = Buffer.from(vector.body);
  const nowMs = Number(timestamp) * 1000 - 300_000;
  const signatures = vector.signatureHeader;
  const request: StandardRequest = { scheme: "Standard", id, timestamp, signatures, body, secrets, nowMs };
  return { name: `Standard Webhooks: ${name}`, request, verdict: "ok" };
}

function refused({ headers, nowMs, ...vector }: RefusedVector): SampleVector {
  const name = `${vector.scheme}, refused: ${vector.name}`;
  const verdict = vector.reason;
  const body =
    vector.bodyBase64 === undefined ? Buffer.from(vector.body ?? "") : Buffer.from(vector.bodyBase64, "base64");
  if (vector.scheme === "Standard") {
    const request: StandardRequest = {
      scheme: "Standard",
      id: headers["webhook-id"],
      timestamp: headers["webhook-timestamp"],
      signatures: headers["webhook-signature"],
      body,
      secrets: vector.secrets ?? [],
      nowMs,
    };
    return { name, request, verdict };
  }
  const request: V1Request = {
    scheme: "V1",
    version: headers["Sign-Version"],
    timestamp: headers["Timestamp"],
    signature: headers["Signature"],
    body,
    appId: vector.appId ?? "",
    apiSecret: vector.apiSecret ?? "",
    nowMs,
  };
  return { name, request, verdict };
}
