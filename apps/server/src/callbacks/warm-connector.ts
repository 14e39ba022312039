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
      for (const { socket } of state.spares.splice(0)) {
        discard(socket);
      }
    },
  };
}

function takeSpare(state: State): Socket | null {
  const newest = state.spares.pop();
  if (newest === undefined) {
    return null;
  }
  const { socket } = newest;
  forget(socket);
  socket.ref();
  return socket;
}

function topUp(state: State, { inUse, nowMs }: { readonly inUse: number; readonly nowMs: number }): void {
  const tooOld = state.spares.filter(({ openedAtMs }) => nowMs - openedAtMs >= callbackLimits.spareMsMax);
  state.spares = state.spares.filter((spare) => !tooOld.includes(spare));
  for (const { socket } of tooOld) {
    discard(socket);
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
  const pause = (): void => {
    state.pausedUntilMs = nowMs + callbackLimits.warmPauseMs;
  };
  state.opening += 1;
  state.open(destination, (error, socket) => {
    state.opening -= 1;
    if (error !== null) {
      pause();
    } else if (round !== state.round) {
      discard(socket);
    } else {
      hold(state, { spare: { socket, openedAtMs: nowMs }, onLost: pause });
    }
  });
}

/** Nothing may come on a connection that has asked nothing: what comes is its end, or an error page about our silence. */
function hold(state: State, { spare, onLost }: { readonly spare: Spare; readonly onLost: () => void }): void {
  const { socket } = spare;
  const lost = (): void => {
    state.spares = state.spares.filter((other) => other !== spare);
    discard(socket);
    onLost();
  };
  socket.once("readable", lost).once("close", lost);
  // A process that has nothing else to do may end.
  socket.unref();
  state.spares.push(spare);
}

function forget(socket: Socket): void {
  socket.removeAllListeners("readable").removeAllListeners("close");
}

function discard(socket: Socket): void {
  forget(socket);
  socket.destroy();
}
