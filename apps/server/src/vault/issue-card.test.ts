import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, expect, test } from "vitest";
import { newMasterKey } from "./master-keys.ts";
import { createVault } from "./vault.ts";

const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());

const clock = { now: () => Date.UTC(2026, 4, 22) };
const masterKeys = newMasterKey("test");
const vault = createVault({ pool: database.vaultPool, masterKeys, clock });
const expiry = { year: 2029, month: 5 };

async function panOf(card: { merchantId: number; cardNo: string }): Promise<string> {
  const revealed = await vault.revealForCardFrame(card);
  if (!revealed.ok) throw new Error(revealed.reason);
  return revealed.value.pan;
}

test("a card gets a number of its range with a check digit, and its last four and BIN are told", async () => {
  const card = { merchantId: 1, cardNo: "C-first" };
  const issued = await vault.issueCard({ ...card, bin: "4567351234", panLength: 16, expiry });
  const pan = await panOf(card);
  expect(pan).toMatch(/^4567351234[0-9]{6}$/u);
  expect(issued).toEqual({ ok: true, value: { last4: pan.slice(-4), bin6to8: "45673512" } });
});

test("twenty racing calls for one card give one number", async () => {
  const request = { merchantId: 1, cardNo: "C-racing", bin: "456735", panLength: 16, expiry };
  const issued = await Promise.all(Array.from({ length: 20 }, () => vault.issueCard(request)));
  const last4 = (await panOf(request)).slice(-4);
  expect(issued).toEqual(Array.from({ length: 20 }, () => ({ ok: true, value: { last4, bin6to8: "456735" } })));
});

test("of 1,000 racing cards in a range of 100 numbers exactly 100 get one, all different, and the rest hear that it is used up", async () => {
  const bin = "4567351200001";
  const cards = Array.from({ length: 1000 }, (_, number) => ({ merchantId: 2, cardNo: `C-crowd-${number}` }));
  const outcomes = await Promise.all(cards.map((card) => vault.issueCard({ ...card, bin, panLength: 16, expiry })));
  const served = cards.filter((_, place) => outcomes[place]?.ok === true);
  expect(served).toHaveLength(100);
  const pans = await Promise.all(served.map(panOf));
  expect(new Set(pans).size).toBe(100);
  expect(pans.every((pan) => pan.startsWith(bin))).toBe(true);
  const reasons = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason]));
  expect(new Set(reasons)).toEqual(new Set(["range_exhausted"]));
});

test("the last free number of a larger range is found", async () => {
  const bin = "456735999998";
  const vaultOfRange = createVault({ pool: database.vaultPool, masterKeys, clock });
  const issue = (number: number) =>
    vaultOfRange.issueCard({ merchantId: 3, cardNo: `C-last-${number}`, bin, panLength: 16, expiry });
  const outcomes = await Promise.all(Array.from({ length: 1000 }, (_, number) => issue(number)));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1000);
  expect(await issue(1000)).toEqual({ ok: false, reason: "range_exhausted" });
});

test("a discarded card is nobody's, cannot be opened, and neither card nor number comes again", async () => {
  const bin = "45673512000029";
  const cards = Array.from({ length: 10 }, (_, number) => ({ merchantId: 4, cardNo: `C-discard-${number}` }));
  for (const card of cards) await vault.issueCard({ ...card, bin, panLength: 16, expiry });
  const [card = { merchantId: 0, cardNo: "" }] = cards;
  const pan = await panOf(card);
  expect(await vault.identify({ pan })).toEqual(card);
  await vault.discardCard(card);
  await vault.discardCard(card);
  expect(await vault.identify({ pan })).toBeNull();
  expect(await vault.revealForCardFrame(card)).toEqual({ ok: false, reason: "card_unknown" });
  expect(await vault.setPin({ ...card, pin: "135791" })).toEqual({ ok: false, reason: "card_unknown" });
  const again = { bin, panLength: 16, expiry };
  expect(await vault.issueCard({ ...card, ...again, bin: "456735" })).toEqual({ ok: false, reason: "card_discarded" });
  expect(await vault.issueCard({ merchantId: 4, cardNo: "C-discard-new", ...again })).toEqual({
    ok: false,
    reason: "range_exhausted",
  });
});

test("a range that cannot hold a card number is refused and nothing is stored", async () => {
  const card = { merchantId: 5, cardNo: "C-malformed" };
  expect(await vault.issueCard({ ...card, bin: "4567", panLength: 16, expiry })).toEqual({
    ok: false,
    reason: "range_malformed",
  });
  expect(await vault.revealForCardFrame(card)).toEqual({ ok: false, reason: "card_unknown" });
});

test("two merchants may use the same card number of ours without meeting", async () => {
  const request = { cardNo: "C-shared", bin: "456735", panLength: 16, expiry };
  await vault.issueCard({ ...request, merchantId: 6 });
  await vault.issueCard({ ...request, merchantId: 7 });
  const [six, seven] = [
    await panOf({ merchantId: 6, cardNo: "C-shared" }),
    await panOf({ merchantId: 7, cardNo: "C-shared" }),
  ];
  expect(six).not.toBe(seven);
  expect(await vault.identifyMany({ pans: [seven, six] })).toEqual([
    { merchantId: 7, cardNo: "C-shared" },
    { merchantId: 6, cardNo: "C-shared" },
  ]);
});
