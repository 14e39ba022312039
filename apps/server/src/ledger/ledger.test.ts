import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { constraintOf, errorCode, inTransaction } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import {
  type Account,
  capture,
  findAccount,
  isBelowFloor,
  openAccount,
  type Posting,
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

interface Books {
  readonly merchantId: number;
  readonly reserve: string;
  readonly funding: string;
  readonly settlement: string;
  readonly creditLine: string;
  readonly cardholder: string;
}

/** A merchant of its own for each test: the ledger knows merchants by their id alone. */
async function openBooks(): Promise<Books> {
  const merchantId = nextMerchant;
  nextMerchant += 1;
  const open = (kind: Account["kind"], owner = "") => openAccount(db.pool, { merchantId, kind, owner, now });
  return {
    merchantId,
    reserve: await open("reserve"),
    funding: await open("funding"),
    settlement: await open("settlement"),
    creditLine: await open("credit_line"),
    cardholder: await open("cardholder", "U1"),
  };
}

async function move(books: Books, postings: readonly Posting[]): Promise<void> {
  await transfer(db.pool, {
    merchantId: books.merchantId,
    transactionId: uuid7(now),
    kind: "adjustment",
    reference: "test",
    at: now,
    postings,
  });
}

const recharge = (books: Books, amount: bigint) =>
  move(books, [{ source: books.funding, destination: books.reserve, amount }]);

async function reserveOf(books: Books): Promise<readonly [bigint, bigint]> {
  const account = await findAccount(db.pool, { merchantId: books.merchantId, kind: "reserve", owner: "" });
  return [account?.available ?? -1n, account?.held ?? -1n];
}

/** Holds through the same functions as the decision does. */
async function hold(books: Books, amount: bigint, reference = "test"): Promise<string> {
  const holdId = uuid7(now);
  await inTransaction(db.pool, async (sql) => {
    await sql.query("SELECT ledger.lock_accounts($1, $2)", [[books.merchantId], [books.reserve]]);
    await sql.query("SELECT ledger.hold(ARRAY[ROW($1, $2, 1, 1, $3, 'USD', $4, $5, $6, $7)::ledger.hold_line])", [
      books.merchantId,
      holdId,
      books.reserve,
      amount,
      reference,
      now,
      now + 1000,
    ]);
  });
  return holdId;
}

/** The hold's id, or null when the database refused it for the account's floor. */
async function heldUnlessBelowFloor(books: Books, amount: bigint): Promise<string | null> {
  try {
    return await hold(books, amount);
  } catch (error) {
    if (isBelowFloor(error)) return null;
    throw error;
  }
}

const take = (books: Books, holdId: string | null, amount: bigint, keep = false) =>
  capture(db.pool, {
    merchantId: books.merchantId,
    holdId,
    transactionId: uuid7(now),
    reference: "test",
    at: now,
    postings: [{ source: books.reserve, destination: books.settlement, amount }],
    keep,
  });

const release = (books: Books, holdId: string) =>
  voidHolds(db.pool, {
    kind: "void",
    holds: [{ merchantId: books.merchantId, holdId, transactionId: uuid7(now) }],
    at: now,
  });

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it was not refused");
}

test("a hold takes from what is available, a void gives it back", async () => {
  const books = await openBooks();
  await recharge(books, 1_000n);
  const holdId = await hold(books, 300n);
  expect(await reserveOf(books)).toEqual([700n, 300n]);
  expect(await release(books, holdId)).toEqual([holdId]);
  expect(await reserveOf(books)).toEqual([1_000n, 0n]);
});

test("capturing less than was held releases the rest", async () => {
  const books = await openBooks();
  await recharge(books, 1_000n);
  const holdId = await hold(books, 300n);
  expect(await take(books, holdId, 250n)).toBe(0n);
  expect(await reserveOf(books)).toEqual([750n, 0n]);
});

test("captures in parts keep the rest held until the last one", async () => {
  const books = await openBooks();
  await recharge(books, 1_000n);
  const holdId = await hold(books, 300n);
  await take(books, holdId, 100n, true);
  expect(await reserveOf(books)).toEqual([700n, 200n]);
  await take(books, holdId, 150n);
  expect(await reserveOf(books)).toEqual([750n, 0n]);
});

