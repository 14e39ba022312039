import type { AuthorizationAnswer } from "../../apps/server/src/authorization/index.ts";
import { createDatabaseOn } from "../support/database.ts";
import {
  type CardWishes,
  openProgramme,
  type Pot,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { createChecks } from "./checks.ts";
import type { ProofOptions, ProofReport } from "./proof.ts";

export interface RacesProofOptions extends ProofOptions {
  /** Purchases of 1.00 in each race, all sent at once over two engines. */
  readonly purchases: number;
  /** For so many of them there is money, or room below the limit. */
  readonly winners: number;
}

interface Race {
  readonly name: string;
  readonly wishes: CardWishes;
  readonly cards: number;
  readonly kind: "purchase" | "atm";
  /** Why the others are declined. */
  readonly reason: string;
  /** Available and held when it is over; null where the race is not about that account. */
  readonly pots: { readonly credit: Pot | null; readonly reserve: Pot | null };
}

/** Decimal text of so many times an amount in cents. */
const times = (count: number, cents: number): string => ((count * cents) / 100).toFixed(2);
const plenty = "100000.00";

/** One purchase of 1.00 takes 1.05 of credit and 1.01 of the reserve (rates of the test programme). */
function races(winners: number): Race[] {
  const credit = times(winners, 105);
  const reserve = times(winners, 101);
  const exactCredit: Race = {
    name: "credit",
    wishes: { credit, reserve: plenty },
    cards: 5,
    kind: "purchase",
    reason: "insufficient_credit",
    pots: { credit: ["0.00", credit], reserve: null },
  };
  const modes = ["CREDIT_EXTENSION", "AUTHORIZATION"] as const;
  const exactReserve = modes.map(
    (mode): Race => ({
      name: `reserve, ${mode}`,
      wishes: { mode, reserve, credit: plenty },
      cards: 5,
      kind: "purchase",
      reason: "insufficient_reserve",
      pots: { credit: null, reserve: ["0.00", reserve] },
    }),
  );
  const limits = [
    ["limit_week_balance", "purchase", "limit_week"],
    ["limit_atm_day_balance", "atm", "limit_atm_day"],
    ["limit_atm_month_balance", "atm", "limit_atm_month"],
  ] as const;
  const exactLimits = modes.flatMap((mode) =>
    limits.map(
      ([limit, kind, reason]): Race => ({
        name: `${reason}, ${mode}`,
        wishes: { mode, reserve: plenty, credit: plenty, limits: { [limit]: times(winners, 100) } },
        // A limit belongs to one card.
        cards: 1,
        kind,
        reason,
        pots: { credit: null, reserve: null },
      }),
    ),
  );
  return [exactCredit, ...exactReserve, ...exactLimits];
}

type Checks = ReturnType<typeof createChecks>;

/** Simultaneous purchases against money or a limit for exactly some of them: exactly those are approved, nothing is left over. */
export async function proveRaces(options: RacesProofOptions): Promise<ProofReport> {
  const checks = createChecks();
  const programme = await openProgramme({ db: await createDatabaseOn(options.server) });
  const all = races(options.winners);
  let run = 0;
  try {
    for (const race of all) {
      if (options.signal.aborted) break;
      options.say(`races: ${race.name}, ${options.purchases} purchases for ${options.winners}`);
      await runRace(programme, { race, checks, ...options });
      run += 1;
    }
    const { ok, broken } = await programme.verify();
    checks.same("the ledger is whole", { found: { ok, broken }, wanted: { ok: true, broken: [] } });
    checks.same("nothing failed on our side", {
      found: [programme.errors, programme.batchFailures],
      wanted: [[], []],
    });
  } finally {
    await programme.close();
  }
  const violations = run < all.length ? [...checks.violations, "ended early"] : checks.violations;
  const numbers = { races: run, purchases: run * options.purchases, checks: checks.count };
  return { proof: "races", ok: violations.length === 0, seed: options.seed, numbers, violations };
}

async function runRace(
  programme: Programme,
  { race, checks, purchases, winners }: RacesProofOptions & { readonly race: Race; readonly checks: Checks },
): Promise<void> {
  const cards = [await programme.issueCard(race.wishes)];
  const [first] = cards;
  if (first === undefined) throw new Error("a race needs a card");
  while (cards.length < race.cards) cards.push(await programme.anotherCard(first));
  const engines = [programme.authorization, programme.another()];
  const answers = await Promise.all(
    Array.from({ length: purchases }, (_, place) => {
      const [engine, card] = [engines[place % engines.length], cards[place % cards.length]];
      if (engine === undefined || card === undefined) throw new Error("a race needs a card and an engine");
      return engine.authorize(purchaseWith(card, "1.00", { kind: race.kind }));
    }),
  );
  checks.same(`race for ${race.name}: the verdicts`, {
    found: verdicts(answers),
    wanted: { approved: winners, [race.reason]: purchases - winners },
  });
  const pots = await programme.pots(first);
  for (const account of ["credit", "reserve"] as const) {
    const wanted = race.pots[account];
    if (wanted !== null) checks.same(`race for ${race.name}: the ${account}`, { found: pots[account], wanted });
  }
  await checkEach(programme, { race, checks, cards });
}

function verdicts(answers: readonly AuthorizationAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = answer.approved ? "approved" : answer.reason;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The pushes of the cards, one for each purchase, are numbered without gaps. */
async function checkEach(
  programme: Programme,
  { race, checks, cards }: { readonly race: Race; readonly checks: Checks; readonly cards: readonly ReadyCard[] },
): Promise<void> {
  for (const card of cards) {
    const found = (await programme.pushes(card)).map(({ sequence }) => sequence);
    checks.same(`race for ${race.name}: the pushes about card ${card.cardNo}`, {
      found,
      wanted: found.map((_, place) => place + 1),
    });
  }
}
