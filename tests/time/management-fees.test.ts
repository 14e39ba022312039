import { afterEach, beforeEach, expect, test } from "vitest";
import { createManagement } from "../../apps/server/src/clearing/index.ts";
import { type CardWishes, openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

const by = { actor: "test" };
const always = (): boolean => true;
const hourMs = 3_600_000;
/** Cards are opened on 2026-05-22 at noon, UTC+8: later months begin at midnight of the 22nd there. */
const monthStart = (month: number): number => Date.UTC(2026, month - 1, 22) - 8 * hourMs;
/** The start of the last day of the month that began on the 22nd of `month`. */
const retryOf = (month: number): number => Date.UTC(2026, month, 21) - 8 * hourMs;

let programme: Programme;

beforeEach(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  const { errors } = programme;
  const report = await programme.verify();
  await programme.close();
  if (errors.length > 0 || !report.ok) {
    throw new Error(`the books are not in order: ${JSON.stringify(report)}`, { cause: errors });
  }
});

const monthly = { manage_fee_type: "Month", manage_fee: "2.00" } as const;
const modes = [
  ["CREDIT_EXTENSION", { rates: monthly, costs: {} }],
  ["AUTHORIZATION", { costs: monthly }],
] as const;

function goTo(at: number): void {
  programme.clock.advance(at - programme.clock.now());
}

async function runDue(): Promise<number> {
  return programme.management.runDue(programme.clock.now(), always);
}

interface Seen {
  readonly status: string;
  readonly amount: bigint;
  readonly remark: string;
  readonly at: number;
  readonly consumeNo: string;
  readonly consumeRelateNo: string;
}

async function fees(card: ReadyCard): Promise<Seen[]> {
  const { rows } = await programme.db.pool.query<Omit<Seen, "at"> & { at: bigint }>(
    `SELECT status, amount, remark, created_at AS at, consume_no AS "consumeNo", consume_relate_no AS "consumeRelateNo"
     FROM consumption WHERE merchant_id = $1 AND card_no = $2 AND type = 'Manage_fee' ORDER BY consume_no`,
    [card.merchantId, card.cardNo],
  );
  return rows.map((row) => ({ ...row, at: Number(row.at) }));
}

async function outcomes(card: ReadyCard): Promise<string[]> {
  const { rows } = await programme.db.pool.query<{ text: string }>(
    `SELECT format('%s %s %s', side, period_index, outcome) AS text FROM management_charge
     WHERE merchant_id = $1 AND card_no = $2 ORDER BY side, period_index`,
    [card.merchantId, card.cardNo],
  );
  return rows.map(({ text }) => text);
}

async function events(card: ReadyCard): Promise<unknown[]> {
  const { rows } = await programme.db.pool.query(
    "SELECT kind, detail, at FROM merchant_event WHERE merchant_id = $1 ORDER BY at, event_id",
    [card.merchantId],
  );
  return rows;
}

async function statusOf({ merchantId, cardNo }: ReadyCard): Promise<string | undefined> {
  return (await programme.cards.find({ merchantId, cardNo }))?.status;
}

