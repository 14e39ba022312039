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

test("one merchant's circuit is no other's, and of too many merchants the one that failed longest ago is forgotten", () => {
  const { breaker } = breakerAtZero();
  fail(breaker, 10);
  expect(breaker.admit(8)).not.toBeNull();
  for (let id = 100; id < 10_100; id += 1) {
    breaker.settle(admitted(breaker, id), "failed");
  }
  expect(breaker.admit(merchantId)).toEqual({ merchantId, isProbe: false });
});

/** The rules said once more in the plainest way: the whole history is kept, and the present state is told from it. */
class Model {
  nowMs = 0;
  failuresInRow = 0;
  /** Every opening of the present trouble, the first one first. */
  openings: { readonly atMs: number; readonly waitMs: number }[] = [];
  probesOut = 0;

  expectAdmission(): "ordinary" | "probe" | "none" {
    const last = this.openings.at(-1);
    if (last === undefined) return "ordinary";
    return this.nowMs >= last.atMs + last.waitMs && this.probesOut === 0 ? "probe" : "none";
  }

  settle(isProbe: boolean, end: QuestionEnd): void {
    if (isProbe) {
      this.probesOut = 0;
      if (end === "failed") this.#open([5, 10, 20, 40, 60][Math.min(this.openings.length, 4)] ?? 60);
      if (end === "answered") this.#close();
      return;
    }
    if (this.openings.length > 0 || end === "not_sent") return;
    this.failuresInRow = end === "failed" ? this.failuresInRow + 1 : 0;
    if (this.failuresInRow === 10) this.#open(5);
  }

  #open(seconds: number): void {
    this.openings.push({ atMs: this.nowMs, waitMs: seconds * 1_000 });
  }

  #close(): void {
    this.openings = [];
    this.failuresInRow = 0;
  }
}

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

test("in any order of questions, answers and waits it admits what the rules say, and tells every opening and closing", () => {
  let opened = 0;
  let closed = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
      const { breaker, changes, move } = breakerAtZero();
      const model = new Model();
      const out: Permit[] = [];
      for (const each of steps) {
        if (each.do === "wait") {
          move(each.ms);
          model.nowMs += each.ms;
        } else if (each.do === "ask") {
          const expected = model.expectAdmission();
          const permit = breaker.admit(merchantId);
          expect(permit === null ? "none" : permit.isProbe ? "probe" : "ordinary").toBe(expected);
          if (permit !== null) out.push(permit);
          if (expected === "probe") model.probesOut = 1;
        } else {
          const [permit] = out.splice(each.which % Math.max(out.length, 1), 1);
          if (permit !== undefined) {
            const before = changes.length;
            const openings = model.openings.length;
            breaker.settle(permit, each.end);
            model.settle(permit.isProbe, each.end);
            const told = changes.slice(before).map((change) => change.kind);
            const happened = Math.sign(model.openings.length - openings);
            expect(told).toEqual(happened === 0 ? [] : [happened > 0 ? "opened" : "closed"]);
          }
        }
        expect(out.filter((permit) => permit.isProbe).length).toBeLessThanOrEqual(1);
      }
      opened += changes.filter((change) => change.kind === "opened").length;
      closed += changes.filter((change) => change.kind === "closed").length;
    }),
    { numRuns: 300 },
  );
  // Otherwise the steps above would have tested nothing.
  expect(opened).toBeGreaterThan(100);
  expect(closed).toBeGreaterThan(10);
});
