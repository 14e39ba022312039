import { readFile } from "node:fs/promises";
import type { Pool } from "pg";
// The baseline is the platform's own statement with one item, so it takes the item from the room's inside.
import { createFactsCache } from "../apps/server/src/authorization/facts.ts";
import type { AuthorizationRequest } from "../apps/server/src/authorization/index.ts";
import { type DecisionItem, decisionItem } from "../apps/server/src/authorization/item.ts";
import { callDecide, type DecisionRow } from "../apps/server/src/authorization/store.ts";
import { feeRowsJson } from "../apps/server/src/consumptions/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";
import { createProducts } from "../apps/server/src/products/index.ts";
import { identifyFromMemory } from "./engine.ts";
import { openOwnerPool, openPlatformPool } from "./postgres.ts";
import type { ProgrammeCard } from "./programme.ts";
import { purchaseSource } from "./purchases.ts";
import { closedLoop, rateOf, type Slice } from "./slices.ts";
import type { Stand } from "./stand.ts";

/** The platform's own statement with one item, or a function written for one authorization (baseline.sql). */
export type OneByOneKind = "one item" | "lean function";

const oneByOneKinds: readonly OneByOneKind[] = ["one item", "lean function"];
const oneByOnePoolSizes: readonly number[] = [4, 8, 16, 32];
/** Forms that `tryOneByOne` tries. */
export const oneByOneTrials = oneByOneKinds.length * oneByOnePoolSizes.length;

/** A form of the baseline. */
export interface OneByOneForm {
  readonly kind: OneByOneKind;
  readonly poolSize: number;
}

export interface OneByOne {
  run(options: { readonly seconds: number; readonly signal: AbortSignal }): Promise<Slice>;
  close(): Promise<void>;
}

export async function installBaseline(url: string): Promise<void> {
  const owner = openOwnerPool(url);
  try {
    await owner.query(await readFile(new URL("baseline.sql", import.meta.url), "utf8"));
  } finally {
    await owner.end();
  }
}

let opened = 0;

/** The baseline on a pool of its own, with as many callers as connections: more would only wait for one. */
export function openOneByOne(stand: Stand, { kind, poolSize }: OneByOneForm): OneByOne {
  const pool = openPlatformPool(stand.url, poolSize);
  opened += 1;
  const next = purchaseSource(stand.cards, { seed: 2, reference: `alone-${opened}` });
  const decideAlone = decidesAlone(kind, pool, stand.cards);
  return {
    run: ({ seconds, signal }) =>
      closedLoop({
        inFlight: poolSize,
        seconds,
        signal,
        once: async () => {
          await decideAlone(next());
          stand.approved += 1;
        },
      }),
    close: () => pool.end(),
  };
}

type DecideAlone = (request: AuthorizationRequest) => Promise<void>;

/** The same preparation as the engine's, then one call. Throws when it is not approved, which no purchase here should be. */
function decidesAlone(kind: OneByOneKind, pool: Pool, cards: readonly ProgrammeCard[]): DecideAlone {
  const identify = identifyFromMemory(cards);
  const products = createProducts({ pool, clock: systemClock });
  const facts = createFactsCache({ sql: pool, terms: (product) => products.terms(product) });
  const call = kind === "one item" ? callWithOne : callLean;
  return async (request) => {
    const key = await identify(request.pan);
    const known = key === null ? null : await facts.of(key);
    if (known === null) {
      throw new Error("the programme has no such card");
    }
    const billed = { amount: request.amount, exchange: null };
    const row = await call(
      pool,
      decisionItem({ request, facts: known, billed, consumeRelateNo: "", preset: "", now: systemClock.now() }),
    );
    if (row?.verdict !== "approved") {
      throw new Error(`the baseline's answer was ${row?.verdict ?? "nothing"} ${row?.reason ?? ""}`);
    }
  };
}

/** A form and the decisions per second that it made in a short trial. */
export interface OneByOneTrial extends OneByOneForm {
  readonly rate: number;
}

/** Tries every form for `seconds`; the fastest first. */
export async function tryOneByOne(
  stand: Stand,
  options: { readonly seconds: number; readonly signal: AbortSignal; readonly onTrial: (form: OneByOneForm) => void },
): Promise<OneByOneTrial[]> {
  const trials: OneByOneTrial[] = [];
  for (const kind of oneByOneKinds) {
    for (const poolSize of oneByOnePoolSizes) {
      options.onTrial({ kind, poolSize });
      const alone = openOneByOne(stand, { kind, poolSize });
      try {
        // The first calls of a connection open it and plan their statements.
        await alone.run({ seconds: options.seconds / 4, signal: options.signal });
        const slice = await alone.run({ seconds: (options.seconds * 3) / 4, signal: options.signal });
        trials.push({ kind, poolSize, rate: rateOf(slice) });
      } finally {
        await alone.close();
      }
    }
  }
  return trials.toSorted((a, b) => b.rate - a.rate);
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
