import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeEach, expect, test } from "vitest";
import { newMasterKey } from "./master-keys.ts";
import { createVault } from "./vault.ts";

const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());

const vault = createVault({
  pool: database.vaultPool,
  masterKeys: newMasterKey("test"),
  clock: { now: () => Date.UTC(2026, 4, 22) },
});
const right = { ok: true, value: null };
const mismatch = { ok: false, reason: "pin_mismatch" };
const exceeded = { ok: false, reason: "pin_tries_exceeded" };
let cards = 0;
let card = { merchantId: 1, cardNo: "" };

beforeEach(async () => {
  cards += 1;
  card = { merchantId: 1, cardNo: `C-${cards}` };
  await vault.issueCard({ ...card, bin: "45673512", panLength: 16, expiry: { year: 2029, month: 1 } });
  await vault.setPin({ ...card, pin: "135791" });
});

async function tryPins(pins: readonly string[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const pin of pins) answers.push(await vault.verifyPin({ ...card, pin }));
  return answers;
}

test("three wrong tries in a row lock the PIN, also for the right one", async () => {
  expect(await tryPins(["135792", "0", "135793", "135791", "135794"])).toEqual([
    mismatch,
    mismatch,
    mismatch,
    exceeded,
    exceeded,
  ]);
});

test("a right try forgives the wrong ones before it", async () => {
  const pins = ["1", "2", "135791", "3", "4", "135791", "5", "6", "7", "135791"];
  expect(await tryPins(pins)).toEqual([
    mismatch,
    mismatch,
    right,
    mismatch,
    mismatch,
    right,
    mismatch,
    mismatch,
    mismatch,
    exceeded,
  ]);
});

test("a new PIN gives new tries and ends the old one; a refused new PIN does neither", async () => {
  await tryPins(["1", "2", "3"]);
  expect(await vault.setPin({ ...card, pin: "123456" })).toEqual({ ok: false, reason: "pin_format" });
  expect(await tryPins(["135791"])).toEqual([exceeded]);
  expect(await vault.setPin({ ...card, pin: "975310" })).toEqual(right);
  expect(await tryPins(["135791", "975310"])).toEqual([mismatch, right]);
});

test("of fifty racing wrong tries three are compared and the rest are refused", async () => {
  const tries = Array.from({ length: 50 }, (_, number) => vault.verifyPin({ ...card, pin: String(200_000 + number) }));
  const answers = await Promise.all(tries);
  expect(answers.filter((answer) => !answer.ok && answer.reason === "pin_mismatch")).toHaveLength(3);
  expect(answers.filter((answer) => !answer.ok && answer.reason === "pin_tries_exceeded")).toHaveLength(47);
});

test("a right try that races with new PINs is answered, and the last PIN set is the card's", async () => {
  // Two PINs: the racing try and the one that lost may both count as wrong, and the third try must still be open.
  const pins = ["246802", "357913"];
  await Promise.all([
    ...pins.map((pin) => vault.setPin({ ...card, pin })),
    vault.verifyPin({ ...card, pin: "135791" }),
  ]);
  const answers = await Promise.all(pins.map((pin) => vault.verifyPin({ ...card, pin })));
  expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
});

test("a card without a PIN says so, another merchant's card too", async () => {
  const bare = { merchantId: 1, cardNo: `C-bare-${cards}` };
  await vault.issueCard({ ...bare, bin: "45673512", panLength: 16, expiry: { year: 2029, month: 1 } });
  expect(await vault.verifyPin({ ...bare, pin: "135791" })).toEqual({ ok: false, reason: "pin_not_set" });
  expect(await vault.verifyPin({ ...card, merchantId: 2, pin: "135791" })).toEqual({
    ok: false,
    reason: "pin_not_set",
  });
});

test("two cards with one PIN have different records", async () => {
  const { rows } = await database.ownerPool.query<{ envelope: Buffer }>("SELECT envelope FROM vault.card_pin");
  expect(new Set(rows.map((row) => row.envelope.toString("hex"))).size).toBe(rows.length);
  expect(rows.length).toBeGreaterThan(1);
});
