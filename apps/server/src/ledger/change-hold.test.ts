import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { uuid7 } from "#kernel/index.ts";
import {
  capture,
  changeHold,
  findAccount,
  forceHold,
  openAccount,
  transfer,
  verifyLedger,
  voidHolds,
} from "./index.ts";

const now = Date.UTC(2026, 10, 22);
let db: TestDatabase;
let nextMerchant = 1;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

/** A hold of 105 on the cardholder's account and 101 on the reserve, of 200 in each. */
async function openHold() {
  const merchantId = nextMerchant;
  nextMerchant += 1;
  const open = (kind: Parameters<typeof openAccount>[1]["kind"], owner = "") =>
    openAccount(db.pool, { merchantId, kind, owner, now });
  const [funding, reserve, settlement] = [await open("funding"), await open("reserve"), await open("settlement")];
  const [line, cardholder] = [await open("credit_line"), await open("cardholder", "U1")];
  const common = { merchantId, reference: "test", at: now };
  await transfer(db.pool, {
    ...common,
    transactionId: uuid7(now),
    kind: "adjustment",
    postings: [
      { source: funding, destination: reserve, amount: 200n },
      { source: line, destination: cardholder, amount: 200n },
    ],
  });
  const holdId = uuid7(now);
  const lines = [
    { accountId: cardholder, amount: 105n },
    { accountId: reserve, amount: 101n },
  ];
  await forceHold(db.pool, { ...common, holdId, expiresAt: now + 1, lines });
  const change = (changed: Parameters<typeof changeHold>[1]["lines"]) =>
    changeHold(db.pool, { merchantId, holdId, transactionId: uuid7(now), at: now, lines: changed });
  const pots = async () => {
    const own = await findAccount(db.pool, { merchantId, kind: "cardholder", owner: "U1" });
    const of = await findAccount(db.pool, { merchantId, kind: "reserve", owner: "" });
    return [own?.available, own?.held, of?.available, of?.held];
  };
  const linesOf = async () => {
    const { rows } = await db.pool.query<{ line: number; amount: bigint }>(
      "SELECT line, amount FROM ledger.hold WHERE merchant_id = $1 ORDER BY line",
      [merchantId],
    );
    return rows.map(({ line: place, amount }) => [place, amount]);
  };
  return { common, holdId, cardholder, reserve, settlement, change, pots, linesOf };
}

test("a hold is lowered and raised by account, and an account that is not named keeps its own", async () => {
  const hold = await openHold();
  await hold.change([
    { accountId: hold.reserve, amount: 50n },
    { accountId: hold.cardholder, amount: 110n },
  ]);
  expect(await hold.pots()).toEqual([90n, 110n, 150n, 50n]);
  await hold.change([{ accountId: hold.reserve, amount: 60n }]);
  expect(await hold.pots()).toEqual([90n, 110n, 140n, 60n]);
  await hold.change([{ accountId: hold.reserve, amount: 60n }]);
  expect((await verifyLedger(db.pool)).broken).toEqual([]);
});

test("a line that ends leaves the first line in place, by which the sweep finds the hold, and can come back", async () => {
  const hold = await openHold();
  await hold.change([{ accountId: hold.cardholder, amount: 0n }]);
  expect(await hold.linesOf()).toEqual([[1, 101n]]);
  await hold.change([{ accountId: hold.cardholder, amount: 7n }]);
  expect(await hold.linesOf()).toEqual([
    [1, 101n],
    [2, 7n],
  ]);
  expect(await hold.pots()).toEqual([193n, 7n, 99n, 101n]);
});

test("what a partial capture has left of a hold is changed whatever its lines are numbered", async () => {
  const hold = await openHold();
  const { common, holdId, reserve, settlement, cardholder } = hold;
  const line = (await findAccount(db.pool, { merchantId: common.merchantId, kind: "credit_line", owner: "" }))
    ?.accountId;
  await capture(db.pool, {
    ...common,
    holdId,
    transactionId: uuid7(now),
    postings: [
      { source: cardholder, destination: line ?? "", amount: 105n },
      { source: reserve, destination: settlement, amount: 40n },
    ],
    keep: true,
  });
  expect(await hold.linesOf()).toEqual([[1, 61n]]);
  await hold.change([
    { accountId: reserve, amount: 20n },
    { accountId: cardholder, amount: 0n },
  ]);
  expect(await hold.pots()).toEqual([95n, 0n, 140n, 20n]);
});

test("a hold that grows beyond what is available takes the account below its floor, by exactly that much", async () => {
  const hold = await openHold();
  await hold.change([{ accountId: hold.cardholder, amount: 230n }]);
  expect(await hold.pots()).toEqual([-30n, 230n, 99n, 101n]);
  expect((await verifyLedger(db.pool)).broken).toEqual([]);
  await hold.change([{ accountId: hold.cardholder, amount: 105n }]);
  expect(await hold.pots()).toEqual([95n, 105n, 99n, 101n]);
});

test("a hold that is over cannot be changed", async () => {
  const hold = await openHold();
  const { common, holdId } = hold;
  const key = { merchantId: common.merchantId, holdId, transactionId: uuid7(now) };
  await voidHolds(db.pool, { kind: "void", holds: [key], at: now });
  await expect(hold.change([{ accountId: hold.reserve, amount: 1n }])).rejects.toThrow("is not open");
  expect((await verifyLedger(db.pool)).broken).toEqual([]);
});
