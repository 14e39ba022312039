import { type CurrencyCode, isCurrency } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import type { Account, AccountKind, AccountName } from "./accounts.ts";
import type { capture, forceHold, HoldKey, Movement, Posting } from "./movements.ts";

interface AccountRow {
  account_id: string;
  kind: AccountKind;
  owner: string;
  currency: string;
  available: bigint;
  held: bigint;
}

function toAccount(row: AccountRow): Account {
  if (!isCurrency(row.currency)) {
    throw new Error(`ledger: account in unknown currency ${row.currency}`);
  }
  return {
    accountId: row.account_id,
    kind: row.kind,
    owner: row.owner,
    currency: row.currency,
    available: row.available,
    held: row.held,
  };
}

export async function insertAccount(
  sql: Sql,
  account: AccountName & { accountId: string; currency: CurrencyCode; floor: bigint | null; now: number },
): Promise<string> {
  const { rows } = await sql.query<{ id: string }>("SELECT ledger.open_account($1, $2, $3, $4, $5, $6, $7) AS id", [
    account.merchantId,
    account.accountId,
    account.kind,
    account.owner,
    account.currency,
    account.floor,
    account.now,
  ]);
  const id = rows[0]?.id;
  if (id === undefined) {
    throw new Error("ledger: open_account answered nothing");
  }
  return id;
}

export async function selectAccount(sql: Sql, name: AccountName & { currency: CurrencyCode }): Promise<Account | null> {
  const { rows } = await sql.query<AccountRow>({
    name: "ledger_account",
    text: `SELECT account_id, kind, owner, currency, available, held FROM ledger.account
           WHERE merchant_id = $1 AND kind = $2 AND owner = $3 AND currency = $4`,
    values: [name.merchantId, name.kind, name.owner, name.currency],
  });
  const row = rows[0];
  return row === undefined ? null : toAccount(row);
}

export async function selectAccounts(
  sql: Sql,
  filter: { merchantId: number; owner: string; limit: number; kinds: readonly AccountKind[] },
): Promise<Account[]> {
  // The kinds make it one look into the index for each; without them it would walk over all accounts of the merchant.
  const { rows } = await sql.query<AccountRow>({
    name: "ledger_accounts_of_owner",
    text: `SELECT account_id, kind, owner, currency, available, held FROM ledger.account
           WHERE merchant_id = $1 AND owner = $2 AND kind = ANY ($4) ORDER BY kind LIMIT $3`,
    values: [filter.merchantId, filter.owner, filter.limit, filter.kinds],
  });
  return rows.map(toAccount);
}

const sources = (postings: readonly Posting[]) => postings.map((posting) => posting.source);
const destinations = (postings: readonly Posting[]) => postings.map((posting) => posting.destination);
const amounts = (postings: readonly Posting[]) => postings.map((posting) => posting.amount);

export async function callTransfer(sql: Sql, movement: Movement): Promise<void> {
  const { merchantId, transactionId, kind, reference, at, postings } = movement;
  await sql.query({
    name: "ledger_transfer",
    text: "SELECT ledger.transfer($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    values: [
      [merchantId],
      [transactionId],
      [kind],
      [reference],
      [at],
      postings.map(() => 1),
      sources(postings),
      destinations(postings),
      amounts(postings),
    ],
  });
}

export async function callVoid(
  sql: Sql,
  options: { kind: "void" | "expire"; holds: readonly HoldKey[]; at: number },
): Promise<string[]> {
  const { rows } = await sql.query<{ hold_id: string }>("SELECT hold_id FROM ledger.void($1, $2, $3, $4, $5)", [
    options.kind,
    options.holds.map((hold) => hold.merchantId),
    options.holds.map((hold) => hold.holdId),
    options.holds.map((hold) => hold.transactionId),
    options.at,
  ]);
  return rows.map((row) => row.hold_id);
}

export async function callForceTransfer(sql: Sql, movement: Movement): Promise<void> {
  const { merchantId, transactionId, kind, reference, at, postings } = movement;
  await sql.query("SELECT ledger.force_transfer($1, $2, $3, $4, $5, $6, $7, $8)", [
    merchantId,
    transactionId,
    kind,
    reference,
    at,
    sources(postings),
    destinations(postings),
    amounts(postings),
  ]);
}

export async function callCapture(sql: Sql, options: Parameters<typeof capture>[1]): Promise<bigint> {
  const { merchantId, holdId, transactionId, reference, at, postings, keep } = options;
  const { rows } = await sql.query<{ beyond: bigint }>({
    name: "ledger_capture",
    text: "SELECT ledger.capture($1, $2, $3, $4, $5, $6, $7, $8, $9) AS beyond",
    values: [
      merchantId,
      holdId,
      transactionId,
      reference,
      at,
      sources(postings),
      destinations(postings),
      amounts(postings),
      keep,
    ],
  });
  return rows[0]?.beyond ?? 0n;
}

export async function callForceHold(sql: Sql, options: Parameters<typeof forceHold>[1]): Promise<void> {
  const { merchantId, holdId, reference, at, expiresAt, lines } = options;
  await sql.query("SELECT ledger.force_hold($1, $2, $3, $4, $5, $6, $7)", [
    merchantId,
    holdId,
    reference,
    at,
    expiresAt,
    lines.map((line) => line.accountId),
    lines.map((line) => line.amount),
  ]);
}

/** Ids must be sorted and distinct: the answer lines up with them. */
export async function callLock(
  sql: Sql,
  options: { merchantId: number; accountIds: readonly string[] },
): Promise<bigint[]> {
  const { rows } = await sql.query<{ available: bigint[] }>("SELECT ledger.lock_accounts($1, $2) AS available", [
    options.accountIds.map(() => options.merchantId),
    options.accountIds,
  ]);
  return rows[0]?.available ?? [];
}
