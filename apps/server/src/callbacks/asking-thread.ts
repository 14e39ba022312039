/**
 * The thread that asks failing merchants, for thread-asker.ts: connections, signatures and deadlines of their own. A question that is not answered
 * costs as much processor time as the rest of its purchase, and the collector moves what is kept for it; here neither holds up a decision.
 */
import { isDeepStrictEqual } from "node:util";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { refused } from "#kernel/index.ts";
import { type Asking, type AskOrder, nothingMore, startAsking } from "./asking.ts";
import { type Connections, createConnections } from "./connections.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackTarget, nameOf } from "./ports.ts";
import { type AskReport, isThreadOptions, type NumberedOrder } from "./thread-messages.ts";

interface State {
  readonly port: MessagePort;
  readonly connections: Connections;
  /**
   * By merchant, the one that was asked longest ago first: the same object for as long as nothing in it changes, because the keys that are made
   * of a target are kept with it.
   */
  readonly targets: Map<number, CallbackTarget>;
  reports: AskReport[];
  sending: NodeJS.Immediate | undefined;
  sendingLater: NodeJS.Timeout | undefined;
}

function main(): void {
  const options: unknown = workerData;
  if (parentPort === null || !isThreadOptions(options)) {
    throw new Error("this thread is started by thread-asker.ts");
  }
  const state: State = {
    port: parentPort,
    connections: createConnections(options),
    targets: new Map(),
    reports: [],
    sending: undefined,
    sendingLater: undefined,
  };
  state.port.on("message", (orders: readonly NumberedOrder[] | null) => {
    if (orders === null) {
      void end(state);
    } else {
      orders.forEach((order) => void ask(state, order));
    }
  });
  // The first message says that the thread is ready.
  send(state);
}

async function end({ port, connections }: State): Promise<void> {
  await connections.close();
  port.close();
}

async function ask(state: State, { number, order }: NumberedOrder): Promise<void> {
  let asking: Asking;
  try {
    asking = await startAsking(state.connections, { ...order, target: knownTarget(state, order) });
  } catch (error) {
    // A purchase waits for this: whatever is wrong here fails it, instead of leaving its hold open.
    report(state, { number, answer: refused("not_askable"), end: nothingMore, bug: nameOf(error) });
    return;
  }
  const answer = await asking.answer;
  if (answer.ok && answer.value.outcome.kind === "timeout") {
    report(state, { number, answer, end: null });
    reportLater(state, { number, answer: null, end: await asking.over });
  } else {
    report(state, { number, answer, end: await asking.over });
  }
}

function knownTarget({ targets }: State, { merchantId, target }: AskOrder): CallbackTarget {
  const before = targets.get(merchantId);
  const known = before !== undefined && isDeepStrictEqual(before, target) ? before : target;
  targets.delete(merchantId);
  targets.set(merchantId, known);
  const [oldest] = targets.size > callbackLimits.targetsKept ? targets.keys() : [];
  if (oldest !== undefined) {
    targets.delete(oldest);
  }
  return known;
}

/** What is known at the end of this turn of the event loop goes in one message: each wakes the other thread, which costs more than what it says. */
function report(state: State, one: AskReport): void {
  state.reports.push(one);
  state.sending ??= setImmediate(() => send(state));
}

/** Nobody waits for it. */
function reportLater(state: State, one: AskReport): void {
  state.reports.push(one);
  state.sendingLater ??= setTimeout(() => send(state), callbackLimits.questionsGatherMs);
}

function send(state: State): void {
  clearTimeout(state.sendingLater);
  const { reports } = state;
  state.reports = [];
  state.sending = undefined;
  state.sendingLater = undefined;
  state.port.postMessage(reports, []);
}

main();
