import { formatAmount } from "@cardwright/money";
import { type Desk, heldBy } from "./desk.ts";
import { limits } from "./limits.ts";
import type { Purchase } from "./purchase.ts";
import { isYes } from "./wire/answer.ts";

/** What is available on the test card in the merchant's books, as far as it is known from outside. Minor units. */
export interface Books {
  /** Null when a check may have left something else. */
  available: bigint | null;
  /**
   * Nothing has happened since it was seen but holds that were reversed, which `booking.readable` has shown to work. A refund may not
   * have been booked, so after one it is looked at again. It saves three calls of each check, a quarter of the run.
   */
  isSure: boolean;
  /** At the beginning of the run. */
  first: bigint | null;
}

export type Found = { readonly ok: true; readonly available: bigint } | { readonly ok: false; readonly saw: string };

/**
 * Finds what is available by questions alone: amounts that are halved each time, each yes held while the next is asked. What was
 * approved in all is what was there. 30 questions find any sum to the cent, and it does not matter how soon the merchant books
 * what is given back afterwards.
 */
export async function findAvailable(desk: Desk, bits: number = limits.searchBits): Promise<Found> {
  let held = 0n;
  let answers = 0;
  const holding: Purchase[] = [];
  for (let bit = bits - 1; bit >= 0; bit -= 1) {
    const purchase = desk.purchase({ amount: 1n << BigInt(bit), isProbe: true });
    const answer = await desk.ask(purchase);
    held += heldBy(purchase, answer);
    answers += isYes(answer) ? 1 : 0;
    if (purchase.mayHold) {
      holding.push(purchase);
    }
  }
  for (const purchase of holding) {
    await reverse(desk, purchase);
  }
  if (answers === bits) {
    return { ok: false, saw: `every purchase was approved, ${money(held)} in all: the books seem to have no limit` };
  }
  return { ok: true, available: held };
}

/**
 * `coarse` leaves 0.24 to either side, so that a merchant which loses a cent by rounding fails the checks about that and no others;
 * the amounts of a run are 1.00 and more. `exact` is to the cent.
 */
export type Precision = "coarse" | "exact";

/**
 * Two questions tell whether `expected` is available: it is approved, and a little more is not. Null when it is; otherwise what was
 * found instead, in a sentence, after the books had time to settle.
 */
export async function differenceFrom(
  desk: Desk,
  books: Books,
  { expected, precision = "coarse" }: { readonly expected: bigint; readonly precision?: Precision },
): Promise<string | null> {
  for (const waitMs of [0, ...desk.run.settings.pace.settleWaitsMs]) {
    await desk.wait(waitMs);
    if (await holdsExpectation(desk, expected, precision)) {
      return null;
    }
  }
  books.available = null;
  const found = await findAvailable(desk);
  return found.ok ? `${money(found.available)} was available where it should be ${money(expected)}` : found.saw;
}

async function holdsExpectation(desk: Desk, expected: bigint, precision: Precision): Promise<boolean> {
  const margin = precision === "exact" ? { below: 0n, above: 1n } : { below: 24n, above: 25n };
  const low = expected - margin.below;
  const high = expected + margin.above;
  if (low > 0n && !(await isApproved(desk, low))) {
    return false;
  }
  return !(await isApproved(desk, high > 0n ? high : 1n));
}

async function isApproved(desk: Desk, amount: bigint): Promise<boolean> {
  const purchase = desk.purchase({ amount, isProbe: true });
  const held = heldBy(purchase, await desk.ask(purchase));
  if (purchase.mayHold) {
    await reverse(desk, purchase);
  }
  return held === amount;
}

async function reverse(desk: Desk, purchase: Purchase): Promise<void> {
  await desk.tell(purchase, { status: "Fail", remark: "reversed", detail: "Reversed." });
}

/** What is available now, found anew when the last check has left something else than there was before it. */
export async function settled(desk: Desk, books: Books): Promise<Found> {
  const known = books.available;
  if (known !== null && (books.isSure || (await differenceFrom(desk, books, { expected: known })) === null)) {
    books.isSure = true;
    return { ok: true, available: known };
  }
  const found = await findAvailable(desk);
  books.available = found.ok ? found.available : null;
  books.isSure = found.ok;
  return found;
}

export function money(minor: bigint): string {
  return formatAmount(minor, 2);
}
