import type { AuthData, Callbacks, CallbackToSign, CardUpdateData, ConsumptionData } from "../src/index.ts";

export const credentials = { appId: "app_demo", apiSecret: "Zk3Qm8Xw1Rt6Yp9Lb4Nc7Vd2Hs5Jf0Ga" };
export const webhookSecret = `whsec_${Buffer.from("a webhook secret of thirty-two b").toString("base64")}`;

const merchant_info = { country: "DE", merchant_mcc: "5411", city: "Köln", merchant_name: "Café & Söhne = 咖啡" };

export const authData: AuthData = {
  consume_no: "O1",
  card_no: "C1",
  cardholder_no: "U1",
  type: "Consumption",
  amount: 12.5,
  local_amount: 12.5,
  local_currency: "USD",
  merchant_info,
  status: "Pending",
  time: 1_716_307_200_000,
};

export const consumptionData: ConsumptionData = {
  ...authData,
  consume_relate_no: "",
  fee: 0.5,
  remark: "",
  detail: "",
  fee_detail: [{ amount: 0.5, fee_type: "Consume_fee" }],
  status: "Success",
};

export const cardUpdateData: CardUpdateData = {
  card_no: "C1",
  before_status: "Activated",
  after_status: "Frozen",
  reason: "",
  time: 1_716_307_200_000,
};

/** The nth push about a card: a `Consumption` that no other is like. */
export function consumption(n: number, more: { readonly card?: string; readonly id?: string } = {}): CallbackToSign {
  const { card = "C1", id = `push-${card}-${n}` } = more;
  return { action: "Consumption", id, sequence: n, data: { ...consumptionData, card_no: card, consume_no: `O${n}` } };
}

export interface Answered {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Sends a callback as the platform does. */
export async function send(
  url: string,
  callbacks: Callbacks,
  callback: CallbackToSign,
  changes: { readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answered> {
  const signed = await callbacks.sign(callback);
  const response = await fetch(url, { ...signed, ...changes, headers: { ...signed.headers, ...changes.headers } });
  const text = await response.text();
  const json: unknown = text === "" ? {} : JSON.parse(text);
  return { status: response.status, json: Object.fromEntries(Object.entries(Object(json))) };
}
