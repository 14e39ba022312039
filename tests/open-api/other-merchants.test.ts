import { type ApiAnswer, encrypt, startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: TestApi;
/** Whose things they are, who asks for them, and a card and cardholder of the one who asks. */
let owner: TestCredential;
let stranger: TestCredential;
let own: Things;
let theirs: Things;

interface Things {
  readonly cardholderNo: string;
  readonly cardNo: string;
  readonly physicalCardNo: string;
  readonly transferNo: string;
  readonly consumeNo: string;
  readonly packageNo: string;
}

const all = { start_time: "2026-05-22", end_time: "2026-05-22" };
const address = {
  first_name: "Jane",
  last_name: "Miller",
  phone_code: "1",
  phone: "2025550100",
  postal_code: "20001",
  country: "US",
  state: "DC",
  city: "Washington",
  address_line1: "1 Example Avenue",
};

beforeAll(async () => {
  api = await startApi();
  owner = await api.newMerchant("CREDIT_EXTENSION");
  stranger = await api.newMerchant("CREDIT_EXTENSION");
  theirs = await things(owner);
  own = await things(stranger);
});
afterAll(() => api.close());

async function things(credential: TestCredential): Promise<Things> {
  const offeredTo = [credential.merchant.merchantId];
  const packageNo = await api.newPackage(await api.newBin({ offeredTo }), { offeredTo });
  const cardholderNo = await api.approvedCardholder(credential);
  const transfer = { cardholder_no: cardholderNo, transfer_unique_no: "t", type: "In", balance: "50" };
  const transferNo = textAt((await api.post(credential, "/account/transfer", transfer)).data, "transfer_no");
  const card = { package_no: packageNo, cardholder_no: cardholderNo, card_unique_no: "v", card_type: "Virtual" };
  const cardNo = textAt((await api.post(credential, "/card/apply", card)).data, "card_no");
  const physical = { ...card, card_unique_no: "p", card_type: "Physical", address_info: address };
  const physicalCardNo = textAt((await api.post(credential, "/card/apply", physical)).data, "card_no");
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();
  const list = await api.post(credential, "/card/consume/list", { ...all, card_no: cardNo });
  const consumeNo = textAt(list.data, "list", 0, "consume_no");
  return { cardholderNo, cardNo, physicalCardNo, transferNo, consumeNo, packageNo };
}

/** Every place of the API where a number goes in: asked with a stranger's number, and with one that nobody has. */
const questions: readonly [string, (numbers: Things, own: Things) => Promise<ApiAnswer>][] = [
  ["cardholder info", ({ cardholderNo }) => api.get(stranger, `/cardholder/${cardholderNo}/info`)],
  [
    "cardholder update",
    ({ cardholderNo }) =>
      api.post(stranger, "/cardholder/apply", {
        cardholder_no: cardholderNo,
        cardholder_unique_no: "u",
        sumsub_share_token: "approve-u",
      }),
  ],
  ["card detail", ({ cardNo }) => api.get(stranger, `/card/${cardNo}/detail`)],
  ["private info", ({ cardNo }) => api.get(stranger, `/card/${cardNo}/private/info`)],
  ["client token", ({ cardNo }) => api.get(stranger, `/merchant/client/${cardNo}/token`)],
  ["freezing", ({ cardNo }) => api.post(stranger, "/card/status/update", { card_no: cardNo, status: "Frozen" })],
  [
    "activation of a card",
    ({ physicalCardNo }, { cardholderNo }) =>
      api.post(stranger, "/card/active", {
        cardholder_no: cardholderNo,
        card_no: physicalCardNo,
        cvv: encrypt(stranger, "123"),
        card_last_no: "1234",
      }),
  ],
  [
    "activation by a cardholder",
    ({ cardholderNo }, { physicalCardNo }) =>
      api.post(stranger, "/card/active", {
        cardholder_no: cardholderNo,
        card_no: physicalCardNo,
        cvv: encrypt(stranger, "123"),
        card_last_no: "1234",
      }),
  ],
  [
    "a card's PIN",
    ({ physicalCardNo }, { cardholderNo }) =>
      api.post(stranger, "/card/pin/set", {
        card_no: physicalCardNo,
        cardholder_no: cardholderNo,
        pin: encrypt(stranger, "193756"),
      }),
  ],
  [
    "a cardholder's PIN",
    ({ cardholderNo }, { physicalCardNo }) =>
      api.post(stranger, "/card/pin/set", {
        card_no: physicalCardNo,
        cardholder_no: cardholderNo,
        pin: encrypt(stranger, "193756"),
      }),
  ],
  [
    "a card for a cardholder",
    ({ cardholderNo }, { packageNo }) =>
      api.post(stranger, "/card/apply", {
        package_no: packageNo,
        cardholder_no: cardholderNo,
        card_unique_no: "x",
        card_type: "Virtual",
      }),
  ],
  [
    "a card on a package",
    ({ packageNo }, { cardholderNo }) =>
      api.post(stranger, "/card/apply", {
        package_no: packageNo,
        cardholder_no: cardholderNo,
        card_unique_no: "x",
        card_type: "Virtual",
      }),
  ],
  [
    "credit",
    ({ cardholderNo }) =>
      api.post(stranger, "/account/transfer", {
        cardholder_no: cardholderNo,
        transfer_unique_no: "x",
        type: "Out",
        balance: "1",
      }),
  ],
  ["account info", ({ cardholderNo }) => api.get(stranger, `/account/${cardholderNo}/info`)],
  [
    "transfers by number",
    ({ transferNo }) => api.post(stranger, "/account/transfer/list", { ...all, transfer_no: transferNo }),
  ],
  [
    "transfers by cardholder",
    ({ cardholderNo }) => api.post(stranger, "/account/transfer/list", { ...all, cardholder_no: cardholderNo }),
  ],
  [
    "cardholders by number",
    ({ cardholderNo }) => api.post(stranger, "/cardholder/list", { ...all, cardholder_no: cardholderNo }),
  ],
  ["cards by number", ({ cardNo }) => api.post(stranger, "/card/list", { ...all, card_no: cardNo })],
  [
    "cards by cardholder",
    ({ cardholderNo }) => api.post(stranger, "/card/list", { ...all, cardholder_no: cardholderNo }),
  ],
  ["packages by number", ({ packageNo }) => api.post(stranger, "/card/package/list", { package_no: packageNo })],
  ["consumption info", ({ consumeNo }) => api.get(stranger, `/card/consume/${consumeNo}/info`)],
  [
    "consumptions by number",
    ({ consumeNo }) => api.post(stranger, "/card/consume/list", { ...all, consume_no: consumeNo }),
  ],
  ["consumptions by card", ({ cardNo }) => api.post(stranger, "/card/consume/list", { ...all, card_no: cardNo })],
];

const nobodys: Things = {
  cardholderNo: "U2026052200000000000000000",
  cardNo: "C2026052200000000000000000",
  physicalCardNo: "C2026052200000000000000001",
  transferNo: "T2026052200000000000000000",
  consumeNo: "O2026052200000000000000000",
  packageNo: "P2026052200000000000000000",
};

/** No numbers at all by our own rules, but texts that a caller can send. */
const impossible: Things = {
  cardholderNo: "no%20number%00",
  cardNo: `C${"9".repeat(500)}`,
  physicalCardNo: `C${"9".repeat(500)}`,
  transferNo: "'; DROP TABLE card; --",
  consumeNo: "%F0%9F%92%B3",
  packageNo: "p".repeat(1_000),
};

test.each(questions)(
  "%s: another merchant's number is answered byte for byte as one that does not exist",
  async (_, ask) => {
    const strangers = await ask(theirs, own);
    const nobody = await ask(nobodys, own);
    expect(strangers.text).toBe(nobody.text);
    expect(strangers.status).toBe(200);
    expect({ ...strangers.headers, date: "", "request-id": "" }).toEqual({
      ...nobody.headers,
      date: "",
      "request-id": "",
    });
    expect((await ask(impossible, own)).text).toBe(nobody.text);
    // The question is a good one: with the caller's own number the answer is another.
    expect((await ask(own, own)).text).not.toBe(nobody.text);
  },
);

test("asking for another merchant's things has changed nothing of them", async () => {
  const card = await api.get(owner, `/card/${theirs.physicalCardNo}/detail`);
  expect(card.data).toMatchObject({ status: "ToActivate" });
  expect((await api.get(owner, `/card/${theirs.cardNo}/detail`)).data).toMatchObject({ status: "Activated" });
  const account = await api.get(owner, `/account/${theirs.cardholderNo}/info`);
  expect(account.data["list"]).toMatchObject([{ balance: "47.00" }]);
});
