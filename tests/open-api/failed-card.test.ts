import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyLedger } from "../../apps/server/src/ledger/index.ts";
import { startApi, type TestApi, textAt } from "../support/api.ts";

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const day = { start_time: "2026-05-22", end_time: "2026-05-22" };
/** The sandbox's card maker cannot make a card for an address with "fail" in it. */
const addressInfo = {
  first_name: "Jane",
  last_name: "Miller",
  phone_code: "44",
  phone: "7700900123",
  postal_code: "SW1A 1AA",
  country: "GB",
  state: "England",
  city: "London",
  address_line1: "1 fail Street",
};

test("a card that cannot be made is Fail, and its opening cost is given back on both sides", async () => {
  const merchant = await api.newMerchant("CREDIT_EXTENSION");
  const cardBinNo = await api.newBin({ rates: { open_cost: "0.25" }, supportPhysical: true });
  const packageNo = await api.newPackage(cardBinNo, { supportPhysical: true });
  await api.recharge(merchant, "10.00");
  const cardholderNo = await api.approvedCardholder(merchant);
  await api.post(merchant, "/account/transfer", {
    cardholder_no: cardholderNo,
    transfer_unique_no: "opening",
    type: "In",
    balance: "5.00",
  });
  const applied = await api.post(merchant, "/card/apply", {
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: "unlucky",
    card_type: "Physical",
    address_info: addressInfo,
  });
  const cardNo = textAt(applied.data, "card_no");
  const balances = async () => ({
    credit: textAt((await api.get(merchant, `/account/${cardholderNo}/info`)).data, "list", 0, "balance"),
    reserve: (await api.rooms.merchants.reserveOf(merchant.merchant.merchantId))?.available,
  });
  expect(await balances()).toEqual({ credit: "3.50", reserve: 975n });

  // Ordered in the first round, found to have failed in the second; a third changes nothing.
  for (let round = 0; round < 3; round += 1) {
    await api.rooms.cards.advanceMaking();
  }
  expect(textAt((await api.get(merchant, `/card/${cardNo}/detail`)).data, "status")).toBe("Fail");
  expect(await balances()).toEqual({ credit: "5.00", reserve: 1_000n });

  const list = await api.post(merchant, "/card/consume/list", { ...day, card_no: cardNo });
  const openingNo = textAt(list.data, "list", 1, "consume_no");
  expect(list.data?.["list"]).toMatchObject([
    { type: "Refund", amount: "1.50", consume_relate_no: openingNo, status: "Success" },
    { type: "Open_card", amount: "1.50", consume_relate_no: "", status: "Success" },
  ]);
  const { rows } = await api.db.pool.query(
    "SELECT action, sequence::integer FROM any_callback WHERE card_no = $1 ORDER BY sequence",
    [cardNo],
  );
  expect(rows).toEqual([
    { action: "Consumption", sequence: 1 },
    { action: "Card_update", sequence: 2 },
    { action: "Consumption", sequence: 3 },
  ]);
  expect((await verifyLedger(api.db.pool)).broken).toEqual([]);
});
