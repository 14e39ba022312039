import { formatAmount } from "@cardwright/money";
import { clearingRules } from "../../apps/server/src/clearing/index.ts";
import { consumptionRules } from "../../apps/server/src/consumptions/index.ts";
import { verifyLedger } from "../../apps/server/src/ledger/index.ts";
import { call } from "../../scripts/sandbox/http.ts";
import { percent } from "../support/model.ts";
import type { createChecks } from "./checks.ts";
import type { Arrival } from "./door.ts";
import { lastTold, type Message } from "./load.ts";
import type { Stand, StandMerchant } from "./stand.ts";

type Checks = ReturnType<typeof createChecks>;

interface ConsumptionRow {
  readonly merchantId: number;
  readonly reference: string;
  readonly consumeNo: string;
  readonly cardholderNo: string;
  readonly status: string;
  readonly stage: string;
  readonly remark: string;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly asked: boolean;
  /** Minor units that the ledger holds for it now. */
  readonly creditHeld: bigint;
  readonly reserveHeld: bigint;
}

/** All that the platform's database says about the stand's purchases. */
export interface Books {
  readonly consumptions: readonly ConsumptionRow[];
  of(message: Message): readonly ConsumptionRow[];
}

export async function readBooks({ pool, merchants }: Stand): Promise<Books> {
  const { rows } = await pool.query<ConsumptionRow>(
    `SELECT p.merchant_id AS "merchantId", p.network_reference AS reference, p.consume_no AS "consumeNo",
       p.cardholder_no AS "cardholderNo", p.status, p.stage, p.remark, p.amount, p.fee, p.hold_id IS NOT NULL AS asked,
       coalesce((SELECT sum(h.amount) FROM ledger.hold h JOIN ledger.account a USING (merchant_id, account_id)
         WHERE h.merchant_id = p.merchant_id AND h.hold_id = p.hold_id AND a.kind = 'cardholder'), 0)::bigint AS "creditHeld",
       coalesce((SELECT sum(h.amount) FROM ledger.hold h JOIN ledger.account a USING (merchant_id, account_id)
         WHERE h.merchant_id = p.merchant_id AND h.hold_id = p.hold_id AND a.kind = 'reserve'), 0)::bigint AS "reserveHeld"
     FROM consumption p WHERE p.merchant_id = ANY ($1) AND p.type = 'Consumption'`,
    [merchants.map(({ merchantId }) => merchantId)],
  );
  const byMessage = Map.groupBy(rows, ({ merchantId, reference }) => `${merchantId}/${reference}`);
  return {
    consumptions: rows,
    of: ({ merchantId, reference }) => byMessage.get(`${merchantId}/${reference}`) ?? [],
  };
}

/** What an approval must hold: with the fees of the sandbox's card programme, 5 % for the cardholder and 1 % for the reserve. */
function heldFor(stand: Stand, { merchantId, amountCents }: Message) {
  const inCredit = stand.merchants[0].merchantId === merchantId;
  return {
    credit: BigInt(inCredit ? amountCents + percent(amountCents, 5) : 0),
    reserve: BigInt(amountCents + percent(amountCents, 1)),
  };
}

/**
 * Each message against the ledger: an approval that was told holds its money, a decline holds none, nothing is there twice and
 * nobody was told two things. `everyMessage`: none may be missing any more, because each has been answered.
 */
export function checkMessages(
  stand: Stand,
  found: {
    readonly books: Books;
    readonly messages: readonly Message[];
    readonly checks: Checks;
    readonly everyMessage: boolean;
  },
): void {
  const { books, messages, checks } = found;
  const wrong = messages.flatMap((message) => {
    const faults = [...faultsOfTelling(message), ...faultsOfRow(stand, { message, ...found })];
    return faults.map(
      (fault) => `${message.reference} of card ${message.cardNo} ${fault}: ${JSON.stringify(message.told)}`,
    );
  });
  checks.none("a message and the ledger differ", wrong, { outOf: messages.length });
  const known = new Set(messages.map(({ merchantId, reference }) => `${merchantId}/${reference}`));
  const strangers = books.consumptions.filter(({ merchantId, reference }) => !known.has(`${merchantId}/${reference}`));
  checks.none(
    "a consumption without a message of its own",
    strangers.map(({ consumeNo, remark }) => `${consumeNo} ${remark}`),
    { outOf: books.consumptions.length },
  );
}

