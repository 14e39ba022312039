import { endpoints } from "@cardwright/contract";
import {
  type ApiAnswer,
  decrypt,
  encrypt,
  startApi,
  type TestApi,
  type TestCredential,
  textAt,
} from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
let merchant: TestCredential;
let cardBinNo: string;
let packageNo: string;
let cardholderNo: string;
let virtualCardNo: string;
let physicalCardNo: string;
let pan: string;
let cvv: string;

/** Every endpoint that answered with success, so that none is forgotten. */
const succeeded = new Set<string>();

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("CREDIT_EXTENSION");
  cardBinNo = await api.newBin({ rates: { open_cost: "0.25" } });
  packageNo = await api.newPackage(cardBinNo);
  await api.recharge(merchant, "100.00");
});
afterAll(() => api.close());

const day = { start_time: "2026-05-22", end_time: "2026-05-22" };
const address = {
  first_name: "Jane",
  last_name: "Miller",
  phone_code: "44",
  phone: "7700900123",
  postal_code: "SW1A 1AA",
  country: "GB",
  state: "England",
  city: "London",
  address_line1: "10 Example Street",
};

function good(id: (typeof endpoints)[number]["id"], answer: ApiAnswer): ApiAnswer["data"] {
  expect(answer.text).toContain('"code":0,"msg":"Success","data":');
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(answer.headers["cache-control"]).toBe("no-store");
  succeeded.add(id);
  return answer.data;
}

test("Get Token gives a token for 24 hours, without a Timestamp", async () => {
  const headers = { "Api-Key": merchant.apiKey };
  const data = good("merchant.token", await api.call({ path: "/open-api/v1/merchant/token", headers }));
  expect(data).toEqual({
    access_token: expect.stringMatching(/^at_[A-Za-z0-9_-]+$/u),
    expired_time: api.clock.now() + 86_400_000,
  });
});

test("a cardholder is applied for, found in the list, and becomes Approved", async () => {
  const applied = await api.post(merchant, "/cardholder/apply", {
    cardholder_unique_no: "user-1",
    sumsub_share_token: "approve-user-1",
  });
  const data = good("cardholder.apply", applied);
  cardholderNo = textAt(data, "cardholder_no");
  expect(data).toEqual({ cardholder_no: expect.stringMatching(/^U20260522/u), cardholder_unique_no: "user-1" });

  await api.cardholderBecomes(merchant, cardholderNo, "Approved");
  const list = good("cardholder.list", await api.post(merchant, "/cardholder/list", day));
  expect(list).toEqual({
    list: [
      {
        cardholder_no: cardholderNo,
        cardholder_unique_no: "user-1",
        email: expect.stringContaining("@"),
        fail_reason: "",
        status: "Approved",
        time: api.clock.now(),
      },
    ],
  });
});

test("credit is transferred in and out, and shown in the account and in the list of transfers", async () => {
  const transfer = { cardholder_no: cardholderNo, transfer_unique_no: "top-up-1", type: "in", balance: "100" };
  const moved = good("account.transfer", await api.post(merchant, "/account/transfer", transfer));
  expect(moved).toEqual({
    transfer_no: expect.stringMatching(/^T20260522/u),
    transfer_unique_no: "top-up-1",
    before_balance: "0.00",
    after_balance: "100.00",
  });
  const back = { ...transfer, transfer_unique_no: "back-1", type: "OUT", balance: "0.5" };
  const out = await api.post(merchant, "/account/transfer", back);
  expect(out.data).toMatchObject({ before_balance: "100.00", after_balance: "99.50" });

  const account = {
    cardholder_no: cardholderNo,
    symbol: "TUSDT",
    symbol_chain: "TRC20",
    balance: "99.50",
    usd_balance: "99.50",
    bonus_balance: "0.00",
    usd_bonus_balance: "0.00",
    frozen_balance: "0.00",
    usd_frozen_balance: "0.00",
  };
  expect(good("account.info", await api.get(merchant, `/account/${cardholderNo}/info`))).toEqual({ list: [account] });

  const list = good("account.transfer_list", await api.post(merchant, "/account/transfer/list", day));
  expect(list["list"]).toEqual([
    {
      transfer_no: out.data["transfer_no"],
      transfer_unique_no: "back-1",
      cardholder_no: cardholderNo,
      type: "Out",
      balance: "0.50",
      before_balance: "100.00",
      after_balance: "99.50",
      status: "Success",
      time: api.clock.now(),
    },
    expect.objectContaining({ transfer_no: moved["transfer_no"], type: "In", balance: "100.00" }),
  ]);
});

