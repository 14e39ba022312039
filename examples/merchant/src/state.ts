import { toDecimal } from "./amounts.ts";
import { type Database, integer, type Row, text } from "./database.ts";

/** A row as it is shown: amounts as decimal texts, missing texts as "". */
export type View = Readonly<Record<string, string | number>>;

export interface CallbackCounts {
  readonly received: number;
  readonly verified: number;
  /** Did not verify: bad signature, stale, not JSON. */
  readonly refused: number;
  /** How the verified ones ended: applied, repeated, superseded, … */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** The merchant's books, newest rows first. */
export interface State {
  readonly users: readonly View[];
  readonly cards: readonly View[];
  readonly authorizations: readonly View[];
  readonly bookings: readonly View[];
  readonly callbacks: CallbackCounts;
}

const userColumns = `user_id AS id, name, email, status, cardholder_no, cardholder_status, balance, held,
  balance - held AS available`;
const cardColumns = "card_no, card_unique_no, user_id, card_type, last_no AS card_last_no, status";

/** Each list holds at most 10,000 rows. */
export function readState(db: Database): State {
  return {
    users: db.all(`SELECT ${userColumns} FROM users ORDER BY rowid DESC LIMIT 10000`).map(view),
    cards: db.all(`SELECT ${cardColumns} FROM cards ORDER BY rowid DESC LIMIT 10000`).map(view),
    authorizations: db.all("SELECT * FROM authorizations ORDER BY rowid DESC LIMIT 10000").map(view),
    bookings: db.all("SELECT * FROM bookings ORDER BY time DESC, rowid DESC LIMIT 10000").map(view),
    callbacks: callbackCounts(db),
  };
}

/** One user with their cards. */
export function readUser(db: Database, userId: string): View & { cards: readonly View[] } {
  const user = db.get(`SELECT ${userColumns} FROM users WHERE user_id = :userId`, { userId });
  if (user === undefined) throw new Error("no such user");
  const cards = db.all(`SELECT ${cardColumns} FROM cards WHERE user_id = :userId ORDER BY rowid DESC LIMIT 1000`, {
    userId,
  });
  return Object.assign(view(user), { cards: cards.map(view) });
}

export function readCard(db: Database, cardNo: string): View {
  const card = db.get(`SELECT ${cardColumns} FROM cards WHERE card_no = :cardNo`, { cardNo });
  if (card === undefined) throw new Error("no such card");
  return view(card);
}

function callbackCounts(db: Database): CallbackCounts {
  const rows = db.all("SELECT outcome, count FROM callback_counts");
  const counts = new Map(rows.map((row) => [text(row, "outcome"), Number(integer(row, "count"))]));
  const received = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const refused = counts.get("refused") ?? 0;
  counts.delete("refused");
  return { received, verified: received - refused, refused, outcomes: Object.fromEntries(counts) };
}

const amounts = new Set(["balance", "held", "available", "posted", "amount", "fee"]);

function view(row: Row): View {
  const shown = Object.keys(row).map((column): [string, string | number] => {
    if (typeof row[column] !== "bigint") return [column, text(row, column)];
    return [column, amounts.has(column) ? toDecimal(row[column]) : Number(row[column])];
  });
  return Object.fromEntries(shown);
}
