import { differenceFrom } from "../books.ts";
import { type Bench, type Check, failed, nothingToJudge, passed, tooBusyToJudge, type Verdict } from "../check.ts";
import type { Desk } from "../desk.ts";
import { type LoadResult, latenciesOf, loadResult } from "../latency.ts";
import { limits } from "../limits.ts";
import { openLoop, plannedArrivals } from "../open-loop.ts";
import { declinedNews } from "../preparation.ts";
import { isSuccess, meaningOf } from "../wire/answer.ts";
import { sealed } from "../wire/message.ts";
import { checksOf } from "./define.ts";
import { firstRefused, ledgerCheck } from "./ledger.ts";

/** Of the answers of a steady load, and of a burst, that must come within the deadline. */
const steadyShare = 0.99;
const burstShare = 0.95;

/** What the grader's machine itself may be late by before the report says so. */
const ownDelayMsMax = 50;

/** In authorization mode a question about 0.01, in credit mode news that moves no money. True when HTTP 2xx came back. */
async function oneRequest(desk: Desk): Promise<boolean> {
  const purchase = desk.purchase({ amount: 1n });
  // Until its answer is here it may be held.
  purchase.mayHold = desk.run.settings.mode === "AUTHORIZATION";
  const isAsked = desk.run.settings.mode === "AUTHORIZATION";
  const message = isAsked ? desk.auth(purchase) : desk.consumption(purchase, declinedNews);
  const answer = await desk.run.wire.post(sealed(message, desk.seal()), {
    signal: desk.signal(),
    waitMs: limits.questionMs,
  });
  purchase.mayHold = isAsked && meaningOf(answer) !== "no";
  return answer.end === "answered" && answer.status !== null && isSuccess(answer.status);
}

async function load({ desk, latency }: Bench, arrivalsMs: readonly number[], rate: number): Promise<LoadResult> {
  const timed = await openLoop(arrivalsMs, { once: () => oneRequest(desk), signal: desk.signal() });
  latency.all.push(...latenciesOf(timed));
  return loadResult(timed, { rate, deadlineMs: desk.run.settings.deadlineMs });
}

async function burst(bench: Bench): Promise<Verdict> {
  const { pace } = bench.desk.run.settings;
  const result = await load(
    bench,
    Array.from({ length: pace.burstQuestions }, () => 0),
    0,
  );
  bench.latency.burst = result;
  const saw = sentence(`${result.asked} at once`, result);
  return judged({ isGood: result.inTime >= result.asked * burstShare, saw, busy: isTooBusy(bench, result) });
}

async function steady(bench: Bench): Promise<Verdict> {
  const { desk, latency } = bench;
  const { rates, pace } = desk.run.settings;
  const results: LoadResult[] = [];
  for (const rate of rates) {
    const arrivals = plannedArrivals(desk.random, { rate, seconds: pace.steadySecondsEach });
    const result = await load(bench, arrivals, rate);
    latency.rates.push(result);
    results.push(result);
  }
  const saw = results.map((result) => sentence(`${result.rate}/s`, result)).join("; ");
  const late = results.filter(({ asked, inTime }) => inTime < asked * steadyShare);
  return judged({ isGood: late.length === 0, saw, busy: late.every((result) => isTooBusy(bench, result)) });
}

/** A good result is good on a busy machine, too; a bad one may be the machine's fault then. */
function judged(what: { readonly isGood: boolean; readonly saw: string; readonly busy: boolean }): Verdict {
  if (what.isGood) {
    return passed(what.saw);
  }
  return what.busy ? tooBusyToJudge(what.saw) : failed(what.saw);
}

/** When the requests themselves left late by half the deadline, nobody could have answered in time. */
function isTooBusy({ desk }: Bench, { ownDelayP99Ms }: LoadResult): boolean {
  return ownDelayP99Ms > desk.run.settings.deadlineMs / 2;
}

function sentence(what: string, result: LoadResult): string {
  const { asked, inTime, p50Ms, p99Ms, maxMs, ownDelayP99Ms } = result;
  // What this machine itself was late by is part of the latency: the reader must know when it is much.
  const isBusy = ownDelayP99Ms > ownDelayMsMax;
  const own = isBusy
    ? `, of which ${ownDelayP99Ms} ms are this machine's own delay: it is too busy to measure well`
    : "";
  return `${what}: ${inTime} of ${asked} in time, p50 ${p50Ms} ms, p99 ${p99Ms} ms${own}, slowest ${maxMs} ms`;
}

