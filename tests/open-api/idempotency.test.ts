import { type ApiAnswer, startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
let merchant: TestCredential;
let cardholderNo: string;
let packageNo: string;
const day = { start_time: "2026-05-22", end_time: "2026-05-22" };
const callers = 20;

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("CREDIT_EXTENSION");
  packageNo = await api.newPackage(await api.newBin(), { cardsPerCardholderMax: 50 });
  cardholderNo = await api.approvedCardholder(merchant, "user-1");
  await transfer({ transfer_unique_no: "start", balance: "100" });
});
afterAll(() => api.close());

function transfer(changes: object, credential = merchant): Promise<ApiAnswer> {
  const body = { cardholder_no: cardholderNo, transfer_unique_no: "t", type: "In", balance: "1.00", ...changes };
  return api.post(credential, "/account/transfer", body);
}

function apply(changes: object): Promise<ApiAnswer> {
  const body = {
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: "c",
    card_type: "Virtual",
    ...changes,
  };
  return api.post(merchant, "/card/apply", body);
}

async function balance(): Promise<string> {
  const { data } = await api.get(merchant, `/account/${cardholderNo}/info`);
  return textAt(data, "list", 0, "balance");
}

async function rows(path: string, filter: object): Promise<number> {
  const { data } = await api.post(merchant, path, { ...day, ...filter, size: 100 });
  return (data["list"] as unknown as unknown[]).length;
}

const race = (call: (index: number) => Promise<ApiAnswer>) =>
  Promise.all(Array.from({ length: callers }, (_, at) => call(at)));
const textsOf = (answers: readonly ApiAnswer[]) => [...new Set(answers.map(({ text }) => text))];

test("20 racing transfers with one number and one content move the money once and answer alike", async () => {
  const before = Number(await balance());
  const answers = await race(() => transfer({ transfer_unique_no: "race-1", balance: "3" }));
  expect(textsOf(answers)).toHaveLength(1);
  expect(answers[0]?.code).toBe(0);
  expect(Number(await balance())).toBe(before + 3);
  expect(await rows("/account/transfer/list", { transfer_unique_no: "race-1" })).toBe(1);
});

test("of 20 racing transfers with one number and different contents one succeeds and the rest are 3004", async () => {
  const answers = await race((index) => transfer({ transfer_unique_no: "race-2", balance: `${index + 1}` }));
  expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, ...Array(callers - 1).fill(3004)]);
  expect(await rows("/account/transfer/list", { transfer_unique_no: "race-2" })).toBe(1);
});

test("20 racing card applications with one number open one card and take its cost once", async () => {
  const before = Number(await balance());
  const answers = await race(() => apply({ card_unique_no: "race-1" }));
  expect(textsOf(answers)).toHaveLength(1);
  expect(answers[0]?.code).toBe(0);
  expect(await rows("/card/list", { card_unique_no: "race-1" })).toBe(1);
  expect(Number(await balance())).toBe(before - 1.5);
});

test("of 20 racing card applications with one number and different contents one succeeds and the rest are 4004", async () => {
  const answers = await race((index) =>
    apply({
      card_unique_no: "race-2",
      address_info: { postal_code: "20001", country: "US", state: "DC", city: "W", address_line1: `${index}` },
    }),
  );
  expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, ...Array(callers - 1).fill(4004)]);
});

test("20 racing cardholder applications with one number and share token make one cardholder", async () => {
  const body = { cardholder_unique_no: "race-user", sumsub_share_token: "approve-race" };
  const answers = await race(() => api.post(merchant, "/cardholder/apply", body));
  expect(textsOf(answers)).toHaveLength(1);
  expect(answers[0]?.code).toBe(0);
  expect(await rows("/cardholder/list", { cardholder_unique_no: "race-user" })).toBe(1);
});

test("of racing cardholder applications with one number and different share tokens one succeeds and the rest are 2001", async () => {
  const answers = await race((index) =>
    api.post(merchant, "/cardholder/apply", {
      cardholder_unique_no: "race-user-2",
      sumsub_share_token: `approve-race-${index}`,
    }),
  );
  expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, ...Array(callers - 1).fill(2001)]);
});

