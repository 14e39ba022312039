import { call } from "./http.ts";
import type { SandboxMerchant } from "./settings.ts";

/** The operator's desk: what an operator does to let a merchant start, over the operator API. */
export interface OperatorDesk {
  readonly apiUrl: string;
  readonly adminToken: string;
}

async function operate<Body>(
  desk: OperatorDesk,
  request: { method?: "PATCH" | "POST"; path: string; body?: unknown },
): Promise<Body> {
  const { body } = await call<Body>({
    url: `${desk.apiUrl}/operator/v1${request.path}`,
    headers: { Authorization: `Bearer ${desk.adminToken}` },
    ...(request.method === undefined ? {} : { method: request.method }),
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  return body;
}

const limits = {
  limit_balance: "5000.00",
  limit_week_balance: "20000.00",
  limit_atm_day_balance: "1000.00",
  limit_atm_month_balance: "5000.00",
};
const opening = "100000.00";

export interface Programme {
  readonly cardBinNo: string;
  readonly packageNo: string;
}

/** A BIN with its costs and a package on it, as the operator would set up a card programme. */
export async function createProgramme(desk: OperatorDesk): Promise<Programme> {
  const bin = await operate<{ card_bin_no: string }>(desk, {
    path: "/bins",
    body: {
      bin: "49387520",
      organization: "VISA",
      support_virtual: true,
      support_physical: true,
      limits,
      rates: { consume_rate: "0.01" },
    },
  });
  const product = await operate<{ package_no: string }>(desk, {
    path: "/packages",
    body: {
      card_bin_no: bin.card_bin_no,
      en_name: "Everyday",
      cn_name: "日常卡",
      en_desc: "A card for daily shopping.",
      cn_desc: "日常消费卡。",
      support_virtual: true,
      support_physical: true,
      limits,
      rates: { consume_rate: "0.05", atm_rate: "0.02", atm_min_fee: "3.00" },
    },
  });
  return { cardBinNo: bin.card_bin_no, packageNo: product.package_no };
}

/** A merchant with a credential for this machine and a reserve of 100,000.00 USD. */
export async function enrolMerchant(
  desk: OperatorDesk,
  wanted: { readonly name: string; readonly mode: SandboxMerchant["mode"]; readonly programme: Programme },
): Promise<SandboxMerchant> {
  const { name, mode, programme } = wanted;
  const merchant = await operate<{ merchant_no: string; app_id: string }>(desk, {
    path: "/merchants",
    body: { name, mode, pci_enabled: true },
  });
  const credential = await operate<{ api_key: string; api_secret: string; webhook_secret: string }>(desk, {
    path: `/merchants/${merchant.merchant_no}/credentials`,
    body: { label: "sandbox", allow_list: ["127.0.0.1", "::1"] },
  });
  const recharge = await operate<{ recharge_no: string }>(desk, {
    path: "/recharges",
    body: { merchant_no: merchant.merchant_no, amount: opening, currency: "USD", reference: "opening balance" },
  });
  await operate(desk, { method: "POST", path: `/recharges/${recharge.recharge_no}/confirm` });
  return {
    merchantNo: merchant.merchant_no,
    name,
    mode,
    appId: merchant.app_id,
    apiKey: credential.api_key,
    apiSecret: credential.api_secret,
    webhookSecret: credential.webhook_secret,
    productNo: mode === "CREDIT_EXTENSION" ? programme.packageNo : programme.cardBinNo,
  };
}

export async function setCallbackUrl(
  desk: OperatorDesk,
  change: { readonly merchantNo: string; readonly callbackUrl: string },
): Promise<void> {
  await operate(desk, {
    method: "PATCH",
    path: `/merchants/${change.merchantNo}`,
    body: { callback_url: change.callbackUrl },
  });
}

/** Whether this database knows the merchant: the settings of a clone outlive a database that was removed. */
export async function merchantExists(desk: OperatorDesk, merchantNo: string): Promise<boolean> {
  const response = await fetch(`${desk.apiUrl}/operator/v1/merchants/${merchantNo}`, {
    headers: { Authorization: `Bearer ${desk.adminToken}` },
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  return response.ok;
}