test("the package list shows names, limits and every fee of the package", async () => {
  const data = good("card.package_list", await api.post(merchant, "/card/package/list", { type: "Virtual" }));
  expect(data["list"]).toEqual([
    {
      package_no: packageNo,
      package_en_name: "Everyday",
      package_cn_name: "日常卡",
      card_bin: expect.stringMatching(/^\d{8}$/u),
      card_bin_no: cardBinNo,
      organization: "VISA",
      package_type: "Virtual,Physical",
      en_desc: "For daily purchases.",
      cn_desc: "适合日常消费。",
      en_tag_list: ["Online"],
      cn_tag_list: ["线上"],
      consumption_limit: {
        limit_balance: "1000.00",
        limit_week_balance: "5000.00",
        limit_atm_day_balance: "500.00",
        limit_atm_month_balance: "2000.00",
      },
      fee_detail: feeDetail,
    },
  ]);
});

const feeDetail = {
  consume_rate: "0.05",
  open_cost: "1.50",
  cross_consume_rate: "0.07",
  small_consume_threshold: "0.00",
  small_consume_deduct: "0.00",
  free_small_consume_count: 0,
  free_small_excuse_type: "None",
  free_small_excuse_days: 0,
  refund_rate: "0",
  consume_cancle_fee: "0.00",
  consume_cancel_threshold: "0.00",
  decline_fee: "0.00",
  decline_fee_free_count: 0,
  decline_fee_free_type: "None",
  decline_fee_free_days: 0,
  atm_rate: "0",
  atm_min_fee: "0.00",
  apple_pay_fee: "0.00",
  manage_fee_type: "None",
  manage_fee: "0.00",
  management_fee_free_type: "None",
  free_management_fee_threshold: "0.00",
};

test("a virtual card is opened at once, at the package's cost", async () => {
  const application = {
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: "card-1",
    card_type: "Virtual",
  };
  const data = good("card.apply", await api.post(merchant, "/card/apply", application));
  virtualCardNo = textAt(data, "card_no");
  expect(data).toEqual({ card_no: expect.stringMatching(/^C20260522/u), card_unique_no: "card-1" });

  expect(good("card.detail", await api.get(merchant, `/card/${virtualCardNo}/detail`))).toEqual({
    card_no: virtualCardNo,
    card_unique_no: "card-1",
    cardholder_no: cardholderNo,
    card_name: "ADA EXAMPLE",
    package_name_en: "Everyday",
    package_name_cn: "日常卡",
    card_type: "Virtual",
    organization: "VISA",
    card_last_no: expect.stringMatching(/^\d{4}$/u),
    fee_detail: feeDetail,
    status: "Activated",
    time: api.clock.now(),
  });
});

test("opening a card is a consumption with its cost, found alone and in the list", async () => {
  const list = good(
    "card.consume_list",
    await api.post(merchant, "/card/consume/list", { ...day, card_no: virtualCardNo }),
  );
  const row = {
    consume_no: expect.stringMatching(/^O20260522/u),
    consume_relate_no: "",
    card_no: virtualCardNo,
    cardholder_no: cardholderNo,
    type: "Open_card",
    amount: "1.50",
    local_amount: "1.50",
    local_currency: "USD",
    fee: "0.00",
    remark: "",
    detail: "",
    status: "Success",
    time: api.clock.now(),
  };
  expect(list["list"]).toEqual([row]);
  const consumeNo = textAt(list, "list", 0, "consume_no");
  expect(good("card.consume_info", await api.get(merchant, `/card/consume/${consumeNo}/info`))).toEqual({
    ...row,
    fee_list: [],
    merchant_info: { country: "", merchant_mcc: "", city: "", merchant_name: "" },
  });
});

test("a purchase shows its fees one by one, and what it holds is frozen", async () => {
  const card = JSON.parse(decrypt(merchant, await privateInfoOf(virtualCardNo))) as Record<string, string>;
  pan = card["pan"] ?? "";
  const decided = await api.rooms.authorization.authorize({
    networkReference: "purchase-1",
    pan,
    expiry: { year: Number(textAt(card, "exp_year")), month: Number(textAt(card, "exp_month")) },
    cvv: card["cvv"] ?? "",
    kind: "purchase",
    wallet: false,
    partialAllowed: false,
    amount: 2_000n,
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    incrementOf: null,
    recurring: false,
    acceptor: { name: "Corner Market", mcc: "5411", city: "Berlin", country: "DE" },
  });
  expect(decided).toMatchObject({ approved: true });
  const { data } = await api.get(merchant, `/card/consume/${decided.consumeNo}/info`);
  expect(data).toMatchObject({
    type: "Consumption",
    amount: "20.00",
    fee: "1.00",
    fee_list: [{ fee_type: "Consume_fee", amount: "1.00" }],
    merchant_info: { country: "DE", merchant_mcc: "5411", city: "Berlin", merchant_name: "Corner Market" },
    status: "Pending",
  });
  const account = await api.get(merchant, `/account/${cardholderNo}/info`);
  expect(account.data["list"]).toMatchObject([
    { balance: "98.00", frozen_balance: "21.00", usd_frozen_balance: "21.00" },
  ]);
});

