import { setTimeout as sleep } from "node:timers/promises";
import type { Stand } from "./stand.ts";

/** What is still under way on the platform. */
interface Open {
  /** Questions without an end; those of a killed process wait for their hold's 30 s. */
  readonly asking: number;
  /** Pushes that are neither delivered nor given up. */
  readonly pushes: number;
}

export interface Settled {
  readonly ok: boolean;
  readonly open: Open;
  readonly seconds: number;
}

/** The guarantee: a question's hold lasts 30 s, a dead worker's claim 15 s, then somebody looks every half second. */
const settleMsMax = 60_000;
const lookMs = 100;
const quietLooks = 10;
const quietMsMax = 15_000;

/**
 * Waits until every process is back and nothing is under way any more, a minute at most. With `hurry` the platform's clock is
 * moved over the 30 s of a question's hold, once nothing moves by itself any more.
 */
export async function settle(
  stand: Stand,
  options: { readonly time: "real" | "hurry"; readonly signal: AbortSignal },
): Promise<Settled> {
  await Promise.all(stand.places.map((place) => place.started));
  const startedMs = performance.now();
  if (options.time === "hurry") {
    await becomeQuiet(stand);
    await stand.moveClock("PT31S");
  }
  for (;;) {
    const open = await openNow(stand).catch(() => ({ asking: -1, pushes: -1 }));
    const ok = open.asking === 0 && open.pushes === 0;
    const waitedMs = performance.now() - startedMs;
    if (ok || waitedMs > settleMsMax || options.signal.aborted) {
      return { ok, open, seconds: Math.round(waitedMs / 100) / 10 };
    }
    await sleep(lookMs);
  }
}

async function openNow({ pool, merchants }: Stand): Promise<Open> {
  const { rows } = await pool.query<{ asking: bigint; pushes: bigint }>(
    `SELECT (SELECT count(*) FROM consumption WHERE merchant_id = ANY ($1) AND stage = 'asking') AS asking,
            (SELECT count(*) FROM any_callback WHERE merchant_id = ANY ($1) AND state = 'Open') AS pushes`,
    [merchants.map(({ merchantId }) => merchantId)],
  );
  const [row] = rows;
  return { asking: Number(row?.asking ?? 0), pushes: Number(row?.pushes ?? 0) };
}

/** Nothing has changed for a second: what is left waits for the clock. */
async function becomeQuiet(stand: Stand): Promise<void> {
  let before = "";
  const startedMs = performance.now();
  for (let same = 0; same < quietLooks && performance.now() - startedMs < quietMsMax; ) {
    const now = JSON.stringify(await openNow(stand));
    same = now === before ? same + 1 : 0;
    before = now;
    await sleep(lookMs);
  }
}