test("a hold ends once: of racing captures and a release only one finds it, the captures take what is available", async () => {
  const books = await openBooks();
  await recharge(books, 1_000n);
  const holdId = await hold(books, 300n);
  const outcomes = await Promise.all([take(books, holdId, 300n), take(books, holdId, 300n), release(books, holdId)]);
  const ends = [outcomes[0] === 0n, outcomes[1] === 0n, outcomes[2].length === 1].filter(Boolean);
  expect(ends).toHaveLength(1);
  expect(await release(books, holdId)).toEqual([]);
  expect(await reserveOf(books)).toEqual([400n, 0n]);
});

test("a capture cannot be refused: beyond the hold it takes what is available, and goes below the floor if it must", async () => {
  const books = await openBooks();
  await recharge(books, 1_000n);
  const holdId = await hold(books, 300n);
  expect(await take(books, holdId, 1_200n)).toBe(900n);
  expect(await reserveOf(books)).toEqual([-200n, 0n]);
  expect(await take(books, null, 50n)).toBe(50n);
  expect(await reserveOf(books)).toEqual([-250n, 0n]);
});

test("an overdraft is nobody's to spend: what comes in covers it first, and ordinary movements stay above the floor", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  await take(books, null, 300n);
  await recharge(books, 150n);
  expect(await reserveOf(books)).toEqual([-50n, 0n]);
  expect(await heldUnlessBelowFloor(books, 1n)).toBeNull();
  const spend = move(books, [{ source: books.reserve, destination: books.settlement, amount: 1n }]);
  expect(isBelowFloor(await refusal(spend))).toBe(true);
  await recharge(books, 60n);
  expect(await heldUnlessBelowFloor(books, 11n)).toBeNull();
  expect(await heldUnlessBelowFloor(books, 10n)).not.toBeNull();
});

test("a balance below its floor is refused by the database", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  expect(
    isBelowFloor(await refusal(move(books, [{ source: books.reserve, destination: books.funding, amount: 101n }]))),
  ).toBe(true);
  expect(isBelowFloor(await refusal(hold(books, 101n)))).toBe(true);
  expect(await reserveOf(books)).toEqual([100n, 0n]);
});

test("a movement of several postings happens as a whole or not at all", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  const postings = [
    { source: books.creditLine, destination: books.cardholder, amount: 50n },
    { source: books.reserve, destination: books.settlement, amount: 101n },
  ];
  expect(isBelowFloor(await refusal(move(books, postings)))).toBe(true);
  expect(
    (await findAccount(db.pool, { merchantId: books.merchantId, kind: "cardholder", owner: "U1" }))?.available,
  ).toBe(0n);
});

test("a posting between currencies, of nothing, below nothing or to itself is refused by the database", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  for (const posting of [
    { source: books.reserve, destination: books.cardholder, amount: 1n },
    { source: books.funding, destination: books.reserve, amount: 0n },
    { source: books.funding, destination: books.reserve, amount: -1n },
    { source: books.funding, destination: books.funding, amount: 1n },
    { source: books.funding, destination: uuid7(now), amount: 1n },
  ]) {
    expect(errorCode(await refusal(move(books, [posting])))).toBe("23514");
  }
});

test("the application's role cannot write the ledger except through its functions", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  for (const statement of [
    "INSERT INTO ledger.posting SELECT * FROM ledger.posting LIMIT 1",
    "UPDATE ledger.posting SET amount = amount + 1",
    "DELETE FROM ledger.posting",
    "TRUNCATE ledger.posting",
    "UPDATE ledger.account SET available = available + 1",
    "DELETE FROM ledger.transaction",
    "DELETE FROM ledger.hold",
    "SELECT ledger.write('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
  ]) {
    expect(errorCode(await refusal(db.pool.query(statement)))).toBe("42501");
  }
});

test("even the owner cannot write a posting without amount or an account below its floor", async () => {
  const books = await openBooks();
  await recharge(books, 100n);
  const below = await refusal(
    db.ownerPool.query("UPDATE ledger.account SET available = -1 WHERE account_id = $1", [books.reserve]),
  );
  expect(constraintOf(below)).toBe("account_above_floor");
  const empty = await refusal(
    db.ownerPool.query("UPDATE ledger.posting SET amount = 0 WHERE merchant_id = $1", [books.merchantId]),
  );
  expect(errorCode(empty)).toBe("23514");
});

