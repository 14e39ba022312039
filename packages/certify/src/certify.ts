import { performance } from "node:perf_hooks";
import type { Books } from "./books.ts";
import { catalogue } from "./catalogue.ts";
import type { Bench, Check, Need, Samples, Verdict } from "./check.ts";
import { type Desk, giveBack, openDesk, type Run } from "./desk.ts";
import { gradeOf } from "./grade.ts";
import { type LatencyLog, latencyReport, newLatencyLog } from "./latency.ts";
import { limits } from "./limits.ts";
import { type CertifyOptions, type Settings, settingsOf } from "./options.ts";
import { findBooks, isAccepted, isReachable, takeSamples } from "./preparation.ts";
import type { Purchase } from "./purchase.ts";
import type { CertifyReport, CheckResult, SkipReason } from "./report.ts";
import { openWire, type Wire } from "./wire/client.ts";

/** Told before each check (`ok` undefined) and after it. */
export interface CertifyProgress {
  readonly done: number;
  readonly total: number;
  readonly id: string;
  readonly title: string;
  readonly ok?: boolean | null;
}

interface Session {
  readonly run: Run;
  readonly options: CertifyOptions;
  readonly books: Books;
  readonly latency: LatencyLog;
  readonly startedMs: number;
  /** What was found out before a check that needed it; each is found out once. */
  readonly found: Map<Need, Verdict>;
  samples: Samples | null;
  /** Purchases that could not be reversed or refunded so far. */
  readonly left: Purchase[];
}

/**
 * Plays the platform's side of the wire against a merchant's callback URL and grades what it sees; a merchant's failures are in the
 * report. Takes less than two minutes. What it opens on the test card it reverses or refunds before it ends. Rejects with a
 * TypeError for options that make no sense and with the signal's reason when aborted.
 */
export async function certify(
  options: CertifyOptions,
  progress: (progress: CertifyProgress) => void = () => {},
): Promise<CertifyReport> {
  const settings = settingsOf(options);
  requireKnownIds([...(options.only ?? []), ...(options.skip ?? [])]);
  const startedAtMs = settings.now();
  let requests = 0;
  const wire = countingWire(openWire(settings), () => (requests += 1));
  const session = newSession(options, { settings, wire, startedAtMs });
  try {
    const checks = await runAll(session, progress);
    return reportOf(session, { checks, startedAtMs, requests });
  } finally {
    await wire.close();
  }
}

function newSession(
  options: CertifyOptions,
  { settings, wire, startedAtMs }: { readonly settings: Settings; readonly wire: Wire; readonly startedAtMs: number },
): Session {
  const run: Run = { settings, wire, tag: `${settings.seed}/${startedAtMs}`, lastTimeMs: startedAtMs };
  const startedMs = performance.now();
  const latency = newLatencyLog();
  return {
    run,
    options,
    books: { available: null, isSure: false, first: null },
    latency,
    startedMs,
    found: new Map(),
    samples: null,
    left: [],
  };
}

function countingWire(wire: Wire, count: () => void): Wire {
  return {
    ...wire,
    post: (envelope, sending) => {
      count();
      return wire.post(envelope, sending);
    },
    line: () => {
      const line = wire.line();
      return {
        ...line,
        post: (envelope, sending) => {
          count();
          return line.post(envelope, sending);
        },
      };
    },
  };
}

function requireKnownIds(ids: readonly string[]): void {
  const unknown = ids.find((id) => !catalogue.some((check) => check.id === id));
  if (unknown !== undefined) {
    throw new TypeError(`there is no check ${unknown}`);
  }
}

async function runAll(
  session: Session,
  progress: (progress: CertifyProgress) => void,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const total = catalogue.length;
  for (const check of catalogue) {
    session.options.signal?.throwIfAborted();
    const { id, title } = check;
    progress({ done: results.length, total, id, title });
    const result = await resultOf(session, check);
    results.push(result);
    progress({ done: results.length, total, id, title, ok: result.ok });
  }
  return results;
}

async function resultOf(session: Session, check: Check): Promise<CheckResult> {
  const startedMs = performance.now();
  const result = (verdict: Verdict, skipped: SkipReason | null): CheckResult => ({
    id: check.id,
    group: check.group,
    title: check.title,
    weight: check.weight,
    ok: verdict.ok,
    skipped: verdict.ok === null ? (skipped ?? (verdict.isOwnFault === true ? "busy" : "nothing_to_judge")) : null,
    proves: check.proves,
    saw: verdict.saw,
    mend: check.mend,
    tookMs: Math.round(performance.now() - startedMs),
  });
  const skip = await skipOf(session, check);
  return skip === null ? result(await verdictOf(session, check), null) : result(skip.verdict, skip.reason);
}

interface Skip {
  readonly verdict: Verdict;
  readonly reason: SkipReason;
}

async function skipOf(session: Session, check: Check): Promise<Skip | null> {
  const { options, run } = session;
  const skip = (reason: SkipReason, saw: string): Skip => ({ reason, verdict: { ok: null, saw } });
  if (check.mode !== undefined && check.mode !== run.settings.mode) {
    return skip("mode", `not for a merchant in ${run.settings.mode} mode`);
  }
  if (options.only?.includes(check.id) === false || options.skip?.includes(check.id) === true) {
    return skip("choice", "left out by choice");
  }
  const msNeeded = check.group === "load" ? limits.loadCheckMsMin : loadMs(run.settings);
  if (timeLeftMs(session) < msNeeded) {
    return skip("time", "the two minutes of a run were used up; answers that take long leave no time for it");
  }
  for (const need of check.needs) {
    const found = await foundOf(session, need);
    // The check that judges the need itself reports it as its own failure.
    if (found.ok !== true && check.id !== checkOfNeed[need]) {
      return skip("need", `needs ${whatFailed(session, found)}: ${found.saw}`);
    }
  }
  return null;
}