test("content is compared by meaning: amounts by value, type by case, absent as empty, any key order, any credential", async () => {
  const first = await transfer({ transfer_unique_no: "same-1", balance: "1" });
  for (const alike of [
    { balance: "1.0" },
    { balance: "1.00" },
    { type: "IN" },
    { type: "in" },
    { unknown_field: [1, 2] },
  ]) {
    expect((await transfer({ transfer_unique_no: "same-1", balance: "1", ...alike })).text).toBe(first.text);
  }
  const turned = `{"balance":"1","type":"In","transfer_unique_no":"same-1","cardholder_no":"${cardholderNo}"}`;
  expect((await api.post(merchant, "/account/transfer", turned)).text).toBe(first.text);
  const second = await api.newCredential(merchant.merchant);
  expect((await transfer({ transfer_unique_no: "same-1" }, second)).text).toBe(first.text);
  for (const other of [{ balance: "1.01" }, { type: "Out" }]) {
    expect((await transfer({ transfer_unique_no: "same-1", balance: "1", ...other })).code).toBe(3004);
  }

  const address = { postal_code: "20001", country: "US", state: "DC", city: "Washington", address_line1: "1 Example" };
  const card = await apply({ card_unique_no: "same-2", address_info: address });
  const padded = { ...address, address_line2: "", first_name: null, last_name: "  " };
  expect((await apply({ card_unique_no: "same-2", address_info: padded, card_bin_no: "" })).text).toBe(card.text);
  const reversed = Object.fromEntries(Object.entries(address).toReversed());
  expect((await apply({ card_unique_no: "same-2", address_info: reversed })).text).toBe(card.text);
  expect((await apply({ card_unique_no: "same-2" })).code).toBe(4004);
  expect((await apply({ card_unique_no: "same-2", address_info: { ...address, city: "Boston" } })).code).toBe(4004);
});

test("a refused call uses no number up, and may come again changed", async () => {
  const tooMuch = { transfer_unique_no: "again-1", type: "Out", balance: "1000000" };
  expect((await transfer(tooMuch)).code).toBe(3002);
  expect((await transfer({ transfer_unique_no: "again-1", balance: "2" })).code).toBe(0);
  expect((await apply({ card_unique_no: "again-2", cardholder_no: "U202605220001" })).code).toBe(2002);
  expect((await apply({ card_unique_no: "again-2" })).code).toBe(0);
  const refused = { cardholder_unique_no: "again-3", sumsub_share_token: "down-1" };
  expect((await api.post(merchant, "/cardholder/apply", refused)).code).toBe(2006);
  const better = { cardholder_unique_no: "again-3", sumsub_share_token: "approve-again-3" };
  expect((await api.post(merchant, "/cardholder/apply", better)).code).toBe(0);
});

test("a repeat answers the first result, whatever has happened since", async () => {
  const first = await transfer({ transfer_unique_no: "later-1", balance: "5" });
  const card = await apply({ card_unique_no: "later-2" });
  await transfer({ transfer_unique_no: "later-3", type: "Out", balance: "5" });
  const cardNo = textAt(card.data, "card_no");
  await api.post(merchant, "/card/status/update", { card_no: cardNo, status: "Delete" });
  api.clock.advance(40 * 86_400_000);
  expect((await transfer({ transfer_unique_no: "later-1", balance: "5" })).text).toBe(first.text);
  expect((await apply({ card_unique_no: "later-2" })).text).toBe(card.text);
});

test("two merchants may use the same numbers", async () => {
  const other = await api.newMerchant("CREDIT_EXTENSION");
  const theirs = await api.approvedCardholder(other, "user-1");
  const body = { cardholder_no: theirs, transfer_unique_no: "start", type: "In", balance: "7" };
  expect((await api.post(other, "/account/transfer", body)).data).toMatchObject({ after_balance: "7.00" });
});

test("20 racing transfers out of an account that covers ten of them: ten succeed, the rest are 3002, nothing is lost", async () => {
  const drained = await api.approvedCardholder(merchant);
  await transfer({ cardholder_no: drained, transfer_unique_no: "fill", balance: "10" });
  const answers = await race((index) =>
    transfer({ cardholder_no: drained, transfer_unique_no: `drain-${index}`, type: "Out", balance: "1" }),
  );
  expect(answers.filter(({ code }) => code === 0)).toHaveLength(10);
  expect(answers.filter(({ code }) => code === 3002)).toHaveLength(10);
  const { data } = await api.get(merchant, `/account/${drained}/info`);
  expect(data["list"]).toMatchObject([{ balance: "0.00" }]);
});