function everyAnswer(bench: Bench): Verdict {
  const { latency } = bench;
  const results = [...(latency.burst === null ? [] : [latency.burst]), ...latency.rates];
  if (results.length === 0) {
    return nothingToJudge("neither load was run");
  }
  const asked = results.reduce((sum, result) => sum + result.asked, 0);
  const answered = results.reduce((sum, result) => sum + result.answered, 0);
  const saw = `${answered} of ${asked} requests were answered with HTTP 2xx`;
  const broken = results.filter((result) => result.answered < result.asked);
  return judged({ isGood: broken.length === 0, saw, busy: broken.every((result) => isTooBusy(bench, result)) });
}

const mixed = 40;
const mixedAmount = 25n;

/** Questions all at once, and behind each its push, one after the other as the platform sends them for one card. */
async function mixedTraffic(desk: Desk): Promise<{ taken: bigint; refused: string | null }> {
  const purchases = Array.from({ length: mixed }, () => desk.purchase({ amount: mixedAmount }));
  const questions = purchases.map((purchase) => desk.ask(purchase));
  // When the check is ended early, those that nobody waits for any more are no failures of this program.
  void Promise.allSettled(questions);
  let refused: string | null = null;
  let taken = 0n;
  for (const [index, purchase] of purchases.entries()) {
    const auth = await questions[index];
    const isCleared = index % 2 === 0;
    const push = await desk.tell(purchase, isCleared ? { status: "Success" } : { status: "Fail", remark: "reversed" });
    refused ??= firstRefused({ ...(auth === undefined ? {} : { Auth: auth }), "the push": push });
    taken += isCleared ? mixedAmount : 0n;
  }
  return { taken, refused };
}

export const loadChecks: readonly Check[] = checksOf("load", [
  {
    name: "burst",
    title: "Answers a burst in time",
    weight: "contract",
    needs: ["accepted"],
    msMax: limits.checkMs,
    proves:
      "At least 95 % of questions that arrive at the same moment are answered within the deadline, connecting included.",
    mend: "Enlarge the pools of workers and database connections; do not queue questions behind one lock; accept connections quickly.",
    run: burst,
  },
  {
    name: "steady",
    title: "Answers a steady load in time",
    weight: "vital",
    needs: ["accepted"],
    msMax: limits.steadySecondsMax * 1000 + limits.checkMs,
    proves:
      "At each rate at least 99 % are answered within the deadline, counted from the planned moment: what is late is declined.",
    mend: "Decide from one indexed row, keep slow work (mail, analytics, other services) out of the answer, add instances.",
    run: steady,
  },
  {
    name: "every-answer",
    title: "Loses no request under load",
    weight: "contract",
    needs: ["accepted"],
    proves: "Under load nothing is refused, broken off or answered with an error.",
    mend: "Look for connection limits, rate limits and 502 or 503 of a proxy in front of the endpoint.",
    run: async (bench) => everyAnswer(bench),
  },
  ledgerCheck({
    name: "books",
    title: "Keeps its books right under load",
    proves: `After ${mixed} purchases asked at once, half of them cleared and half reversed meanwhile, not a cent is missing.`,
    mend: "Change balances by UPDATE … SET held = held + :difference in the transaction of the push; never write back a sum that was read before.",
    play: (desk) => mixedTraffic(desk),
  }),
  {
    name: "card-as-before",
    title: "Leaves the card as it was",
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves: "When all purchases of the run are reversed or refunded, the same money is available as at its beginning.",
    mend: "Something in this run was held or booked and not given back; the failed checks above say what.",
    run: async ({ desk, books, giveBackRest }) => {
      const { first } = books;
      await giveBackRest();
      if (first === null) {
        return nothingToJudge("it is not known what was available at the beginning");
      }
      const difference = await differenceFrom(desk, books, { expected: first });
      return difference === null ? passed("the same is available as at the beginning") : failed(difference);
    },
  },
]);
