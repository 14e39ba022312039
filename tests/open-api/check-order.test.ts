import { type ApiAnswer, encrypt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  activate,
  address,
  api,
  apply,
  approved,
  closeScene,
  credit,
  cvv,
  lastFour,
  openCard,
  openScene,
  other,
  packageNo,
  pending,
  physicalCard,
  rejected,
  setPin,
  transfer,
  virtualCard,
  virtualOnly,
  wrongCvv,
} from "./error-scene.ts";

beforeAll(openScene);
afterAll(closeScene);

type Mend = () => object | Promise<object>;

/** Contract section 9, "Order of checks per endpoint": each mend takes one fault away; answers the code before each and at the end. */
async function codesOf(
  call: (changes: object) => Promise<ApiAnswer>,
  wrong: object,
  mends: readonly Mend[],
): Promise<number[]> {
  let changes = wrong;
  const codes = [(await call(changes)).code];
  for (const mend of mends) {
    changes = { ...changes, ...(await mend()) };
    codes.push((await call(changes)).code);
  }
  return codes;
}

const otherLastFour = () => (lastFour === "0000" ? "0001" : "0000");

test("card/active: syntax, existence, ownership, type, status, decryption, then values", async () => {
  const making = await openCard({ card_unique_no: "making", card_type: "Physical", address_info: address });
  const codes = await codesOf(activate, { card_last_no: "12", cardholder_no: "U1", card_no: "C1", cvv: "plain" }, [
    () => ({ card_last_no: otherLastFour() }),
    () => ({ cardholder_no: other }),
    () => ({ card_no: virtualCard }),
    () => ({ cardholder_no: approved }),
    () => ({ card_no: making }),
    () => ({ card_no: physicalCard }),
    () => ({ cvv: wrongCvv() }),
    () => ({ card_last_no: lastFour }),
    () => ({ cvv: encrypt(credit, cvv) }),
  ]);
  expect(codes).toEqual([1004, 2002, 4001, 4012, 4017, 4011, 4014, 4009, 4008, 0]);
});

test("card/active on an active card is a success without effect, and on a frozen one 4011", async () => {
  expect((await activate({ cvv: "plain", card_last_no: otherLastFour() })).data).toEqual({ result: true });
  await api.post(credit, "/card/status/update", { card_no: physicalCard, status: "Frozen" });
  expect((await activate({})).code).toBe(4011);
  await api.post(credit, "/card/status/update", { card_no: physicalCard, status: "Activated" });
});

test("card/pin/set: syntax, existence, ownership, type, status, decryption, then the PIN", async () => {
  await api.post(credit, "/card/status/update", { card_no: physicalCard, status: "Frozen" });
  const codes = await codesOf(setPin, { pin: "", card_no: "C1", cardholder_no: "U1" }, [
    () => ({ pin: "193756" }),
    () => ({ card_no: virtualCard }),
    () => ({ cardholder_no: other }),
    () => ({ cardholder_no: approved }),
    () => ({ card_no: physicalCard }),
    thaw,
    () => ({ pin: encrypt(credit, "12345") }),
    () => ({ pin: encrypt(credit, "193756") }),
  ]);
  expect(codes).toEqual([1004, 4001, 2002, 4012, 4017, 4005, 4014, 4016, 0]);
});

async function thaw(): Promise<object> {
  await changed(physicalCard, "Activated");
  return {};
}

test("card/apply: syntax, product, cardholder, type, status, then money", async () => {
  const codes = await codesOf(
    apply,
    { card_type: "Physical", package_no: "P1", cardholder_no: "U1", card_unique_no: "ladder" },
    [
      () => ({ address_info: address }),
      () => ({ package_no: virtualOnly }),
      () => ({ cardholder_no: rejected }),
      () => ({ card_type: "Virtual" }),
      () => ({ cardholder_no: approved }),
      () => ({ package_no: packageNo }),
    ],
  );
  expect(codes).toEqual([4007, 4002, 2002, 4006, 4018, 3002, 0]);
});

