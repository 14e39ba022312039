import fc from "fast-check";
import { expect, test } from "vitest";
import { type Breaker, type BreakerChange, createBreaker, type Permit, type QuestionEnd } from "./breaker.ts";

const merchantId = 7;

function breakerAtZero() {
  let nowMs = 0;
  const changes: BreakerChange[] = [];
  const breaker = createBreaker({ monotonicNow: () => nowMs, onChange: (change) => changes.push(change) });
  return { breaker, changes, move: (ms: number) => (nowMs += ms) };
}

function admitted(breaker: Breaker, id = merchantId): Permit {
  const permit = breaker.admit(id);
  if (permit === null) {
    throw new Error("the circuit is open");
  }
  return permit;
}

function fail(breaker: Breaker, times: number): void {
  for (let i = 0; i < times; i += 1) {
    breaker.settle(admitted(breaker), "failed");
  }
}

test("nine failures leave the circuit closed, the tenth in a row opens it for 5 seconds", () => {
  const { breaker, move } = breakerAtZero();
  fail(breaker, 9);
  breaker.settle(admitted(breaker), "answered");
  fail(breaker, 9);
  breaker.settle(admitted(breaker), "not_sent");
  const tenth = admitted(breaker);
  breaker.settle(tenth, "failed");
  expect(breaker.admit(merchantId)).toBeNull();
  move(4_999);
  expect(breaker.admit(merchantId)).toBeNull();
  move(1);
  expect(breaker.admit(merchantId)).toEqual({ merchantId, isProbe: true });
});

test("another number of failures can be asked for, or none that is ever enough", () => {
  const deps = { monotonicNow: () => 0, onChange: () => {} };
  const nervous = createBreaker({ ...deps, failuresMax: 1 });
  fail(nervous, 1);
  expect(nervous.admit(merchantId)).toBeNull();
  const patient = createBreaker({ ...deps, failuresMax: Number.POSITIVE_INFINITY });
  fail(patient, 1_000);
  expect(patient.admit(merchantId)).toEqual({ merchantId, isProbe: false });
});

test("while half open one probe goes through at a time, and its success closes the circuit", () => {
  const { breaker, changes, move } = breakerAtZero();
  fail(breaker, 10);
  move(6_000);
  const unsent = admitted(breaker);
  expect(breaker.admit(merchantId)).toBeNull();
  breaker.settle(unsent, "not_sent");
  const probe = admitted(breaker);
  expect(probe.isProbe).toBe(true);
  move(200);
  breaker.settle(probe, "answered");
  expect(changes.at(-1)).toEqual({ kind: "closed", merchantId, openMs: 6_200 });
  fail(breaker, 9);
  expect(breaker.admit(merchantId)).toEqual({ merchantId, isProbe: false });
});

test("a probe that fails opens the circuit again with the wait doubled, up to a minute", () => {
  const { breaker, changes, move } = breakerAtZero();
  fail(breaker, 10);
  for (let i = 0; i < 5; i += 1) {
    move(60_000);
    fail(breaker, 1);
  }
  expect(changes.map((change) => (change.kind === "opened" ? [change.cause, change.waitMs] : []))).toEqual([
    ["failures", 5_000],
    ["probe", 10_000],
    ["probe", 20_000],
    ["probe", 40_000],
    ["probe", 60_000],
    ["probe", 60_000],
  ]);
});

test("a merchant whose server is another one now is probed at once, and waits from the beginning when that fails", () => {
  const { breaker, changes, move } = breakerAtZero();
  fail(breaker, 10);
  for (const waitMs of [5_000, 10_000, 20_000]) {
    move(waitMs);
    fail(breaker, 1);
  }
  expect(breaker.admit(merchantId)).toBeNull();
  breaker.probeNow(merchantId);
  const probe = admitted(breaker);
  expect(probe.isProbe).toBe(true);
  expect(breaker.admit(merchantId)).toBeNull();
  breaker.settle(probe, "failed");
  expect(changes.at(-1)).toEqual({ kind: "opened", merchantId, cause: "probe", waitMs: 10_000 });
  breaker.probeNow(merchantId);
  breaker.settle(admitted(breaker), "answered");
  expect(changes.at(-1)).toMatchObject({ kind: "closed", merchantId });
});

test("a closed circuit stays what it is when the merchant's server changes", () => {
  const { breaker } = breakerAtZero();
  breaker.probeNow(merchantId);
  expect(breaker.isFailing(merchantId)).toBe(false);
  fail(breaker, 9);
  breaker.probeNow(merchantId);
  expect(admitted(breaker).isProbe).toBe(false);
  fail(breaker, 1);
  expect(breaker.admit(merchantId)).toBeNull();
});

