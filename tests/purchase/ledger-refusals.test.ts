import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../apps/server/src/database/index.ts";
import { uuid7 } from "../../apps/server/src/kernel/index.ts";
import {
  type AccountKind,
  findAccount,
  isBelowFloor,
  type LedgerReport,
  type Posting,
  transfer,
  verifyLedger,
  voidHolds,
} from "../../apps/server/src/ledger/index.ts";
import { openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;
let card: ReadyCard;
let whole: LedgerReport;

beforeAll(async () => {
  programme = await openProgramme();
  card = await programme.issueCard({ credit: "100.00", reserve: "100.00" });
  await programme.authorization.authorize(purchaseWith(card, "10.00"));
  whole = await programme.verify();
});

afterAll(() => programme.close());

const privilegeMissing = { code: "42501" };
const checkViolation = { code: "23514" };

async function accountId(kind: AccountKind, owner = ""): Promise<string> {
  const account = await findAccount(programme.db.pool, { merchantId: card.merchantId, kind, owner });
  if (account === null) throw new Error(`no ${kind} account`);
  return account.accountId;
}

const move = (postings: readonly Posting[], pool: Pool = programme.db.pool) =>
  inTransaction(pool, (sql) =>
    transfer(sql, {
      merchantId: card.merchantId,
      transactionId: uuid7(programme.clock.now()),
      kind: "adjustment",
      reference: "test",
      at: programme.clock.now(),
      postings,
    }),
  );

async function onlyHold(): Promise<string> {
  const { rows } = await programme.db.pool.query<{ hold_id: string }>("SELECT DISTINCT hold_id FROM ledger.hold");
  return rows[0]?.hold_id ?? "";
}

describe("the application's role has no way around the ledger's functions", () => {
  test.each([
    "INSERT INTO ledger.account (merchant_id, account_id, kind, currency, created_at) VALUES (1, gen_random_uuid(), 'reserve', 'EUR', 0)",
    "UPDATE ledger.account SET available = available + 1",
    "DELETE FROM ledger.account",
    "INSERT INTO ledger.transaction VALUES (1, gen_random_uuid(), 'adjustment', 'x', 1, 0)",
    "UPDATE ledger.transaction SET reference = 'x'",
    "DELETE FROM ledger.transaction",
    "INSERT INTO ledger.posting VALUES (1, gen_random_uuid(), 1, gen_random_uuid(), false, gen_random_uuid(), false, 1, 'USD')",
    "UPDATE ledger.posting SET amount = amount + 1",
    "DELETE FROM ledger.posting",
    "INSERT INTO ledger.hold VALUES (1, gen_random_uuid(), 1, gen_random_uuid(), 1, 'x', 0)",
    "UPDATE ledger.hold SET amount = amount + 1",
    "DELETE FROM ledger.hold",
    "TRUNCATE ledger.posting",
    "SELECT ledger.write('{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}')",
    "ALTER TABLE ledger.account DROP CONSTRAINT account_above_floor",
    "CREATE TABLE ledger.mine (id integer)",
  ])("%s", async (statement) => {
    await expect(programme.db.pool.query(statement)).rejects.toMatchObject(privilegeMissing);
  });
});

describe("the database refuses, also its owner", () => {
  test.each([0n, -1n])("a posting of %s", async (amount) => {
    const [source, destination] = [await accountId("funding"), await accountId("reserve")];
    await expect(move([{ source, destination, amount }])).rejects.toMatchObject(checkViolation);
    const row = programme.db.ownerPool.query(
      "INSERT INTO ledger.posting VALUES ($1, gen_random_uuid(), 1, $2, false, $3, false, $4, 'USD')",
      [card.merchantId, source, destination, amount],
    );
    await expect(row).rejects.toMatchObject(checkViolation);
  });

  test("a posting from a bucket to the same bucket", async () => {
    const source = await accountId("funding");
    await expect(move([{ source, destination: source, amount: 1n }])).rejects.toMatchObject(checkViolation);
  });

  test("a posting with one side only: it cannot be unbalanced, because a row names both", async () => {
    const row = programme.db.ownerPool.query(
      "INSERT INTO ledger.posting VALUES ($1, gen_random_uuid(), 1, $2, false, NULL, false, 1, 'USD')",
      [card.merchantId, await accountId("funding")],
    );
    await expect(row).rejects.toMatchObject({ code: "23502" });
  });

  test("a posting between two currencies, or to an account that does not exist or is another merchant's", async () => {
    const stranger = await programme.issueCard({ credit: "0.00", reserve: "0.00" });
    const strangers = await findAccount(programme.db.pool, {
      merchantId: stranger.merchantId,
      kind: "reserve",
      owner: "",
    });
    const source = await accountId("funding");
    for (const destination of [await accountId("credit_line"), uuid7(0), strangers?.accountId ?? ""]) {
      await expect(move([{ source, destination, amount: 1n }], programme.db.ownerPool)).rejects.toMatchObject(
        checkViolation,
      );
    }
    whole = await programme.verify();
  });

  test("a balance below its floor, and nothing of the movement stays", async () => {
    const { reserve } = await programme.pots(card);
    const [source, destination] = [await accountId("reserve"), await accountId("funding")];
    const refusal = await move([
      { source, destination, amount: 1n },
      { source, destination, amount: 9_000n },
    ]).catch((error: unknown) => error);
    expect(isBelowFloor(refusal)).toBe(true);
    expect((await programme.pots(card)).reserve).toEqual(reserve);
    for (const column of ["available", "held"]) {
      const update = programme.db.ownerPool.query(`UPDATE ledger.account SET ${column} = -1 WHERE account_id = $1`, [
        source,
      ]);
      await expect(update).rejects.toMatchObject(checkViolation);
    }
  });

  test("a movement without any posting", async () => {
    await expect(move([])).rejects.toMatchObject(checkViolation);
  });

  test("after all these refusals every balance, posting and hold is as it was", async () => {
    expect(await programme.verify()).toEqual(whole);
    expect(whole).toMatchObject({ ok: true, openHolds: 1 });
  });
});

test("a hold is given back once: voiding it again changes nothing", async () => {
  const holdId = await onlyHold();
  const { merchantId } = card;
  const at = programme.clock.now();
  const giveBack = () =>
    inTransaction(programme.db.pool, (sql) =>
      voidHolds(sql, { kind: "void", holds: [{ merchantId, holdId, transactionId: uuid7(at) }], at }),
    );
  const racing = await Promise.all([giveBack(), giveBack(), giveBack()]);
  expect(racing.flat()).toEqual([holdId]);
  expect(await programme.pots(card)).toEqual({ credit: ["100.00", "0.00"], reserve: ["100.00", "0.00"] });
  // The consumption still thinks that it holds: this test moves the ledger alone.
  expect(await verifyLedger(programme.db.pool)).toMatchObject({ ok: true, openHolds: 0 });
});

describe("verify finds what somebody with all rights has changed", () => {
  test.each([
    [
      "UPDATE ledger.account SET available = available + 1 WHERE kind = 'reserve'",
      "a balance is the fold of its postings",
    ],
    ["DELETE FROM ledger.posting WHERE line = 2", "every transaction has all of its postings"],
    ["UPDATE ledger.posting SET amount = amount + 1", "a balance is the fold of its postings"],
    ["UPDATE ledger.posting SET currency = 'EUR'", "a posting moves money between accounts of its own currency"],
    ["DELETE FROM ledger.hold", "what is held is the sum of the open holds"],
    ["DELETE FROM ledger.transaction WHERE kind = 'hold'", "every transaction has all of its postings"],
    [
      "UPDATE ledger.account SET floor = available + 1 WHERE kind = 'reserve'",
      "no balance is below its floor but by an overdraft of exactly that much",
    ],
  ])("%s", async (statement, rule) => {
    const own = await openProgramme();
    try {
      const { printed } = await own.issueCard({ credit: "100.00" });
      await own.authorization.authorize(purchaseWith({ printed }, "10.00"));
      const before = await own.verify();
      // A balance and its floor in one statement would be refused: the constraint goes first, as an intruder would do it.
      await own.db.ownerPool.query("ALTER TABLE ledger.account DROP CONSTRAINT account_above_floor");
      await own.db.ownerPool.query(statement);
      const report = await own.verify();
      expect(before.ok).toBe(true);
      expect(report.ok).toBe(false);
      expect(report.broken.map((broken) => broken.rule)).toContain(rule);
    } finally {
      await own.close();
    }
  });
});