function faultsOfTelling({ told }: Message): string[] {
  const answers = told.filter((each) => each.kind !== "nothing");
  const kinds = new Set(answers.map(({ kind }) => kind));
  const numbers = new Set(answers.map(({ consumeNo }) => consumeNo).filter((consumeNo) => consumeNo !== ""));
  return [
    ...(kinds.size > 1 ? ["was told both yes and no"] : []),
    ...(numbers.size > 1 ? ["was told two consumption numbers"] : []),
  ];
}

function faultsOfRow(
  stand: Stand,
  {
    message,
    books,
    everyMessage,
  }: { readonly message: Message; readonly books: Books; readonly everyMessage: boolean },
): string[] {
  const rows = books.of(message);
  const [row] = rows;
  const told = lastTold(message);
  if (rows.length > 1) return [`is there ${rows.length} times`];
  if (row === undefined) {
    // What failed on our side before anything was written is a decline without a number.
    const mayBeMissing = told.kind === "declined" && told.reason === "system_error" && told.consumeNo === "";
    return told.kind === "approved" || (everyMessage && !mayBeMissing) ? ["is not in the ledger"] : [];
  }
  const faults: string[] = [];
  if (told.kind !== "nothing" && told.consumeNo !== "" && told.consumeNo !== row.consumeNo) {
    faults.push(`has the number ${row.consumeNo}`);
  }
  const holds = row.creditHeld + row.reserveHeld;
  const wanted = heldFor(stand, message);
  const isOpen = row.status === "Pending" && row.stage === "held" && row.amount === BigInt(message.amountCents);
  const isOver = row.status === "Fail" && row.stage === "done" && holds === 0n;
  const rightHold = row.creditHeld === wanted.credit && row.reserveHeld === wanted.reserve;
  const state = `is ${row.status} ${row.stage} ${row.remark} of ${row.amount} and holds ${row.creditHeld}/${row.reserveHeld}`;
  if (told.kind === "approved" && !isOpen) faults.push(state);
  if (told.kind === "declined" && !isOver) faults.push(state);
  if (!isOpen && !isOver) faults.push(`neither approved nor over, ${state}`);
  if (isOpen && !rightHold) faults.push(`${state} instead of ${wanted.credit}/${wanted.reserve}`);
  return faults;
}

export async function checkLedger(stand: Stand, checks: Checks): Promise<void> {
  const { ok, broken } = await verifyLedger(stand.pool, { extraRules: [...consumptionRules, ...clearingRules] });
  checks.same("the ledger is whole", { found: { ok, broken }, wanted: { ok: true, broken: [] } });
}

interface CallbackRow {
  readonly id: string;
  readonly cardNo: string;
  readonly sequence: bigint;
  readonly state: string;
}

