import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { endAll, type Running, run } from "../support/processes.ts";
import { dayMs, openProgramme, type Programme, type ReadyCard } from "../support/programme.ts";
import { booksOf } from "./books.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const monthly = { manage_fee_type: "Month", manage_fee: "1.00" } as const;
const script = fileURLToPath(new URL("management-worker.ts", import.meta.url));
const cardsCount = 12;
/** May 22 and the 22nd of the six months after it. */
const periods = 7;
const chargesCount = cardsCount * 2 * periods;

let programme: Programme;
let card: ReadyCard;

beforeAll(async () => {
  programme = await openProgramme();
  card = await programme.issueCard({ rates: monthly, costs: monthly, reserve: "1000.00", credit: "1000.00" });
  for (let count = 1; count < cardsCount; count += 1) await programme.anotherCard(card);
  programme.clock.advance(190 * dayMs);
});

afterAll(async () => {
  await endAll();
  await programme.close();
});

const startWorker = (): Running => run({ script, words: [programme.db.url, String(programme.clock.now())], env: {} });

async function chargesSoFar(): Promise<number> {
  const { rowCount } = await programme.db.pool.query("SELECT 1 FROM management_charge");
  return rowCount ?? 0;
}

async function untilCharges(count: number): Promise<void> {
  for (let looks = 0; looks < 3_000 && (await chargesSoFar()) < count; looks += 1) await sleep(2);
}

test("workers that are killed in the middle of a run have charged nobody twice when others have finished it", async () => {
  for (const killedAt of [1, Math.round(chargesCount / 4), Math.round(chargesCount / 2)]) {
    const [killed, other] = [startWorker(), startWorker()];
    await untilCharges(killedAt);
    killed.kill("SIGKILL");
    other.kill("SIGKILL");
    expect([(await killed.ended).signal, (await other.ended).signal]).toEqual(["SIGKILL", "SIGKILL"]);
    expect(await chargesSoFar()).toBeLessThan(chargesCount);
  }
  const last = [startWorker(), startWorker()];
  const ends = await Promise.all(last.map(({ ended }) => ended));
  expect(ends.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
    [0, "began\ndone\n", ""],
    [0, "began\ndone\n", ""],
  ]);
  const { charges, sums, consumptions } = await booksOf(programme.db.pool);
  expect(charges).toHaveLength(chargesCount);
  expect(charges.every((line) => line.includes(" taken 100 tries 1 "))).toBe(true);
  // In credit mode the cardholder's side is shown.
  expect(consumptions).toHaveLength(chargesCount / 2);
  const each = cardsCount * periods * 100;
  expect(sums.filter((line) => line.startsWith("fee "))).toEqual([
    `fee m1/cardholder/1 → m1/merchant_income/ ${each}`,
    `fee m1/reserve/ → m1/platform_income/ ${each}`,
  ]);
  expect((await programme.pots(card)).credit[0]).toBe((1000 - each / 100).toFixed(2));
  expect(await programme.verify()).toMatchObject({ ok: true });
});
