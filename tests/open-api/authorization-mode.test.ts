import { endpoints } from "@cardwright/contract";
import { type ApiAnswer, encrypt, startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
let merchant: TestCredential;
let cardBinNo: string;
let cardholderNo: string;
let cardNo: string;

const succeeded = new Set<string>();
const day = { start_time: "2026-05-22", end_time: "2026-05-22" };

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("AUTHORIZATION");
  cardBinNo = await api.newBin({ rates: { open_cost: "2", consume_rate: "0.01" }, supportPhysical: true });
  await api.recharge(merchant, "10.00");
  cardholderNo = await api.approvedCardholder(merchant, "user-1");
});
afterAll(() => api.close());

function good(id: (typeof endpoints)[number]["id"], answer: ApiAnswer): ApiAnswer["data"] {
  expect(answer.text).toContain('"code":0,"msg":"Success","data":');
  succeeded.add(id);
  return answer.data;
}

test("tokens and cardholders are the same as in credit mode", async () => {
  const headers = { "Api-Key": merchant.apiKey };
  good("merchant.token", await api.call({ path: "/open-api/v1/merchant/token", headers }));
  const application = { cardholder_unique_no: "user-2", sumsub_share_token: "pending-user-2" };
  good("cardholder.apply", await api.post(merchant, "/cardholder/apply", application));
  const list = good("cardholder.list", await api.post(merchant, "/cardholder/list", day));
  expect(list["list"]).toMatchObject([{ cardholder_unique_no: "user-2" }, { cardholder_unique_no: "user-1" }]);
});

test("the supported BINs are listed with limits and currencies", async () => {
  const list = good("card.support_bins", await api.post(merchant, "/card/support/bins", {}));
  expect(list["list"]).toEqual([
    {
      card_bin_no: cardBinNo,
      card_bin: expect.stringMatching(/^\d{8}$/u),
      organization: "VISA",
      support_physical: true,
      support_virtual: true,
      currencies: ["USD"],
      balance_limit: {
        limit_balance: "5000.00",
        limit_week_balance: "20000.00",
        limit_atm_day_balance: "1000.00",
        limit_atm_month_balance: "10000.00",
      },
    },
  ]);
});

test("a card is opened on a BIN, at the reserve's cost, and shows no package and no fees", async () => {
  const application = {
    card_bin_no: cardBinNo,
    cardholder_no: cardholderNo,
    card_unique_no: "card-1",
    card_type: "Physical",
    address_info: {
      first_name: "Jane",
      last_name: "Miller",
      phone_code: "1",
      phone: "2025550100",
      postal_code: "20001",
      country: "US",
      state: "DC",
      city: "Washington",
      address_line1: "1 Example Avenue",
      address_line2: "Apt. 2",
    },
  };
  const applied = good("card.apply", await api.post(merchant, "/card/apply", application));
  cardNo = textAt(applied, "card_no");
  expect(await api.rooms.merchants.reserveOf(merchant.merchant.merchantId)).toMatchObject({ available: 800n });
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();

  const detail = good("card.detail", await api.get(merchant, `/card/${cardNo}/detail`));
  expect(detail).toMatchObject({ package_name_en: "", package_name_cn: "", status: "ToActivate" });
  expect(detail["fee_detail"]).toMatchObject({ consume_rate: "0", open_cost: "0.00", manage_fee_type: "None" });
  expect(Object.keys(detail["fee_detail"] ?? {})).toHaveLength(22);
  const cards = good("card.list", await api.post(merchant, "/card/list", { ...day, cardholder_no: cardholderNo }));
  expect(cards["list"]).toMatchObject([{ card_no: cardNo, status: "ToActivate" }]);
});

test("the cost of opening is a consumption", async () => {
  const list = good("card.consume_list", await api.post(merchant, "/card/consume/list", day));
  expect(list["list"]).toMatchObject([{ type: "Open_card", amount: "2.00", card_no: cardNo, status: "Success" }]);
  const consumeNo = textAt(list, "list", 0, "consume_no");
  const info = good("card.consume_info", await api.get(merchant, `/card/consume/${consumeNo}/info`));
  expect(info).toMatchObject({ consume_no: consumeNo, fee: "0.00", fee_list: [] });
});

test("a card is activated, gets a PIN, shows its data, and is deleted", async () => {
  const key = { merchantId: merchant.merchant.merchantId, cardNo };
  const revealed = await api.rooms.vault.revealForCardFrame(key);
  if (!revealed.ok) throw new Error("the vault does not know the card");
  const active = {
    cardholder_no: cardholderNo,
    card_no: cardNo,
    cvv: encrypt(merchant, revealed.value.cvv),
    card_last_no: revealed.value.pan.slice(-4),
  };
  good("card.active", await api.post(merchant, "/card/active", active));
  const pin = { card_no: cardNo, cardholder_no: cardholderNo, pin: encrypt(merchant, "193756") };
  good("card.pin_set", await api.post(merchant, "/card/pin/set", pin));
  good("card.private_info", await api.get(merchant, `/card/${cardNo}/private/info`));
  good("merchant.client_token", await api.get(merchant, `/merchant/client/${cardNo}/token`));
  good("card.status_update", await api.post(merchant, "/card/status/update", { card_no: cardNo, status: "Delete" }));
  expect((await api.get(merchant, `/card/${cardNo}/detail`)).data).toMatchObject({ status: "Delete" });
});

test("a cardholder has no accounts and no balance, because the merchant keeps the money", async () => {
  const info = good("cardholder.info", await api.get(merchant, `/cardholder/${cardholderNo}/info`));
  expect(info).toMatchObject({ status: "Approved", total_balance: "0.00", account_list: [] });
  expect(info["card_list"]).toMatchObject([{ card_no: cardNo, status: "Delete" }]);
});

test("every endpoint of authorization mode has answered with success", () => {
  const expected = endpoints.filter(({ mode }) => mode !== "CREDIT_EXTENSION").map(({ id }) => id);
  expect(expected.filter((id) => !succeeded.has(id))).toEqual([]);
});
