import { expect, test } from "vitest";
import { closedLoop, interleave, medianRate } from "./slices.ts";

const never = new AbortController().signal;

test("two loads run in turn, and who goes first changes with each round", async () => {
  const order: string[] = [];
  const load = (name: string) => async () => {
    order.push(name);
    return { count: name === "ours" ? 30 : 10, seconds: 1 };
  };
  const rounds: number[] = [];
  const measured = await interleave({
    rounds: 3,
    ours: load("ours"),
    baseline: load("baseline"),
    signal: never,
    onRound: (so) => rounds.push(so.ours.length),
  });
  expect(order).toEqual(["ours", "baseline", "baseline", "ours", "ours", "baseline"]);
  expect(rounds).toEqual([1, 2, 3]);
  expect(medianRate(measured.ours) / medianRate(measured.baseline)).toBe(3);
});

test("one spoilt slice does not move the median rate", () => {
  const slices = [100, 102, 3, 98, 101].map((count) => ({ count, seconds: 1 }));
  expect(medianRate(slices)).toBe(100);
});

test("an aborted comparison runs no further round", async () => {
  const stopping = new AbortController();
  let runs = 0;
  const load = async () => {
    runs += 1;
    return { count: 1, seconds: 1 };
  };
  await interleave({
    rounds: 100,
    ours: load,
    baseline: load,
    signal: stopping.signal,
    onRound: () => stopping.abort(),
  });
  expect(runs).toBe(2);
});

test("a closed loop keeps its number in flight, never more, and counts what was still under way at the end", async () => {
  let inFlight = 0;
  let most = 0;
  let done = 0;
  const slice = await closedLoop({
    inFlight: 7,
    seconds: 0.05,
    signal: never,
    once: async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      inFlight -= 1;
      done += 1;
    },
  });
  expect([most, inFlight]).toEqual([7, 0]);
  expect(slice.count).toBe(done);
  expect(slice.seconds).toBeGreaterThanOrEqual(0.05);
});
