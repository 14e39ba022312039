import { endpoints } from "@cardwright/contract";
import {
  type Cardwright,
  ConflictError,
  InsufficientFundsError,
  InvalidRequestError,
  NotFoundError,
  PermissionError,
  toMinorUnits,
} from "@cardwright/sdk";
import { startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answered, clientOf, day } from "./programme.ts";

let api: TestApi;
let merchant: TestCredential;
let client: Cardwright;
let packageNo: string;
let cardholderNo: string;
let cardNo: string;

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("CREDIT_EXTENSION");
  packageNo = await api.newPackage(await api.newBin());
  await api.recharge(merchant, "100.00");
  client = clientOf(api, merchant);
});
afterAll(() => api.close());

test("a cardholder is applied for, found and approved", async () => {
  const application = { cardholder_unique_no: "user-1", sumsub_share_token: "approve-user-1" };
  const applied = await client.cardholders.apply(application);
  cardholderNo = applied.cardholder_no;
  expect(applied).toEqual({ cardholder_no: expect.stringMatching(/^U/u), cardholder_unique_no: "user-1" });
  expect(await client.cardholders.apply(application)).toEqual(applied);
  await api.cardholderBecomes(merchant, cardholderNo, "Approved");

  expect(await client.cardholders.retrieve(cardholderNo)).toMatchObject({ status: "Approved", total_balance: "0.00" });
  const page = await client.cardholders.list(day);
  expect(page).toMatchObject({ list: [{ cardholder_no: cardholderNo }], page: 0, size: 10, hasMore: false });
});

test("credit is transferred once for its unique number", async () => {
  const transfer = {
    cardholder_no: cardholderNo,
    transfer_unique_no: "top-up-1",
    type: "In",
    balance: "50.00",
  } as const;
  const moved = await client.accounts.transfer(transfer);
  expect(moved).toMatchObject({ before_balance: "0.00", after_balance: "50.00" });
  expect(await client.accounts.transfer(transfer)).toEqual(moved);
  const { list } = await client.accounts.retrieve(cardholderNo);
  expect(list.map(({ balance, symbol }) => toMinorUnits(balance, symbol))).toEqual([5_000n]);
  const reused = client.accounts.transfer({ ...transfer, balance: "51.00" });
  await expect(reused).rejects.toBeInstanceOf(ConflictError);
});

test("a walk goes through all pages, each row once, and ends at the first that is not full", async () => {
  for (let at = 2; at <= 8; at += 1) {
    const transfer = { cardholder_no: cardholderNo, transfer_unique_no: `top-up-${at}`, type: "In", balance: "1.00" };
    await client.accounts.transfer({ ...transfer, type: "In" });
  }
  const numbers: string[] = [];
  for await (const row of client.accounts.listTransfers({ ...day, size: 3 })) numbers.push(row.transfer_unique_no);
  expect(numbers).toEqual([8, 7, 6, 5, 4, 3, 2, 1].map((at) => `top-up-${at}`));
  expect(await client.accounts.listTransfers({ ...day, page: 1, size: 3 })).toMatchObject({ page: 1, hasMore: true });
  await expect(client.accounts.listTransfers({ ...day, size: 3 }).all({ pagesMax: 2 })).rejects.toThrow(
    "longer than 2 pages",
  );
});

test("rows that move to the next page while a walk is under way are not given twice", async () => {
  const numbers: string[] = [];
  for await (const row of client.accounts.listTransfers({ ...day, size: 4 })) {
    numbers.push(row.transfer_unique_no);
    if (numbers.length === 4) {
      const transfer = { cardholder_no: cardholderNo, transfer_unique_no: "meanwhile", balance: "1.00" };
      await client.accounts.transfer({ ...transfer, type: "In" });
    }
  }
  expect(numbers).toEqual([8, 7, 6, 5, 4, 3, 2, 1].map((at) => `top-up-${at}`));
});

test("packages are listed, and cards opened on one", async () => {
  const [offered] = await client.products.listPackages().all();
  expect(offered).toMatchObject({ package_no: packageNo, fee_detail: { consume_rate: "0.05" } });
  const application = { package_no: packageNo, cardholder_no: cardholderNo, card_unique_no: "card-1" };
  const { card_no } = await client.cards.apply({ ...application, card_type: "Virtual" });
  cardNo = card_no;
  expect(await client.cards.retrieve(cardNo)).toMatchObject({ status: "Activated", cardholder_no: cardholderNo });
  expect((await client.cards.list({ ...day, card_no: cardNo })).list).toMatchObject([{ card_no: cardNo }]);
});