for (const [mode, schedule] of modes) {
  test(`a monthly fee is taken at the opening and at the start of each month, once, with a consumption and a push (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...schedule });
    const opened = programme.clock.now();
    const before = await programme.pots(card);
    expect(await runDue()).toBe(1);
    expect(await runDue()).toBe(0);
    goTo(monthStart(6) - 1);
    expect(await runDue()).toBe(0);
    goTo(monthStart(6));
    expect(await runDue()).toBe(1);
    goTo(monthStart(8) + 5 * hourMs);
    expect(await runDue()).toBe(2);
    const seen = await fees(card);
    expect(seen.map(({ at }) => at)).toEqual([opened, monthStart(6), monthStart(7), monthStart(8)]);
    expect(seen.every(({ status, amount, remark }) => status === "Success" && amount === 200n && remark === "")).toBe(
      true,
    );
    const pots = await programme.pots(card);
    const paid = mode === "CREDIT_EXTENSION" ? pots.credit[0] : pots.reserve[0];
    expect(paid).toBe(mode === "CREDIT_EXTENSION" ? "992.00" : "9992.00");
    expect(mode === "CREDIT_EXTENSION" ? pots.reserve : pots.credit).toEqual(
      mode === "CREDIT_EXTENSION" ? before.reserve : before.credit,
    );
    const pushes = (await programme.pushes(card)).filter(({ data }) => data["type"] === "Manage_fee");
    expect(pushes.map(({ data }) => [data["amount"], data["fee"], data["status"], data["time"]])).toEqual(
      seen.map(({ at }) => [2, 0, "Success", at]),
    );
  });

  test(`a fee that is not covered fails with a push and a notice, is tried again at the month's end, and then cancels the card (${mode})`, async () => {
    const short = mode === "CREDIT_EXTENSION" ? { credit: "1.00" } : { reserve: "1.00" };
    const card = await programme.issueCard({ mode, ...schedule, ...short });
    const opened = programme.clock.now();
    expect(await runDue()).toBe(1);
    goTo(retryOf(5));
    expect(await runDue()).toBe(1);
    expect(await runDue()).toBe(0);
    const [first, second, ...more] = await fees(card);
    expect(more).toEqual([]);
    expect([first, second]).toMatchObject([
      { status: "Fail", amount: 200n, remark: "fee_not_covered", at: opened, consumeRelateNo: "" },
      {
        status: "Fail",
        amount: 200n,
        remark: "fee_not_covered",
        at: retryOf(5),
        consumeRelateNo: first?.consumeNo ?? "?",
      },
    ]);
    expect(await statusOf(card)).toBe("Delete");
    const last = (await programme.pushes(card)).at(-1);
    expect([last?.action, last?.data]).toEqual([
      "Card_update",
      {
        card_no: card.cardNo,
        before_status: "Activated",
        after_status: "Delete",
        reason: "the management fee could not be taken twice",
        time: retryOf(5),
      },
    ]);
    const side = mode === "CREDIT_EXTENSION" ? "cardholder" : "reserve";
    const detail = { card_no: card.cardNo, side, amount: "2.00", period_index: 0 };
    expect(await events(card)).toEqual([
      { kind: "management_fee_failed", detail: { ...detail, retry_at: retryOf(5) }, at: BigInt(opened) },
      { kind: "card_cancelled", detail, at: BigInt(retryOf(5)) },
    ]);
    goTo(monthStart(12));
    expect(await runDue()).toBe(0);
  });

  test(`a second try that is covered is taken, and the next month is due at its own start (${mode})`, async () => {
    const short = mode === "CREDIT_EXTENSION" ? { credit: "1.00" } : { reserve: "1.00" };
    const card = await programme.issueCard({ mode, ...schedule, ...short });
    await runDue();
    await (mode === "CREDIT_EXTENSION" ? programme.grant(card, "10.00") : programme.recharge(card.merchantId, "10.00"));
    goTo(monthStart(6));
    expect(await runDue()).toBe(2);
    expect((await fees(card)).map(({ status, at }) => [status, at])).toEqual([
      ["Fail", expect.any(Number)],
      ["Success", retryOf(5)],
      ["Success", monthStart(6)],
    ]);
    expect(await statusOf(card)).toBe("Activated");
    const pots = await programme.pots(card);
    expect(mode === "CREDIT_EXTENSION" ? pots.credit[0] : pots.reserve[0]).toBe("7.00");
  });
}

