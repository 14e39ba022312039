import { setTimeout as sleep } from "node:timers/promises";
import { endAll } from "../support/processes.ts";
import { checkCallbacks, checkLedger, checkMerchants, checkMessages, readBooks } from "./books.ts";
import { createChecks } from "./checks.ts";
import { type Load, lastTold, type Message, purchase, send, startLoad, type Told } from "./load.ts";
import type { ProofReport } from "./proof.ts";
import { type Choices, createChoices } from "./random.ts";
import { settle } from "./settle.ts";
import { openStand, type Stand } from "./stand.ts";

export interface TroubleOptions {
  readonly proof: string;
  readonly databaseUrl: string;
  readonly seed: number;
  readonly customers: number;
  readonly buyers: number;
  readonly pauseMsMax: number;
  /** Simultaneous purchases over both network processes before the trouble, and for how many there is credit; null: none. */
  readonly race: { readonly purchases: number; readonly winners: number } | null;
  /** Whether the 30 s of an orphaned hold are waited for or jumped over. */
  readonly time: "real" | "hurry";
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** What is done to the platform while the load goes on; answers the numbers to report. */
  readonly trouble: (scene: Scene) => Promise<Record<string, number>>;
}

export interface Scene {
  readonly stand: Stand;
  readonly load: Load;
  readonly choices: Choices;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

type Checks = ReturnType<typeof createChecks>;

const lookMs = 200;

/**
 * Load on a real platform, trouble, and then every promise that was given is looked at: in the ledger, at the merchants' doors and
 * in their books. What the network was not told is sent again, twice, and must be answered the same both times.
 */
export async function proveUnderTrouble(options: TroubleOptions): Promise<ProofReport> {
  const { proof, seed, say, signal } = options;
  const checks = createChecks();
  let stand: Stand | null = null;
  let numbers: Record<string, number> = {};
  try {
    stand = await openStand(options);
    numbers = await play({ ...options, stand, checks });
  } finally {
    say("ending the processes");
    await endAll();
    await stand?.close();
  }
  const violations = signal.aborted ? [...checks.violations, "ended early"] : checks.violations;
  return { proof, ok: violations.length === 0, seed, numbers: { ...numbers, checks: checks.count }, violations };
}

interface Play extends TroubleOptions {
  readonly stand: Stand;
  readonly checks: Checks;
}

async function play(options: Play): Promise<Record<string, number>> {
  const { stand, checks, say, signal, time } = options;
  const choices = createChoices({ seed: options.seed, stream: 0 });
  await signUpCustomers(options);
  const raced = options.race === null ? [] : await raceOverNetwork({ ...options, race: options.race });
  const load = startLoad({ stand, choices, buyers: options.buyers, pauseMsMax: options.pauseMsMax });
  const ofTrouble = await untilOver(options, { stand, load, choices, say, signal });
  const messages = [...raced, ...load.messages];
  if (signal.aborted) return { ...ofTrouble, messages: messages.length };

  say(`settling after ${messages.length} messages`);
  const settled = await settle(stand, { time, signal });
  checks.same("all holds of orphaned questions are released and all pushes delivered within a minute", {
    found: settled,
    wanted: { ...settled, ok: true },
  });
  checkMessages(stand, { books: await readBooks(stand), messages, checks, everyMessage: false });

  const unanswered = messages.filter((message) => lastTold(message).kind === "nothing");
  say(`sending ${unanswered.length} unanswered messages again`);
  await replay(options, unanswered);
  const resettled = await settle(stand, { time: "real", signal });
  checks.same("what the replays caused is over within a minute", {
    found: resettled,
    wanted: { ...resettled, ok: true },
  });

  say("looking at every message, push and balance");
  const books = await readBooks(stand);
  checkMessages(stand, { books, messages, checks, everyMessage: true });
  await checkLedger(stand, checks);
  await checkCallbacks(stand, checks);
  await checkMerchants(stand, { books, checks });
  const ends = Map.groupBy(messages, (message) => lastTold(message).kind);
  return {
    ...ofTrouble,
    messages: messages.length,
    approved: ends.get("approved")?.length ?? 0,
    declined: ends.get("declined")?.length ?? 0,
    unanswered: messages.filter(({ told }) => told.some(({ kind }) => kind === "nothing")).length,
    replayed: unanswered.length,
    "released holds": books.consumptions.filter(({ remark, asked }) => asked && remark === "system_error").length,
    callbacks: stand.merchants.reduce((sum, { door }) => sum + door.arrivals().length, 0),
    "seconds to settle": settled.seconds,
  };
}

/** Every third customer has little, so that some purchases are declined. */
async function signUpCustomers({ stand, customers, say }: Play): Promise<void> {
  say("signing customers up");
  for (const merchant of stand.merchants) {
    for (let place = 0; place < customers; place += 1) {
      const balance = place % 3 === 2 ? "100.00" : "4000.00";
      await stand.signUp(merchant, { name: `Customer ${place}`, balance, cards: 2 });
    }
  }
}

const raceRepeatsMax = 3;

/** Purchases of 1.00, which take 1.05 of credit each, all at once over both network processes by the cards of one customer. */
async function raceOverNetwork(
  options: Play & { readonly race: NonNullable<TroubleOptions["race"]> },
): Promise<Message[]> {
  const { stand, checks, race, say } = options;
  say(`racing ${race.purchases} purchases for ${race.winners} over two processes`);
  const merchant = stand.merchants[0];
  const balance = ((race.winners * 105) / 100).toFixed(2);
  const { cards } = await stand.signUp(merchant, { name: "Racer", balance, cards: 10 });
  const messages = Array.from({ length: race.purchases }, (_, place) => {
    const card = cards[place % cards.length];
    if (card === undefined) throw new Error("a race needs cards");
    return purchase({ reference: `race-${place}`, merchantId: merchant.merchantId, card, amountCents: 100 });
  });
  const told = await Promise.all(
    messages.map((message, place) => untilTold(stand, message, stand.places[place % 2 === 0 ? 0 : 1])),
  );
  checks.same("the race over two processes", {
    found: verdicts(told),
    wanted: { approved: race.winners, insufficient_credit: race.purchases - race.winners },
  });
  return messages;
}

/** On a busy machine a thousand connections at once do not all get through: a network that hears nothing sends its message again. */
async function untilTold(stand: Play["stand"], message: Message, place: Parameters<typeof send>[2]): Promise<Told> {
  let told = await send(stand, message, place);
  for (let repeat = 1; told.kind === "nothing" && repeat <= raceRepeatsMax; repeat += 1) {
    told = await send(stand, message, place);
  }
  return told;
}

function verdicts(told: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of told) {
    const name = each.kind === "declined" ? each.reason : each.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The load ends however the trouble does. */
async function untilOver(options: Play, scene: Scene): Promise<Record<string, number>> {
  try {
    return await options.trouble(scene);
  } finally {
    await scene.load.stop();
  }
}

/** Sends each message to one process and then to the other: both must answer, and the same. */
async function replay({ stand, checks, signal }: Play, messages: readonly Message[]): Promise<void> {
  const [one, other] = stand.places;
  for (const message of messages) {
    if (signal.aborted) return;
    const first = await send(stand, message, one);
    const second = await send(stand, message, other);
    const known = (told: Told) => (told.kind === "nothing" ? told : { ...told, repeat: true });
    checks.same(`${message.reference} sent again`, { found: second, wanted: known(first) });
    if (first.kind === "nothing") checks.none("a replay was not answered", [message.reference], { outOf: 1 });
  }
}

/** Waits, but no longer than until the proof is ended. */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < ms && !signal.aborted; ) {
    await sleep(Math.min(lookMs, Math.max(1, ms - (performance.now() - startedMs))));
  }
}
