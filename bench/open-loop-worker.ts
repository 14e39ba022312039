/**
 * Announces arrivals at their planned moments, from a thread of its own: the event loop under measurement must not be the one
 * that decides when load arrives. Sleeps with Atomics.wait, which wakes within 0.1 ms of the moment.
 */
import { parentPort, workerData } from "node:worker_threads";
import { plannedArrivals } from "./arrivals.ts";
import { isOpenLoopPlan } from "./open-loop.ts";

/** Closer than this it is not worth sleeping; the arrivals of this span go out in one message. */
const grainMs = 0.05;

function announce(): void {
  const plan: unknown = workerData;
  if (parentPort === null || !isOpenLoopPlan(plan)) {
    throw new Error("this thread is started by openLoop alone");
  }
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const arrivals = plannedArrivals(plan);
  // Both threads count from the same origin: performance.now() of a worker starts at its own.
  const startsAt = plan.startsAtEpochMs - performance.timeOrigin;
  for (let next = 0; next < arrivals.length; ) {
    const waitMs = startsAt + (arrivals[next] ?? 0) - performance.now();
    if (waitMs > grainMs) {
      Atomics.wait(sleeper, 0, 0, waitMs);
      continue;
    }
    const due: number[] = [];
    const untilMs = performance.now() - startsAt + grainMs;
    for (; next < arrivals.length && (arrivals[next] ?? 0) <= untilMs; next += 1) {
      due.push(arrivals[next] ?? 0);
    }
    parentPort.postMessage(due, []);
  }
  parentPort.postMessage(null, []);
}

announce();