test("an exempt card, and every card of an exempt merchant, is kept when its fee fails twice, and owes only the next ones", async () => {
  const one = await programme.issueCard({ rates: monthly, credit: "1.00" });
  const all = await programme.issueCard({ rates: monthly, credit: "1.00" });
  const none = await programme.issueCard({ rates: monthly, credit: "1.00" });
  const { management } = programme;
  const exempt = (card: ReadyCard, cardNo: string | null) =>
    management.exempt({ merchantId: card.merchantId, cardNo, exempt: true }, by);
  expect(await exempt(one, one.cardNo)).toEqual({ ok: true, value: null });
  expect(await exempt(one, one.cardNo)).toEqual({ ok: true, value: null });
  expect(await exempt(all, null)).toEqual({ ok: true, value: null });
  expect(await exempt(none, one.cardNo)).toEqual({ ok: false, reason: "card_unknown" });
  const page = { merchantId: one.merchantId, page: 0, size: 10 };
  expect(await management.exemptions(page)).toEqual([{ cardNo: one.cardNo, createdAt: programme.clock.now() }]);
  const audits = await programme.db.pool.query("SELECT 1 FROM audit_entry WHERE action = 'management.exempt'");
  expect(audits.rowCount).toBe(2);
  await runDue();
  goTo(retryOf(5));
  await runDue();
  expect([await statusOf(one), await statusOf(all), await statusOf(none)]).toEqual([
    "Activated",
    "Activated",
    "Delete",
  ]);
  await programme.grant(one, "10.00");
  goTo(monthStart(6));
  await runDue();
  expect(await outcomes(one)).toEqual(["cardholder 0 failed", "cardholder 1 taken"]);
  expect((await programme.pots(one)).credit[0]).toBe("9.00");
  expect(await management.exempt({ merchantId: one.merchantId, cardNo: one.cardNo, exempt: false }, by)).toEqual({
    ok: true,
    value: null,
  });
  expect(await management.exemptions(page)).toEqual([]);
});

test("each side has its own schedule: the package's months on the cardholder, the BIN's years on the reserve, which is not shown", async () => {
  const costs = { manage_fee_type: "Year", manage_fee: "12.00" } as const;
  const card = await programme.issueCard({ rates: monthly, costs });
  await runDue();
  goTo(Date.UTC(2027, 4, 22) - 8 * hourMs);
  await runDue();
  const taken = await outcomes(card);
  expect(taken.filter((text) => text.startsWith("reserve"))).toEqual(["reserve 0 taken", "reserve 1 taken"]);
  expect(taken.filter((text) => text.startsWith("cardholder"))).toHaveLength(13);
  expect(await fees(card)).toHaveLength(13);
  expect(await programme.pots(card)).toMatchObject({ credit: ["974.00", "0.00"], reserve: ["9976.00", "0.00"] });
});

const waivers: readonly (readonly [string, NonNullable<CardWishes["rates"]>])[] = [
  ["spending", { ...monthly, management_fee_free_type: "Amount", free_management_fee_threshold: "100.00" }],
  ["number of purchases", { ...monthly, management_fee_free_type: "Count", free_management_fee_threshold: "3" }],
];

for (const [what, rates] of waivers) {
  test(`the ${what} of the period before waives the fee: approved, neither declined, expired, of amount zero nor of another period`, async () => {
    const card = await programme.issueCard({ rates });
    await runDue();
    const buy = (amount: string) => programme.authorization.authorize(purchaseWith(card, amount));
    // Expires before the month is over.
    await buy("100.00");
    goTo(monthStart(6) - 24 * hourMs);
    await programme.authorization.releaseRunOut();
    await buy("0.00");
    await buy("5000.00");
    await buy("60.00");
    await buy("20.00");
    goTo(monthStart(6));
    await runDue();
    expect((await outcomes(card)).at(-1)).toBe("cardholder 1 taken");
    // The first moment of the second period counts for the third.
    await buy("50.00");
    goTo(monthStart(7) - 24 * hourMs);
    await programme.authorization.releaseRunOut();
    await buy("60.00");
    await buy("30.00");
    await programme.authorization.authorize(purchaseWith(card, "10.00", { kind: "atm" }));
    goTo(monthStart(7));
    await runDue();
    expect((await outcomes(card)).at(-1)).toBe("cardholder 2 waived");
    expect(await fees(card)).toHaveLength(2);
  });
}

