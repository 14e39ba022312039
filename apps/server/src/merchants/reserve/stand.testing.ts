import { createTestDatabase } from "@cardwright/testing/database";
import { inTransaction } from "#database/index.ts";
import { type Result, uuid7 } from "#kernel/index.ts";
import {
  type AccountKind,
  capture,
  findAccount,
  lockAvailable,
  type TransferKind,
  transfer,
  verifyLedger,
  voidHolds,
} from "#ledger/index.ts";
import { createMerchants, createReserves, type Merchant, type NewMerchant, statementRules } from "../index.ts";

export const mia = { actor: "mia", requestId: "test" };
export const jon = { actor: "jon", requestId: "test" };
export const dayMs = 86_400_000;
export const start = Date.UTC(2026, 10, 20);

export function value<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${String(result.reason)}`);
  return result.value;
}

export type ReserveStand = Awaited<ReturnType<typeof openReserveStand>>;

/** Merchants with their reserves on a database of their own, a clock that is moved, and movements as the other rooms make them. */
export async function openReserveStand() {
  const db = await createTestDatabase();
  let now = start;
  const clock = { now: () => now };
  const secrets = {
    create: () => "",
    store: async () => ({ ok: true, value: null }) as const,
    delete: async () => undefined,
  };
  const merchants = createMerchants({
    pool: db.pool,
    clock,
    requireHttps: true,
    secrets,
    webhookSecrets: secrets,
    clientKeys: secrets,
  });
  const reserves = createReserves({ pool: db.pool, clock });

  const idOf = async (merchantId: number, kind: AccountKind): Promise<string> => {
    const account = await findAccount(db.pool, { merchantId, kind, owner: "" });
    if (account === null) throw new Error(`no ${kind} account`);
    return account.accountId;
  };
  /** `to` and `from` name the account on the other side of the reserve. */
  const move = async (movement: {
    readonly merchantId: number;
    readonly kind: TransferKind;
    readonly amount: bigint;
    readonly from?: AccountKind;
    readonly to?: AccountKind;
    readonly at?: number;
    /** The time in the transaction's id, when it is another. */
    readonly idAt?: number;
  }): Promise<void> => {
    const { merchantId, kind, amount, at = now } = movement;
    await transfer(db.pool, {
      merchantId,
      transactionId: uuid7(movement.idAt ?? at),
      kind,
      reference: "test",
      at,
      postings: [
        {
          source: await idOf(merchantId, movement.from ?? "reserve"),
          destination: await idOf(merchantId, movement.to ?? "reserve"),
          amount,
        },
      ],
    });
  };
  return {
    db,
    clock,
    merchants,
    reserves,
    idOf,
    move,
    moveTo: (ms: number) => {
      now = ms;
    },
    newMerchant: async (more: Partial<NewMerchant> = {}): Promise<Merchant> =>
      value(await merchants.create({ name: "Shop", mode: "AUTHORIZATION", utcOffsetMinutes: 0, ...more }, mia)),
    recharge: (merchantId: number, amount: bigint, at?: number) =>
      move({ merchantId, kind: "recharge", amount, from: "funding", ...(at !== undefined && { at }) }),
    hold: async (merchantId: number, amount: bigint, at = now): Promise<string> => {
      const holdId = uuid7(at);
      const reserve = await idOf(merchantId, "reserve");
      await inTransaction(db.pool, async (sql) => {
        await lockAvailable(sql, { merchantId, accountIds: [reserve] });
        await sql.query(
          "SELECT ledger.hold(ARRAY[ROW($1, $2, 1, 1, $3, 'USD', $4, 'test', $5, $6)::ledger.hold_line])",
          [merchantId, holdId, reserve, amount, at, at + dayMs],
        );
      });
      return holdId;
    },
    /** A clearing of the amount with a BIN cost, as much as the hold keeps and more if it must. */
    clear: async (cleared: {
      readonly merchantId: number;
      readonly holdId: string | null;
      readonly amount: bigint;
      readonly cost?: bigint;
      readonly at?: number;
      readonly keep?: boolean;
    }): Promise<void> => {
      const { merchantId, holdId, amount, cost = 0n, at = now, keep = false } = cleared;
      const source = await idOf(merchantId, "reserve");
      const postings = [{ source, destination: await idOf(merchantId, "settlement"), amount }];
      if (cost > 0n) {
        postings.push({ source, destination: await idOf(merchantId, "platform_income"), amount: cost });
      }
      await capture(db.pool, {
        merchantId,
        holdId,
        transactionId: uuid7(at),
        reference: "test",
        at,
        postings,
        keep,
      });
    },
    release: (merchantId: number, holdId: string, at = now) =>
      voidHolds(db.pool, { kind: "expire", holds: [{ merchantId, holdId, transactionId: uuid7(at) }], at }),
    reserveOf: async (merchantId: number) => {
      const account = await findAccount(db.pool, { merchantId, kind: "reserve", owner: "" });
      if (account === null) throw new Error("no reserve");
      return account;
    },
    brokenRules: async () => (await verifyLedger(db.pool, { extraRules: statementRules })).broken,
  };
}
