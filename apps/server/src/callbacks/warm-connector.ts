import type { Socket } from "node:net";
import type { buildConnector } from "undici";
import { callbackLimits } from "./limits.ts";

/**
 * Opens the connections of one merchant and keeps spare ones ready, which have done TCP and TLS and no request yet: undici opens a
 * connection only when a request waits for it, and closes one that is idle.
 */
export interface WarmConnector {
  readonly connect: buildConnector.connector;
  /** Opens what is missing to the two connections that a merchant in use keeps; to be called every second. */
  topUp(options: { readonly inUse: number; readonly nowMs: number }): void;
  /** Closes the spare connections, for when the merchant is not being asked any more. */
  coolDown(): void;
}

interface Spare {
  readonly socket: Socket;
  readonly openedAtMs: number;
  /** What is called when it ends by itself. */
  readonly onEnd: () => void;
}

interface State {
  readonly open: buildConnector.connector;
  /** Where undici connects to; known from its first connection on. */
  destination: buildConnector.Options | null;
  spares: Spare[];
  opening: number;
  pausedUntilMs: number;
  /** Tells a connection that was asked for before the merchant cooled down that nobody wants it any more. */
  round: number;
}

export function createWarmConnector(open: buildConnector.connector): WarmConnector {
  const state: State = { open, destination: null, spares: [], opening: 0, pausedUntilMs: 0, round: 0 };
  return {
    connect: (destination, callback) => {
      state.destination = destination;
      const socket = takeSpare(state);
      if (socket === null) {
        open(destination, callback);
      } else {
        queueMicrotask(() => callback(null, socket));
      }
    },
    topUp: (options) => topUp(state, options),
    coolDown: () => {
      state.round += 1;
      for (const spare of state.spares.splice(0)) {
        discard(spare);
      }
    },
  };
}

function takeSpare(state: State): Socket | null {
  const newest = state.spares.pop();
  if (newest === undefined) {
    return null;
  }
  release(newest);
  newest.socket.ref();
  return newest.socket;
}

function topUp(state: State, { inUse, nowMs }: { readonly inUse: number; readonly nowMs: number }): void {
  const tooOld = state.spares.filter(({ openedAtMs }) => nowMs - openedAtMs >= callbackLimits.spareMsMax);
  state.spares = state.spares.filter((spare) => !tooOld.includes(spare));
  for (const spare of tooOld) {
    discard(spare);
  }
  if (state.destination === null || nowMs < state.pausedUntilMs) {
    return;
  }
  const missing = callbackLimits.warmConnections - inUse - state.spares.length - state.opening;
  for (let i = 0; i < missing; i += 1) {
    openSpare(state, { destination: state.destination, nowMs });
  }
}

function openSpare(
  state: State,
  { destination, nowMs }: { readonly destination: buildConnector.Options; readonly nowMs: number },
): void {
  const { round } = state;
  // Counted from here: a server that closes at once is left alone for a while, one that closes later is not.
  const pause = (): void => {
    state.pausedUntilMs = nowMs + callbackLimits.warmPauseMs;
  };
  state.opening += 1;
  state.open(destination, (error, socket) => {
    state.opening -= 1;
    if (error !== null) {
      pause();
    } else if (round !== state.round) {
      socket.destroy();
    } else {
      hold(state, { socket, openedAtMs: nowMs, onLost: pause });
    }
  });
}

/** Nothing may come on a connection that has asked nothing: what comes is its end, or an error page about our silence. */
function hold(
  state: State,
  { socket, openedAtMs, onLost }: { readonly socket: Socket; readonly openedAtMs: number; readonly onLost: () => void },
): void {
  const onEnd = (): void => {
    state.spares = state.spares.filter((other) => other !== spare);
    discard(spare);
    onLost();
  };
  const spare: Spare = { socket, openedAtMs, onEnd };
  socket.on("readable", onEnd).on("close", onEnd);
  // A process that has nothing else to do may end.
  socket.unref();
  state.spares.push(spare);
}

function release({ socket, onEnd }: Spare): void {
  socket.off("readable", onEnd).off("close", onEnd);
}

function discard(spare: Spare): void {
  release(spare);
  spare.socket.destroy();
}