test("a frozen card pays; a deleted one, one past its last month and one of a closed merchant do not", async () => {
  const frozen = await programme.issueCard({ rates: monthly });
  const deleted = await programme.issueCard({ rates: monthly });
  const expiring = await programme.issueCard({ rates: monthly, validMonths: 2 });
  const closed = await programme.issueCard({ rates: monthly });
  const to = ({ merchantId, cardNo }: ReadyCard, status: "Frozen" | "Delete") =>
    programme.cards.requestStatus({ merchantId, cardNo, to: status });
  await runDue();
  await to(frozen, "Frozen");
  await to(deleted, "Delete");
  await programme.merchants.update({ merchantId: closed.merchantId, change: { status: "Closed" } }, by);
  goTo(monthStart(9));
  await runDue();
  const counts = await Promise.all([frozen, deleted, expiring, closed].map(async (card) => (await fees(card)).length));
  // The expiring card's last month is July 2026: it pays for the periods from May, June and July.
  expect(counts).toEqual([5, 1, 3, 1]);
  const { rows } = await programme.db.pool.query<{ card_no: string }>("SELECT card_no FROM management_due");
  expect(rows.map(({ card_no }) => card_no)).toEqual([frozen.cardNo]);
});

test("after a standstill of three months the periods are taken in order, each as of its own time, until the money ends", async () => {
  const card = await programme.issueCard({ rates: monthly, credit: "5.00" });
  const other = await programme.anotherCard(card);
  const opened = programme.clock.now();
  goTo(monthStart(8) + 30 * 60_000);
  await runDue();
  // 5.00 pays both cards' first period; then it is the older card's turn, in vain.
  expect((await fees(card)).map(({ status, at }) => [status, at])).toEqual([
    ["Success", opened],
    ["Fail", monthStart(6)],
    ["Fail", retryOf(6)],
  ]);
  expect((await fees(other)).map(({ status, at }) => [status, at])).toEqual([
    ["Success", opened],
    ["Fail", monthStart(6)],
    ["Fail", retryOf(6)],
  ]);
  expect([await statusOf(card), await statusOf(other)]).toEqual(["Delete", "Delete"]);
});

test("a card without a management fee has no schedule, and one that is older than the fees begins with its next period", async () => {
  const free = await programme.issueCard();
  const old = await programme.issueCard({ rates: monthly });
  await programme.db.pool.query("DELETE FROM management_due");
  await programme.db.pool.query("INSERT INTO management_due VALUES ($1, $2, 'cardholder', 'plan', 0)", [
    old.merchantId,
    old.cardNo,
  ]);
  goTo(monthStart(6) + hourMs);
  expect(await runDue()).toBe(1);
  expect(await fees(old)).toEqual([]);
  goTo(monthStart(7));
  expect(await runDue()).toBe(1);
  expect((await fees(old)).map(({ at }) => at)).toEqual([monthStart(7)]);
  expect(await fees(free)).toEqual([]);
});

test("four workers at once take each fee once", async () => {
  const card = await programme.issueCard({ rates: monthly, costs: monthly, credit: "1000.00" });
  const cards = [card];
  for (let count = 0; count < 7; count += 1) cards.push(await programme.anotherCard(card));
  goTo(monthStart(9));
  const workers = [1, 2, 3, 4].map(() =>
    createManagement({
      pool: programme.db.pool,
      clock: programme.clock,
      terms: (product) => programme.products.terms(product),
      onError: (error) => void programme.errors.push(error),
    }).runDue(programme.clock.now(), always),
  );
  const done = (await Promise.all(workers)).reduce((sum, count) => sum + count, 0);
  // 8 cards, 2 sides, 5 periods.
  expect(done).toBe(80);
  expect(await programme.pots(card)).toMatchObject({ credit: ["920.00", "0.00"], reserve: ["9920.00", "0.00"] });
});

test("a fee that fails by a bug keeps no other from being taken, and is taken in the next round", async () => {
  const broken = await programme.issueCard({ rates: monthly });
  const sound = await programme.issueCard({ rates: monthly });
  let failing = true;
  const errors: unknown[] = [];
  const management = createManagement({
    pool: programme.db.pool,
    clock: programme.clock,
    terms: async (product) => {
      if (failing && product.productNo === broken.productNo) throw new Error("a bug");
      return programme.products.terms(product);
    },
    onError: (error) => void errors.push(error),
  });
  expect(await management.runDue(programme.clock.now(), always)).toBe(1);
  expect([(await fees(broken)).length, (await fees(sound)).length, errors.length]).toEqual([0, 1, 1]);
  failing = false;
  expect(await management.runDue(programme.clock.now(), always)).toBe(1);
  expect((await fees(broken)).length).toBe(1);
});