test("verify is clean after any sequence of movements, and the balances are those of a model", {
  timeout: 60_000,
}, async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("recharge" as const), amount: fc.bigInt({ min: 1n, max: 1_000n }) }),
    fc.record({ kind: fc.constant("hold" as const), amount: fc.bigInt({ min: 1n, max: 600n }) }),
    fc.record({ kind: fc.constant("post" as const), which: fc.nat(9), part: fc.bigInt({ min: 1n, max: 100n }) }),
    fc.record({ kind: fc.constant("void" as const), which: fc.nat(9) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const books = await openBooks();
      const open: { id: string; amount: bigint }[] = [];
      const wrongVerdicts: bigint[] = [];
      let available = 0n;
      for (const action of steps) {
        if (action.kind === "recharge") {
          await recharge(books, action.amount);
          available += action.amount;
        } else if (action.kind === "hold") {
          const held = await heldUnlessBelowFloor(books, action.amount);
          const fits = action.amount <= available;
          if ((held !== null) !== fits) wrongVerdicts.push(action.amount);
          if (held !== null) {
            open.push({ id: held, amount: action.amount });
            available -= action.amount;
          }
        } else {
          const [chosen] = open.splice(action.which, 1);
          if (chosen === undefined) continue;
          const taken = action.kind === "void" ? 0n : (chosen.amount * action.part + 99n) / 100n;
          await (action.kind === "void" ? release(books, chosen.id) : take(books, chosen.id, taken));
          available += chosen.amount - taken;
        }
      }
      const held = open.reduce((sum, { amount }) => sum + amount, 0n);
      expect(wrongVerdicts).toEqual([]);
      expect(await reserveOf(books)).toEqual([available, held]);
    }),
    { numRuns: 25 },
  );
  const report = await verifyLedger(db.pool);
  expect(report.broken).toEqual([]);
});

test("the digest is that of the history: the same for the same postings, another after one more", async () => {
  const books = await openBooks();
  const before = await verifyLedger(db.pool);
  expect((await verifyLedger(db.pool)).digest).toBe(before.digest);
  await recharge(books, 1n);
  const after = await verifyLedger(db.pool);
  expect(after.digest).not.toBe(before.digest);
  expect(after.postings).toBe(before.postings + 1);
});

test.each([
  [
    "a balance that was tampered with",
    "UPDATE ledger.account SET available = available + 1 WHERE account_id = $1",
    "a balance is the fold of its postings",
  ],
  [
    "money that is held by no hold",
    "UPDATE ledger.account SET available = available - 1, held = held + 1 WHERE account_id = $1",
    "what is held is the sum of the open holds",
  ],
  [
    "a posting that was changed",
    "UPDATE ledger.posting SET amount = amount + 1 WHERE destination_account_id = $1",
    "a balance is the fold of its postings",
  ],
  [
    "a posting that was removed",
    "DELETE FROM ledger.posting WHERE destination_account_id = $1",
    "every transaction has all of its postings",
  ],
  [
    "a posting in a currency that is not its account's",
    "UPDATE ledger.posting SET currency = 'EUR' WHERE destination_account_id = $1",
    "a posting moves money between accounts of its own currency",
  ],
])("verify finds %s", async (_name, tamper, rule) => {
  const own = await createTestDatabase();
  try {
    const merchantId = 1;
    const open = (kind: Account["kind"]) => openAccount(own.pool, { merchantId, kind, owner: "", now });
    const [reserve, funding] = [await open("reserve"), await open("funding")];
    await transfer(own.pool, {
      merchantId,
      transactionId: uuid7(now),
      kind: "recharge",
      reference: "R1",
      at: now,
      postings: [{ source: funding, destination: reserve, amount: 100n }],
    });
    expect((await verifyLedger(own.pool)).ok).toBe(true);
    await own.ownerPool.query(tamper, [reserve]);
    const report = await verifyLedger(own.pool);
    expect(report.ok).toBe(false);
    expect(report.broken.map((broken) => broken.rule)).toContain(rule);
  } finally {
    await own.drop();
  }
});