test("a physical card is made, activated with its CVV, and gets a PIN", async () => {
  const application = {
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: "card-2",
    card_type: "Physical",
    address_info: address,
  };
  const applied = await api.post(merchant, "/card/apply", application);
  physicalCardNo = textAt(applied.data, "card_no");
  const pending = await api.get(merchant, `/card/${physicalCardNo}/detail`);
  expect(pending.data).toMatchObject({ status: "Pending", card_last_no: "", card_name: "JANE MILLER" });
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();

  const plain = JSON.parse(decrypt(merchant, await privateInfoOf(physicalCardNo))) as Record<string, string>;
  pan = plain["pan"] ?? "";
  cvv = plain["cvv"] ?? "";
  const active = {
    cardholder_no: cardholderNo,
    card_no: physicalCardNo,
    cvv: encrypt(merchant, cvv),
    card_last_no: pan.slice(-4),
  };
  expect(good("card.active", await api.post(merchant, "/card/active", active))).toEqual({ result: true });
  const pin = { card_no: physicalCardNo, cardholder_no: cardholderNo, pin: encrypt(merchant, "193756") };
  expect(good("card.pin_set", await api.post(merchant, "/card/pin/set", pin))).toEqual({ result: true });

  const list = good("card.list", await api.post(merchant, "/card/list", day));
  expect(list["list"]).toEqual([
    {
      card_no: physicalCardNo,
      card_unique_no: "card-2",
      cardholder_no: cardholderNo,
      card_type: "Physical",
      card_last_no: pan.slice(-4),
      organization: "VISA",
      status: "Activated",
      time: api.clock.now(),
    },
    expect.objectContaining({ card_no: virtualCardNo, status: "Activated" }),
  ]);
});

async function privateInfoOf(cardNo: string): Promise<string> {
  return textAt(good("card.private_info", await api.get(merchant, `/card/${cardNo}/private/info`)));
}

test("private info is a Base64 text that only the calling credential's secret opens", async () => {
  const second = await api.newCredential(merchant.merchant);
  const cipherText = await privateInfoOf(physicalCardNo);
  expect(JSON.parse(decrypt(merchant, cipherText))).toEqual({
    card_no: physicalCardNo,
    card_unique_no: "card-2",
    cvv,
    pan,
    exp_year: "2029",
    exp_month: "05",
  });
  const other = await api.get(second, `/card/${physicalCardNo}/private/info`);
  expect(JSON.parse(decrypt(second, textAt(other.data)))).toMatchObject({ pan });
  expect(other.data).not.toBe(cipherText);
});

test("a card is frozen, unfrozen and deleted", async () => {
  for (const status of ["Frozen", "Frozen", "Activated", "Delete"]) {
    const changed = await api.post(merchant, "/card/status/update", { card_no: physicalCardNo, status });
    expect(good("card.status_update", changed)).toEqual({ result: true });
    expect((await api.get(merchant, `/card/${physicalCardNo}/detail`)).data["status"]).toBe(status);
  }
});

test("a client token opens the card frame for its card once", async () => {
  const data = good("merchant.client_token", await api.get(merchant, `/merchant/client/${virtualCardNo}/token`));
  expect(data).toEqual({ client_access_token: expect.stringMatching(/^ct_/u), expires_in: 60 });
  const token = textAt(data, "client_access_token");
  const key = { merchantId: merchant.merchant.merchantId, cardNo: virtualCardNo };
  expect(await api.rooms.cards.redeemClientToken(token)).toEqual(key);
  expect(await api.rooms.cards.redeemClientToken(token)).toBeNull();
});

test("a cardholder's info has its balance, issued cards and account", async () => {
  const info = good("cardholder.info", await api.get(merchant, `/cardholder/${cardholderNo}/info`));
  expect(info).toEqual({
    cardholder_no: cardholderNo,
    cardholder_unique_no: "user-1",
    email: expect.stringContaining("@"),
    status: "Approved",
    total_balance: "96.50",
    time: api.clock.now(),
    card_list: [
      {
        card_no: physicalCardNo,
        card_unique_no: "card-2",
        card_type: "Physical",
        card_last_no: pan.slice(-4),
        organization: "VISA",
        status: "Delete",
      },
      expect.objectContaining({ card_no: virtualCardNo }),
    ],
    account_list: [expect.objectContaining({ balance: "96.50", frozen_balance: "21.00" })],
  });
});

test("every endpoint of credit mode has answered with success", () => {
  const expected = endpoints.filter(({ mode }) => mode !== "AUTHORIZATION").map(({ id }) => id);
  expect(expected.filter((id) => !succeeded.has(id))).toEqual([]);
});
