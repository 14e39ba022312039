import {
  signatureTextV1,
  signStandard,
  signV1,
  splitCallbackBody,
  type VerificationStandardRefusal,
  type VerificationV1Refusal,
  verifyStandard,
  verifyV1,
} from "@cardwright/signing";

/** A callback as it came: header names in lower case, the body character by character. */
export interface ReceivedCallback {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SigningKeys {
  readonly appId: string;
  readonly apiSecret: string;
  readonly webhookSecrets: readonly string[];
}

export interface Finding {
  readonly scheme: "V1" | "Standard Webhooks";
  /** Null: it could not be checked. */
  readonly ok: boolean | null;
  /** A sentence. */
  readonly why: string;
  /** The text under the signature; null where there is none. */
  readonly signedText: string | null;
  /** What the signature would be by the keys that are known. */
  readonly expected: string | null;
}

/** Whether the time of the signature counts, and by how much it may differ. */
export interface TimeRule {
  readonly nowMs: number;
  readonly toleranceMs: number;
}

type Refusal = VerificationV1Refusal | VerificationStandardRefusal;

const sentences: Readonly<Record<Refusal, string>> = {
  signature_missing: "the signature did not come",
  signature_mismatch: "the signature is another one",
  timestamp_invalid: "the time did not come, or is not of its form",
  timestamp_stale: "the time is too old",
  timestamp_future: "the time lies in the future",
  data_invalid: "data is no JSON object, or has a key twice",
  id_invalid: "webhook-id did not come",
};

/** Checks both signatures. `time` null: of a saved callback, whose age does not matter. */
export function checkSignatures(
  callback: ReceivedCallback,
  { keys, time }: { readonly keys: SigningKeys; readonly time: TimeRule | null },
): readonly Finding[] {
  return [checkV1(callback, { keys, time }), checkStandard(callback, { keys, time })];
}

interface With {
  readonly keys: SigningKeys;
  readonly time: TimeRule | null;
}

/** With the signature's own time as now, only its form counts. */
const timeOf = (time: TimeRule | null, signedAtMs: number): TimeRule =>
  time ?? { nowMs: Number.isFinite(signedAtMs) ? signedAtMs : 0, toleranceMs: 0 };

function checkV1({ headers, body }: ReceivedCallback, { keys, time }: With): Finding {
  const finding = (ok: boolean | null, why: string, more: Partial<Finding> = {}): Finding => ({
    scheme: "V1",
    ok,
    why,
    signedText: null,
    expected: null,
    ...more,
  });
  const split = splitCallbackBody(body);
  if (!split.ok) return finding(false, `the body is no callback: ${split.reason.replaceAll("_", " ")}`);
  const { timestamp, signature } = headers;
  const { appId, apiSecret } = keys;
  const { dataText } = split.value;
  if (appId === "" || apiSecret === "") {
    return finding(null, `not checked: needs ${appId === "" ? "the App ID" : "the apiSecret"}`);
  }
  const result = verifyV1({ appId, apiSecret, timestamp, signature, dataText, ...timeOf(time, Number(timestamp)) });
  if (!result.ok && (result.reason === "data_invalid" || timestamp === undefined)) {
    return finding(false, sentences[result.reason]);
  }
  const signed = { appId, apiSecret, timestamp: timestamp ?? "", dataText };
  const more = { signedText: signatureTextV1(signed), expected: signV1(signed) };
  if (result.ok) return finding(true, "right", more);
  const mismatch =
    result.reason === "signature_mismatch" ? nearMissV1({ ...signed, signature: signature ?? "", keys }) : "";
  return finding(false, [sentences[result.reason], mismatch].filter((part) => part !== "").join(": "), more);
}

interface MissedV1 {
  readonly appId: string;
  readonly apiSecret: string;
  readonly timestamp: string;
  readonly dataText: string;
  readonly signature: string;
  readonly keys: SigningKeys;
}

/** The mistakes that people make, tried one after the other. "" when none of them is it. */
function nearMissV1({ keys, signature, ...signed }: MissedV1): string {
  const given = signature.trim().toLowerCase();
  const matches = (changes: Partial<Parameters<typeof signV1>[0]>): boolean => {
    try {
      return signV1({ ...signed, ...changes }) === given;
    } catch {
      // With the change it cannot be signed, so that was not it.
      return false;
    }
  };
  if (matches({})) return "it is right in lower case and without blanks around it; the header came changed";
  const rewritten = rewrittenData(signed.dataText);
  if (rewritten !== null && matches({ dataText: rewritten })) {
    return "it is right for the same data in compact JSON; the body was written anew after it came, so sign its raw text";
  }
  if (keys.webhookSecrets.some((secret) => matches({ apiSecret: secret }))) {
    return "it was made with the webhook secret, and V1 takes the apiSecret";
  }
  if (matches({ timestamp: String(Math.floor(Number(signed.timestamp) / 1000)) })) {
    return "it was made with the time in seconds, and V1 takes milliseconds";
  }
  return "the apiSecret, the App ID, the Timestamp or data differ from what was signed";
}

function rewrittenData(dataText: string): string | null {
  try {
    return JSON.stringify(JSON.parse(dataText));
  } catch {
    return null;
  }
}

function checkStandard({ headers, body }: ReceivedCallback, { keys, time }: With): Finding {
  const finding = (ok: boolean | null, why: string, more: Partial<Finding> = {}): Finding => ({
    scheme: "Standard Webhooks",
    ok,
    why,
    signedText: null,
    expected: null,
    ...more,
  });
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatureHeader } = headers;
  const { webhookSecrets: secrets } = keys;
  if (signatureHeader === undefined && id === undefined) return finding(null, "not checked: it did not come");
  if (secrets.length === 0) return finding(null, "not checked: needs the webhook secret");
  const rule = timeOf(time, Number(timestamp) * 1_000);
  let result: ReturnType<typeof verifyStandard>;
  try {
    result = verifyStandard({ id, timestamp, signatureHeader, body, secrets, ...rule });
  } catch (error) {
    return finding(
      false,
      `the webhook secret cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (id === undefined || timestamp === undefined || !/^\d{1,12}$/u.test(timestamp) || id.includes(".")) {
    return finding(false, result.ok ? "" : sentences[result.reason]);
  }
  const signing = { id, timestampSeconds: Number(timestamp) };
  const expected = secrets.map((secret) => signStandard({ ...signing, body, secret })).join(" ");
  const more = { signedText: `${id}.${timestamp}.${body}`, expected };
  if (result.ok) return finding(true, "right", more);
  const missed =
    result.reason === "signature_mismatch" ? nearMissStandard({ signing, body, secrets, signatureHeader }) : "";
  return finding(false, [sentences[result.reason], missed].filter((part) => part !== "").join(": "), more);
}

function nearMissStandard(missed: {
  readonly signing: { readonly id: string; readonly timestampSeconds: number };
  readonly body: string;
  readonly secrets: readonly string[];
  readonly signatureHeader: string | undefined;
}): string {
  const given = missed.signatureHeader?.split(" ") ?? [];
  const matches = (body: string): boolean =>
    missed.secrets.some((secret) => given.includes(signStandard({ ...missed.signing, body, secret })));
  const { body } = missed;
  if (matches(body.trimEnd()))
    return "it is right without the line break at the end, which was added when it was saved";
  if (matches(body.replaceAll("\r\n", "\n"))) return "it is right with other line breaks than it was saved with";
  const rewritten = rewrittenData(body);
  if (rewritten !== null && matches(rewritten)) {
    return "it is right for the same body in compact JSON; the body was written anew after it came";
  }
  return "the webhook secret, webhook-id, webhook-timestamp or the body differ from what was signed";
}

/** One word for a line of `listen`: whether a receiver should believe it. */
export function trustOf(findings: readonly Finding[]): "verified" | "WRONG" | "unchecked" {
  if (findings.some(({ ok }) => ok === false)) return "WRONG";
  return findings.some(({ ok }) => ok === true) ? "verified" : "unchecked";
}