/** Every push was delivered, reached the merchant's door for the first time in the order of its card, and always said the same. */
export async function checkCallbacks(stand: Stand, checks: Checks): Promise<void> {
  for (const merchant of stand.merchants) {
    const { rows } = await stand.pool.query<CallbackRow>(
      `SELECT callback_id AS id, card_no AS "cardNo", sequence, state FROM any_callback WHERE merchant_id = $1
       ORDER BY card_no, sequence`,
      [merchant.merchantId],
    );
    const name = merchant.account.mode;
    const arrivals = merchant.door.arrivals();
    const open = rows.filter(({ state }) => state !== "Delivered");
    checks.none(
      `${name}: a push was not delivered`,
      open.map(({ id, state }) => `${id} is ${state}`),
      {
        outOf: rows.length,
      },
    );
    const pushes = arrivals.filter(({ sequence }) => sequence !== null);
    const sent = rows.map(({ id, cardNo, sequence }) => `${cardNo} ${sequence} ${id}`);
    checks.same(`${name}: the pushes of each card, in the order of their first arrival`, {
      found: firstArrivals(pushes),
      wanted: sent,
    });
    checks.none(`${name}: a push came again with other content`, changed(pushes), { outOf: pushes.length });
    const questions = arrivals.filter(({ action }) => action === "Auth").map(({ consumeNo }) => consumeNo);
    const asked = new Set(questions);
    checks.same(`${name}: nobody is asked twice about one purchase`, { found: questions.length, wanted: asked.size });
  }
}

/** `card sequence id` of each push that came, without repeats; by card, in order of arrival. */
function firstArrivals(pushes: readonly Arrival[]): string[] {
  const firsts = new Map<string, Arrival>();
  for (const push of pushes) {
    if (!firsts.has(push.id)) firsts.set(push.id, push);
  }
  const byCard = [...Map.groupBy(firsts.values(), ({ cardNo }) => cardNo)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byCard.flatMap(([cardNo, arrived]) => arrived.map(({ sequence, id }) => `${cardNo} ${sequence} ${id}`));
}

function changed(pushes: readonly Arrival[]): string[] {
  const bodies = new Map<string, string>();
  return pushes.flatMap(({ id, body }) => {
    const first = bodies.get(id) ?? body;
    bodies.set(id, first);
    return first === body ? [] : [id];
  });
}

interface MerchantState {
  readonly users: readonly { readonly id: string; readonly balance: string; readonly held: string }[];
  readonly callbacks: { readonly refused: number };
}

const text = (cents: bigint) => formatAmount(cents, 2);

/** The example merchant's own books, user by user, against the consumptions of the platform and, in credit mode, its accounts. */
export async function checkMerchants(
  stand: Stand,
  found: { readonly books: Books; readonly checks: Checks },
): Promise<void> {
  const { books, checks } = found;
  for (const merchant of stand.merchants) {
    const { body: state } = await call<MerchantState>({ url: `${merchant.example.url}/state` });
    checks.same(`${merchant.account.mode}: signatures that did not verify`, {
      found: state.callbacks.refused,
      wanted: 0,
    });
    const users = new Map(state.users.map(({ id, balance, held }) => [id, { balance, held }]));
    const accounts = await accountsOf(stand, merchant);
    for (const { userId, cardholderNo, opening } of merchant.customers) {
      const own = books.consumptions.filter(
        (row) => row.merchantId === merchant.merchantId && row.cardholderNo === cardholderNo,
      );
      const held = own.reduce((sum, row) => sum + (row.status === "Pending" ? row.amount + row.fee : 0n), 0n);
      const seen = { balance: opening, held: text(held) };
      checks.same(`${merchant.account.mode}: the merchant's books about ${userId}`, {
        found: users.get(userId),
        wanted: seen,
      });
      if (merchant.account.mode === "CREDIT_EXTENSION") {
        checks.same(`the credit of ${userId}`, { found: accounts.get(cardholderNo), wanted: seen });
      }
    }
  }
}

async function accountsOf(
  { pool }: Stand,
  { merchantId }: StandMerchant,
): Promise<Map<string, { readonly balance: string; readonly held: string }>> {
  const { rows } = await pool.query<{ owner: string; available: bigint; held: bigint }>(
    "SELECT owner, available, held FROM ledger.account WHERE merchant_id = $1 AND kind = 'cardholder'",
    [merchantId],
  );
  return new Map(
    rows.map(({ owner, available, held }) => [owner, { balance: text(available + held), held: text(held) }]),
  );
}