/** The check that a verdict came from first: where nobody answers, nothing is accepted either. */
function whatFailed({ found }: Session, verdict: Verdict): string {
  const need = needs.find((each) => found.get(each) === verdict);
  return checkOfNeed[need ?? "money"];
}

const checkOfNeed: Readonly<Record<Need, string>> = {
  reachable: "connection.reachable",
  accepted: "signature.right",
  books: "booking.readable",
  money: "booking.readable",
};

function timeLeftMs({ startedMs }: Session): number {
  return limits.runMs - (performance.now() - startedMs);
}

/** What the load checks will need. */
function loadMs({ rates, pace }: Settings): number {
  return rates.length * pace.steadySecondsEach * 1000 + limits.loadTailMs;
}

async function verdictOf(session: Session, check: Check): Promise<Verdict> {
  const need = needs.find((each) => checkOfNeed[each] === check.id);
  if (need !== undefined) {
    return await foundOf(session, need);
  }
  const msMax = Math.max(1, Math.min(check.msMax ?? limits.checkMs, timeLeftMs(session)));
  return await atDesk(session, { label: check.id, msMax }, (bench) => check.run(bench));
}

const needs: readonly Need[] = ["reachable", "accepted", "books"];

async function foundOf(session: Session, need: Need): Promise<Verdict> {
  const known = session.found.get(need);
  if (known !== undefined) {
    return known;
  }
  const verdict = await findOut(session, need);
  session.found.set(need, verdict);
  return verdict;
}

async function findOut(session: Session, need: Need): Promise<Verdict> {
  const place = { label: `prepare.${need}`, msMax: limits.preparationMs };
  if (need === "reachable") {
    return await atDesk(session, place, ({ desk }) => isReachable(desk));
  }
  const before = await foundOf(session, need === "accepted" ? "reachable" : "accepted");
  if (before.ok !== true) {
    return before;
  }
  if (need === "accepted") {
    return await atDesk(session, place, ({ desk }) => isAccepted(desk));
  }
  if (session.run.settings.mode === "CREDIT_EXTENSION") {
    return { ok: need === "money" ? true : null, saw: "in credit mode the merchant is not asked" };
  }
  const other = session.found.get(need === "money" ? "books" : "money");
  return other ?? (await atDesk(session, place, ({ desk, books }) => findBooks(desk, books)));
}

/** Runs something at a desk of its own, within its time, and gives back whatever it has left open on the card. */
async function atDesk(
  session: Session,
  { label, msMax }: { readonly label: string; readonly msMax: number },
  work: (bench: Bench) => Promise<Verdict>,
): Promise<Verdict> {
  const { run, options, books, latency } = session;
  const time = AbortSignal.timeout(Math.ceil(msMax));
  const signal = AbortSignal.any([time, ...(options.signal === undefined ? [] : [options.signal])]);
  const desk = openDesk(run, { signal, label });
  let verdict: Verdict = { ok: false, saw: `it did not come to an end within ${Math.round(msMax / 1000)} s` };
  try {
    const giveBackRest = async (): Promise<void> => {
      desk.adopt(session.left.splice(0));
      await giveBack(desk, { scope: "known", signal });
    };
    verdict = await work({ desk, books, latency, giveBackRest, samples: () => samplesOf(session, signal) });
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  } finally {
    await giveBackFrom(session, desk, verdict.ok === false ? "all" : "known");
  }
  options.signal?.throwIfAborted();
  books.isSure &&= verdict.ok !== false && !desk.hasRefunded() && session.left.length === 0;
  if (verdict.ok === false) {
    // What it has left in the books is not known any more.
    books.available = null;
  }
  return verdict;
}

async function samplesOf(session: Session, signal: AbortSignal): Promise<Samples> {
  if (session.samples === null) {
    const desk = openDesk(session.run, { signal, label: "prepare.samples" });
    try {
      session.samples = await takeSamples(desk);
    } finally {
      await giveBackFrom(session, desk, "known");
    }
  }
  return session.samples;
}

/** Also when the run was aborted: the card ends as it began. */
async function giveBackFrom(session: Session, desk: Desk, scope: "known" | "all"): Promise<void> {
  const ms = limits.giveBackMs + desk.open(scope).length * limits.giveBackEachMs;
  const msToEnd = limits.endMs - (performance.now() - session.startedMs);
  const signal = AbortSignal.timeout(Math.max(limits.giveBackMsMin, Math.min(ms, Math.floor(msToEnd))));
  await giveBack(desk, { scope, signal }).catch((error: unknown) => {
    if (!signal.aborted) {
      throw error;
    }
  });
  session.left.push(...desk.open("known"));
}

function reportOf(
  { run, startedMs, latency, left }: Session,
  {
    checks,
    startedAtMs,
    requests,
  }: { readonly checks: readonly CheckResult[]; readonly startedAtMs: number; readonly requests: number },
): CertifyReport {
  const { settings } = run;
  return {
    grade: gradeOf(checks),
    passed: checks.filter(({ ok }) => ok === true).length,
    failed: checks.filter(({ ok }) => ok === false).length,
    skipped: checks.filter(({ ok }) => ok === null).length,
    checks,
    latency: latencyReport(latency, settings.deadlineMs),
    seed: settings.seed,
    url: settings.url,
    mode: settings.mode,
    startedAt: new Date(startedAtMs).toISOString(),
    tookMs: Math.round(performance.now() - startedMs),
    requests,
    leftOpen: left.length,
  };
}
