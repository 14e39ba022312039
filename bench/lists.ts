import type { Pool } from "pg";
// The statements behind the list endpoints, without the rooms around them: a list needs no vault and no KYC provider.
import { listCardholders } from "../apps/server/src/cardholders/store.ts";
import { selectCards } from "../apps/server/src/cards/store.ts";
import { listConsumptions } from "../apps/server/src/consumptions/index.ts";
import { selectTransfers } from "../apps/server/src/credit/store.ts";
import { firstOrderNumberAt, type OrderKind } from "../apps/server/src/kernel/index.ts";

export const pageSize = 100;
const periodMs = 90 * 86_400_000;

/** A list endpoint's statement: a page of a merchant's rows of the past 90 days, newest first. */
export interface List {
  readonly name: string;
  /** The table behind it. */
  readonly table: string;
  /** Answers how many rows the page had. */
  page(
    pool: Pool,
    options: { readonly merchantId: number; readonly page: number; readonly now: number },
  ): Promise<number>;
}

const numbers = (kind: OrderKind, now: number) => ({
  fromNumber: firstOrderNumberAt(kind, now - periodMs),
  beforeNumber: firstOrderNumberAt(kind, now),
});

const place = (page: number) => ({ offset: page * pageSize, limit: pageSize });

export const lists: readonly List[] = [
  {
    name: "card/consume/list",
    table: "consumption",
    page: async (pool, { merchantId, page, now }) => {
      const filter = { merchantId, cardholderNo: null, cardNo: null, consumeNo: null, ...numbers("O", now) };
      return (await listConsumptions(pool, { ...filter, ...place(page) })).length;
    },
  },
  {
    name: "card/list",
    table: "card",
    page: async (pool, { merchantId, page, now }) => {
      const filter = { merchantId, cardholderNo: null, cardUniqueNo: null, cardNo: null, ...numbers("C", now) };
      return (await selectCards(pool, { ...filter, ...place(page) })).length;
    },
  },
  {
    name: "account/transfer/list",
    table: "credit_transfer",
    page: async (pool, { merchantId, page, now }) => {
      const filter = { merchantId, cardholderNo: null, transferNo: null, transferUniqueNo: null, ...numbers("T", now) };
      return (await selectTransfers(pool, { ...filter, ...place(page) })).length;
    },
  },
  {
    name: "cardholder/list",
    table: "cardholder",
    page: async (pool, { merchantId, page, now }) =>
      (await listCardholders(pool, { merchantId, startMs: now - periodMs, endMsExclusive: now, page, size: pageSize }))
        .length,
  },
];
