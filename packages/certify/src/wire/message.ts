import { signStandard, signV1 } from "@cardwright/signing";

export type Action = "Auth" | "Consumption" | "Card_update";

/** A callback before it is signed. */
export interface Message {
  readonly id: string;
  /** One of the contract's three, or one that it may have one day. */
  readonly action: string;
  /** The JSON text of `data`, sent and signed exactly as it is. */
  readonly dataText: string;
  /** JSON text of further members of the body, each with its leading comma; normally empty. */
  readonly moreText?: string;
}

export interface Seal {
  readonly appId: string;
  readonly apiSecret: string;
  /** Null: V1 alone, as the platform does for a merchant without a webhook secret. */
  readonly webhookSecret: string | null;
  /** Unix ms. */
  readonly timestampMs: number;
}

/** A request as it goes onto the wire. */
export interface Envelope {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Headers and body of a callback (contract section 6), as the platform sends them. */
export function sealed(message: Message, seal: Seal): Envelope {
  const { appId, apiSecret, timestampMs } = seal;
  const timestamp = String(timestampMs);
  const bodyText = bodyOf(message);
  return {
    headers: {
      "Content-Type": "application/json",
      Timestamp: timestamp,
      Signature: signV1({ appId, apiSecret, timestamp, dataText: message.dataText }),
      "Sign-Version": "V1",
      Timezone: "UTC+8",
      ...(message.action === "Auth" ? { "Deadline-Ms": "800" } : { Attempt: "1" }),
      ...standardHeaders(message.id, bodyText, seal),
    },
    body: Buffer.from(bodyText),
  };
}

export function bodyOf({ id, action, dataText, moreText = "" }: Message): string {
  return `{"id":${JSON.stringify(id)},"action":${JSON.stringify(action)},"data":${dataText}${moreText}}`;
}

function standardHeaders(id: string, body: string, { webhookSecret, timestampMs }: Seal): Record<string, string> {
  if (webhookSecret === null) {
    return {};
  }
  const timestampSeconds = Math.floor(timestampMs / 1000);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signStandard({ id, timestampSeconds, body, secret: webhookSecret }),
  };
}

/** The same request with some headers changed; `null` takes one away. */
export function withHeaders(envelope: Envelope, changes: Readonly<Record<string, string | null>>): Envelope {
  const headers: Record<string, string> = { ...envelope.headers };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) {
      delete headers[name];
    } else if (name in headers || !name.startsWith("webhook-")) {
      headers[name] = value;
    }
  }
  return { ...envelope, headers };
}