test("private data is decrypted by the client, and by nobody with another secret", async () => {
  const info = await client.cards.privateInfo(cardNo);
  expect(info).toMatchObject({ card_no: cardNo, cvv: expect.stringMatching(/^\d{3}$/u), exp_year: "2029" });
  const stranger = clientOf(api, { ...merchant, apiSecret: "x".repeat(32) });
  const failed = await stranger.cards.privateInfo(cardNo).catch((error: unknown) => error);
  expect(String(failed)).toContain("cannot be decrypted");
  expect(await client.cards.encryptedPrivateInfo(cardNo)).toMatch(/^[A-Za-z0-9+/]+=*$/u);
});

test("a physical card is activated with its CVV and gets a PIN, both in plain for the caller alone", async () => {
  const address_info = {
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
  const physical = await client.cards.apply({
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: "card-2",
    card_type: "Physical",
    address_info,
  });
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();
  const { cvv, pan } = await client.cards.privateInfo(physical.card_no);
  const card = { card_no: physical.card_no, cardholder_no: cardholderNo };
  const wrong = client.cards.activate({ ...card, cvv: cvv === "000" ? "001" : "000", card_last_no: pan.slice(-4) });
  await expect(wrong).rejects.toMatchObject({ code: 4008, reason: "cvv_mismatch" });
  expect(await client.cards.activate({ ...card, cvv, card_last_no: pan.slice(-4) })).toEqual({ result: true });
  expect(await client.cards.setPin({ ...card, pin: "193756" })).toEqual({ result: true });
  await expect(client.cards.setPin({ ...card, pin: "111111" })).rejects.toBeInstanceOf(InvalidRequestError);
  expect(await client.cards.createClientToken(physical.card_no)).toMatchObject({ expires_in: 60 });
  expect(await client.cards.updateStatus({ card_no: physical.card_no, status: "Frozen" })).toEqual({ result: true });
});

test("consumptions are listed and shown with their fees", async () => {
  const rows = await client.consumptions.list({ ...day, card_no: cardNo }).all();
  expect(rows).toMatchObject([{ type: "Open_card", amount: "1.50" }]);
  const consumption = await client.consumptions.retrieve(rows[0]?.consume_no ?? "");
  expect(consumption).toMatchObject({ fee: "0.00", fee_list: [], merchant_info: { merchant_name: "" } });
});

test("a refusal says its code, its name, the field and the call, in the language of the client", async () => {
  const wrong = await client.cards.list({ start_time: "yesterday", end_time: "2026-05-22" }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(wrong).toBeInstanceOf(InvalidRequestError);
  expect(wrong).toMatchObject({
    code: 1004,
    reason: "invalid_parameter",
    field: "start_time",
    msg: "start_time invalid parameter",
    httpStatus: 200,
    call: "POST /open-api/v1/card/list",
    requestId: expect.stringMatching(/\S/u),
  });
  const chinese = clientOf(api, merchant, { language: "zh_CN" }).cardholders.list({ ...day, size: 101 });
  await expect(chinese).rejects.toMatchObject({ field: "size", msg: "size 参数无效" });
  await expect(client.cards.retrieve("C1")).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.products.listBins()).rejects.toBeInstanceOf(PermissionError);
  const tooMuch = { cardholder_no: cardholderNo, transfer_unique_no: "out", type: "Out", balance: "1000.00" } as const;
  await expect(client.accounts.transfer(tooMuch)).rejects.toBeInstanceOf(InsufficientFundsError);
});

test("the zone of a client decides which day a list means", async () => {
  const evening = { start_time: "2026-05-21", end_time: "2026-05-21" };
  // The clock stands at 08:00 UTC: far in the west it is the evening before.
  expect((await client.cardholders.list(evening, { timezone: "UTC-12" })).list).toHaveLength(1);
  expect((await client.cardholders.list(evening)).list).toHaveLength(0);
});

test("every endpoint of credit mode was called", () => {
  const expected = endpoints.filter(({ mode }) => mode !== "AUTHORIZATION").map(({ id }) => id);
  expect(expected.filter((id) => !answered.has(id))).toEqual([]);
});