test("account/transfer: fields in their order, then the cardholder, its account, and the money", async () => {
  const codes = await codesOf(
    transfer,
    { cardholder_no: 1, transfer_unique_no: "x".repeat(65), type: "Sideways", balance: "0" },
    [
      () => ({ cardholder_no: "U1" }),
      () => ({ transfer_unique_no: "ladder" }),
      () => ({ type: "Out" }),
      () => ({ balance: "1" }),
      () => ({ cardholder_no: pending }),
      () => ({ cardholder_no: approved }),
      () => ({ type: "In" }),
    ],
  );
  expect(codes).toEqual([4010, 1004, 3006, 3003, 2002, 3001, 3002, 0]);
});

test("card data and client tokens are given from ToActivate on, and not for a card that is made, failed or deleted", async () => {
  const ask = async (cardNo: string) => [
    (await api.get(credit, `/card/${cardNo}/private/info`)).code,
    (await api.get(credit, `/merchant/client/${cardNo}/token`)).code,
  ];
  const physical = { card_type: "Physical", address_info: { ...address, address_line1: "manual" } };
  const making = await openCard({ ...physical, card_unique_no: "shown-1" });
  expect(await ask(making)).toEqual([4011, 4011]);
  const failing = await openCard({
    ...physical,
    address_info: { ...address, address_line1: "fail" },
    card_unique_no: "shown-2",
  });
  const made = await openCard({ card_type: "Physical", address_info: address, card_unique_no: "shown-3" });
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();
  expect((await api.get(credit, `/card/${failing}/detail`)).data).toMatchObject({ status: "Fail", card_last_no: "" });
  expect(await ask(failing)).toEqual([4011, 4011]);
  expect(await ask(made)).toEqual([0, 0]);
  const card = await openCard({ card_unique_no: "shown-4" });
  for (const [status, codes] of [
    ["Frozen", [0, 0]],
    ["Delete", [4011, 4011]],
  ] as const) {
    await api.post(credit, "/card/status/update", { card_no: card, status });
    expect(await ask(card)).toEqual(codes);
  }
  // Without PCI the card is not even looked for.
  expect((await api.get(credit, "/card/C1/private/info")).code).toBe(4001);
});

test("only the contract's status changes are made, and each of them is", async () => {
  const legal = new Set([
    "Activated Frozen",
    "Frozen Activated",
    "ToActivate Delete",
    "Activated Delete",
    "Frozen Delete",
    "Activated Activated",
    "Frozen Frozen",
    "Delete Delete",
  ]);
  const manual = { card_type: "Physical", address_info: { ...address, address_line1: "manual" } };
  const ways: Record<string, (uniqueNo: string) => Promise<string>> = {
    Pending: (card_unique_no) => openCard({ ...manual, card_unique_no }),
    ToActivate: async (card_unique_no) => {
      const cardNo = await openCard({ card_type: "Physical", address_info: address, card_unique_no });
      await api.rooms.cards.advanceMaking();
      await api.rooms.cards.advanceMaking();
      return cardNo;
    },
    Activated: (card_unique_no) => openCard({ card_unique_no }),
    Frozen: async (card_unique_no) => changed(await openCard({ card_unique_no }), "Frozen"),
    Delete: async (card_unique_no) => changed(await openCard({ card_unique_no }), "Delete"),
  };
  for (const [from, open] of Object.entries(ways)) {
    for (const to of ["Frozen", "Activated", "Delete"]) {
      const cardNo = await open(`status ${from} ${to}`);
      const { code } = await api.post(credit, "/card/status/update", { card_no: cardNo, status: to });
      expect([from, to, code]).toEqual([from, to, legal.has(`${from} ${to}`) ? 0 : 4011]);
      const { data } = await api.get(credit, `/card/${cardNo}/detail`);
      expect(data).toMatchObject({ status: code === 0 ? to : from });
      await api.post(credit, "/card/status/update", { card_no: cardNo, status: "Delete" });
    }
  }
});

async function changed(cardNo: string, status: string): Promise<string> {
  await api.post(credit, "/card/status/update", { card_no: cardNo, status });
  return cardNo;
}
