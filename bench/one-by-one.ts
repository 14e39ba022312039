import { readFile } from "node:fs/promises";
import type { Pool } from "pg";
import type { AuthorizationRequest } from "../apps/server/src/authorization/index.ts";
// The baseline is the platform's own statement with one item, so it takes the item from the room's inside.
import { createFactsCache } from "../apps/server/src/authorization/facts.ts";
import { type DecisionItem, decisionItem } from "../apps/server/src/authorization/item.ts";
import { callDecide, type DecisionRow } from "../apps/server/src/authorization/store.ts";
import { feeRowsJson } from "../apps/server/src/consumptions/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";
import { createProducts } from "../apps/server/src/products/index.ts";
import { identifyFromMemory } from "./engine.ts";
import { openOwnerPool } from "./postgres.ts";
import type { ProgrammeCard } from "./programme.ts";

/** How the baseline decides one authorization: both do the same ledger work in one function call. */
export const oneByOneKinds = ["the platform's statement with one item", "a lean function for one authorization"] as const;
export type OneByOneKind = (typeof oneByOneKinds)[number];

/** Decides without batching; throws when it is not approved, which no purchase of these benchmarks should be. */
export type DecideAlone = (request: AuthorizationRequest) => Promise<void>;

export async function installBaseline(url: string): Promise<void> {
  const owner = openOwnerPool(url);
  try {
    await owner.query(await readFile(new URL("baseline.sql", import.meta.url), "utf8"));
  } finally {
    await owner.end();
  }
}

/** The same preparation as the engine's, then one call; the pool's size bounds how many are under way. */
export function createOneByOne(kind: OneByOneKind, pool: Pool, cards: readonly ProgrammeCard[]): DecideAlone {
  const identify = identifyFromMemory(cards);
  const products = createProducts({ pool, clock: systemClock });
  const facts = createFactsCache({ sql: pool, terms: (product) => products.terms(product) });
  const call = kind === "the platform's statement with one item" ? callWithOne : callLean;
  return async (request) => {
    const key = await identify(request.pan);
    const known = key === null ? null : await facts.of(key);
    if (known === null) {
      throw new Error("the programme has no such card");
    }
    const row = await call(pool, decisionItem({ request, facts: known, preset: "", now: systemClock.now() }));
    if (row?.verdict !== "approved") {
      throw new Error(`the baseline's answer was ${row?.verdict ?? "nothing"} ${row?.reason ?? ""}`);
    }
  };
}

async function callWithOne(pool: Pool, item: DecisionItem): Promise<DecisionRow | undefined> {
  return (await callDecide(pool, [item]))[0];
}

const leanText = `SELECT verdict, reason, consume_no AS "consumeNo", consumption_status AS "consumptionStatus"
  FROM bench_baseline.authorize(${Array.from({ length: 30 }, (_, i) => `$${i + 1}`).join(", ")})`;

async function callLean(pool: Pool, item: DecisionItem): Promise<DecisionRow | undefined> {
  const { facts, periods, acceptor } = item;
  const { rows } = await pool.query<DecisionRow>({
    name: "baseline_authorize",
    text: leanText,
    values: [
      facts.merchantId,
      facts.cardNo,
      facts.version,
      facts.creditAccountId,
      facts.reserveAccountId,
      item.consumeNo,
      item.networkReference,
      item.amount,
      item.creditTotal,
      item.reserveTotal,
      item.fee,
      feeRowsJson(item.feeRows),
      facts.limits.purchase,
      facts.limits.week,
      periods.week,
      periods.day,
      periods.month,
      item.localAmount,
      item.localCurrency,
      acceptor.name,
      acceptor.mcc,
      acceptor.city,
      acceptor.country,
      item.holdId,
      item.callbackId,
      item.dataHead,
      item.dataApproved,
      item.dataTail,
      item.at,
      item.holdUntil,
    ],
  });
  return rows[0];
}