test("one merchant's circuit is no other's, and of too many merchants the one that failed longest ago is forgotten", () => {
  const { breaker } = breakerAtZero();
  fail(breaker, 10);
  expect(breaker.admit(8)).not.toBeNull();
  for (let id = 100; id < 10_100; id += 1) {
    breaker.settle(admitted(breaker, id), "failed");
  }
  expect(breaker.admit(merchantId)).toEqual({ merchantId, isProbe: false });
});

test("a merchant is failing from its first failure until it answers, also while its circuit is open", () => {
  const { breaker, move } = breakerAtZero();
  const isFailing = () => breaker.isFailing(merchantId);
  expect(isFailing()).toBe(false);
  fail(breaker, 1);
  breaker.settle(admitted(breaker), "not_sent");
  expect(isFailing()).toBe(true);
  breaker.settle(admitted(breaker), "answered");
  expect(isFailing()).toBe(false);
  fail(breaker, 10);
  expect(isFailing()).toBe(true);
  move(5_000);
  breaker.settle(admitted(breaker), "answered");
  expect(isFailing()).toBe(false);
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: "ask" } as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      which: fc.nat(40),
      // Mostly failures, or the circuit would never open.
      end: fc.oneof(
        { weight: 12, arbitrary: fc.constant("failed" as const) },
        { weight: 1, arbitrary: fc.constantFrom<QuestionEnd>("answered", "not_sent") },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(30_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What the breaker and its model have in common. */
interface Subject {
  ask(): "ordinary" | "probe" | "none";
  /** What was told meanwhile. */
  settle(isProbe: boolean, end: QuestionEnd): string[];
  wait(ms: number): void;
}

/** Plays the steps and writes down everything that can be seen from outside. */
function play(steps: readonly Step[], subject: Subject): string[] {
  const out: boolean[] = [];
  return steps.flatMap((each) => {
    switch (each.do) {
      case "wait": {
        subject.wait(each.ms);
        return [];
      }
      case "ask": {
        const admission = subject.ask();
        if (admission !== "none") out.push(admission === "probe");
        return [`${admission}, ${out.filter((isProbe) => isProbe).length} probes out`];
      }
      case "settle": {
        const [isProbe] = out.splice(each.which % Math.max(out.length, 1), 1);
        return isProbe === undefined ? [] : subject.settle(isProbe, each.end);
      }
    }
  });
}

function realSubject(): Subject {
  const { breaker, changes, move } = breakerAtZero();
  return {
    ask: () => {
      const permit = breaker.admit(merchantId);
      return permit === null ? "none" : permit.isProbe ? "probe" : "ordinary";
    },
    settle: (isProbe, end) => {
      const before = changes.length;
      breaker.settle({ merchantId, isProbe }, end);
      return changes
        .slice(before)
        .map((change) => `${change.kind} ${change.kind === "opened" ? change.waitMs : change.openMs}`);
    },
    wait: move,
  };
}

/** The rules said once more in the plainest way: every opening of the present trouble is kept, and the state is told from them. */
function modelSubject(): Subject {
  let nowMs = 0;
  let failuresInRow = 0;
  let openings: { readonly atMs: number; readonly waitMs: number }[] = [];
  let isProbeOut = false;
  const open = (): string[] => {
    const waitMs = [5_000, 10_000, 20_000, 40_000, 60_000][openings.length] ?? 60_000;
    openings.push({ atMs: nowMs, waitMs });
    return [`opened ${waitMs}`];
  };
  const close = (): string[] => {
    const openMs = nowMs - (openings[0]?.atMs ?? 0);
    openings = [];
    failuresInRow = 0;
    return [`closed ${openMs}`];
  };
  return {
    ask: () => {
      const last = openings.at(-1);
      if (last === undefined) return "ordinary";
      if (isProbeOut || nowMs < last.atMs + last.waitMs) return "none";
      isProbeOut = true;
      return "probe";
    },
    settle: (isProbe, end) => {
      if (isProbe) {
        isProbeOut = false;
        if (end === "not_sent") return [];
        return end === "failed" ? open() : close();
      }
      if (openings.length > 0 || end === "not_sent") return [];
      failuresInRow = end === "failed" ? failuresInRow + 1 : 0;
      return failuresInRow === 10 ? open() : [];
    },
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

test("in any order of questions, answers and waits it admits and tells what the rules say", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
      const real = play(steps, realSubject());
      for (const line of real) {
        const [word = ""] = line.split(/[ ,]/u);
        seen.set(word, (seen.get(word) ?? 0) + 1);
      }
      expect(real).toEqual(play(steps, modelSubject()));
      expect(real.filter((line) => /[2-9] probes/u.test(line))).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // Otherwise the steps above would have tested nothing.
  for (const word of ["ordinary", "probe", "none", "opened", "closed"]) {
    expect([word, (seen.get(word) ?? 0) > 10]).toEqual([word, true]);
  }
});
