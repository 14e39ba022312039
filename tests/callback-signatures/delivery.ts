import { signStandard, signV1 } from "@cardwright/signing";
import { document } from "../docs/documents.ts";

/** A callback on the wire with both signatures. A header that is undefined did not come. */
export interface Delivery {
  readonly headers: DeliveryHeaders;
  readonly body: Buffer;
  /** The receiver's clock. */
  readonly nowMs: number;
}

export type DeliveryHeaders = Readonly<Record<HeaderName, string | undefined>>;

export const headerNames = [
  "sign-version",
  "timestamp",
  "signature",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
] as const;
export type HeaderName = (typeof headerNames)[number];

export const credentials = {
  appId: "app_demo",
  apiSecret: "secret_demo",
  webhookSecret: `whsec_${Buffer.from("a key of exactly 32 bytes, yes!!").toString("base64")}`,
};

const signedAtMs = 1_716_307_200_000;

/** A callback as the platform sends it, half a second on its way. */
export function deliveryOf(callback: {
  readonly id: string;
  readonly body: string;
  readonly dataText: string;
}): Delivery {
  const { id, body, dataText } = callback;
  const { appId, apiSecret, webhookSecret } = credentials;
  const timestamp = String(signedAtMs);
  const timestampSeconds = Math.trunc(signedAtMs / 1_000);
  return {
    headers: {
      "sign-version": "V1",
      timestamp,
      signature: signV1({ appId, apiSecret, timestamp, dataText }),
      "webhook-id": id,
      "webhook-timestamp": String(timestampSeconds),
      "webhook-signature": signStandard({ id, timestampSeconds, body, secret: webhookSecret }),
    },
    body: Buffer.from(body),
    nowMs: signedAtMs + 500,
  };
}

/** What a change may be looking for: texts with & and =, numbers as texts, null, every kind of nesting. */
const dataTexts = [
  '{"a":"x&b=y","c":"2","d":"&&=","e":"1&appId=app_demo"}',
  '{"amount":100,"count":"100","ok":true,"word":"true","none":null,"list":[],"text":"[]"}',
  '{"name":"\ufffd and \ufffd","n":{"name":"\ufffd"}}',
];

/** One for each of the V1 vectors and of the above; some with blanks, with an unknown member, with `data` in front. */
export function genuineDeliveries(): readonly [Delivery, ...Delivery[]] {
  const vectors: readonly { readonly dataText: string }[] = JSON.parse(document("packages/signing/vectors.json"));
  const bodies = [...vectors.map(({ dataText }) => dataText), ...dataTexts].map((dataText, at) => {
    const isNumber = at % 4 === 3;
    const id = isNumber ? String(at) : `push_${at}`;
    const forms = [
      `{"id":"${id}","action":"Consumption","data":${dataText}}`,
      `{"data":${dataText},"action":"Auth","id":"${id}"}`,
      `\n{ "id" : "${id}", "action" : "Card_update", "data" : ${dataText}, "v": ["x", {"data": {}}] }`,
      `{"id":${id},"action":"Consumption","data":${dataText}}`,
    ];
    return deliveryOf({ id, body: forms[at % 4] ?? "", dataText });
  });
  const [first, ...rest] = bodies;
  if (first === undefined) throw new Error("there are no vectors");
  return [first, ...rest];
}
