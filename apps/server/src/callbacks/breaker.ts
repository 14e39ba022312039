import { callbackLimits } from "./limits.ts";

/** Leave to ask one question; given back with what came of it. */
export interface Permit {
  readonly merchantId: number;
  /** The one question that finds out whether the merchant is well again. */
  readonly isProbe: boolean;
}

/** `answered`: any proper answer, also a no. `failed`: none came. `not_sent`: for reasons of our own, so it says nothing. */
export type QuestionEnd = "answered" | "failed" | "not_sent";

export type BreakerChange =
  /** `failures`: as many in a row; `probe`: it was open and the probe failed. Nothing is sent for `waitMs`. */
  | {
      readonly kind: "opened";
      readonly merchantId: number;
      readonly cause: "failures" | "probe";
      readonly waitMs: number;
    }
  /** A probe was answered, `openMs` after the circuit first opened. */
  | { readonly kind: "closed"; readonly merchantId: number; readonly openMs: number };

/**
 * Spares a merchant's failing server, and the purchases that would wait for it. Ten failures in a row open the circuit for 5 s;
 * then it is half open: one question at a time goes through as a probe, whose success closes the circuit and whose failure opens
 * it for twice as long, 60 s at most. Each process has a breaker of its own: what one has found out the others find out by ten
 * questions of theirs, and nothing has to be shared on the way of a purchase.
 */
export interface Breaker {
  /** `null` while the circuit is open. Every permit must be settled, once. */
  admit(merchantId: number): Permit | null;
  /** What a question that was asked before the circuit opened says afterwards is passed over. */
  settle(permit: Permit, end: QuestionEnd): void;
  /** Its server is another one now: an open circuit is probed by the next question, and its waits begin anew. */
  probeNow(merchantId: number): void;
  /** Whether the merchant's last question that tells about its server failed. */
  isFailing(merchantId: number): boolean;
}

export interface BreakerDeps {
  /** Milliseconds of a clock that never goes back: the machine's monotonic one. */
  readonly monotonicNow: () => number;
  readonly onChange: (change: BreakerChange) => void;
  /** Failures in a row that open a circuit; 10 when absent. */
  readonly failuresMax?: number;
}

/** A merchant without failures has no circuit. */
type Circuit =
  | { readonly kind: "closed"; readonly failures: number }
  | {
      readonly kind: "open";
      readonly firstOpenedMs: number;
      readonly untilMs: number;
      readonly waitMs: number;
      readonly isProbing: boolean;
    };

interface State {
  readonly deps: BreakerDeps;
  /** The one that changed longest ago first. */
  readonly circuits: Map<number, Circuit>;
}

export function createBreaker(deps: BreakerDeps): Breaker {
  const state: State = { deps, circuits: new Map() };
  return {
    admit: (merchantId) => admit(state, merchantId),
    settle: (permit, end) => settle(state, permit, end),
    probeNow: (merchantId) => probeNow(state, merchantId),
    isFailing: (merchantId) => state.circuits.has(merchantId),
  };
}

function admit(state: State, merchantId: number): Permit | null {
  const circuit = state.circuits.get(merchantId);
  if (circuit?.kind !== "open") {
    return { merchantId, isProbe: false };
  }
  if (circuit.isProbing || state.deps.monotonicNow() < circuit.untilMs) {
    return null;
  }
  keep(state, merchantId, { ...circuit, isProbing: true });
  return { merchantId, isProbe: true };
}

function probeNow(state: State, merchantId: number): void {
  const circuit = state.circuits.get(merchantId);
  if (circuit?.kind === "open") {
    keep(state, merchantId, {
      ...circuit,
      untilMs: state.deps.monotonicNow(),
      waitMs: callbackLimits.breakerWaitMs,
    });
  }
}

function settle(state: State, { merchantId, isProbe }: Permit, end: QuestionEnd): void {
  const circuit = state.circuits.get(merchantId);
  if (isProbe) {
    // A circuit that was forgotten meanwhile is closed.
    if (circuit?.kind === "open") {
      settleProbe(state, { merchantId, circuit, end });
    }
    return;
  }
  if (circuit?.kind === "open" || end === "not_sent") {
    return;
  }
  if (end === "answered") {
    state.circuits.delete(merchantId);
    return;
  }
  const failures = (circuit?.failures ?? 0) + 1;
  if (failures < (state.deps.failuresMax ?? callbackLimits.breakerFailures)) {
    keep(state, merchantId, { kind: "closed", failures });
    return;
  }
  const waitMs = callbackLimits.breakerWaitMs;
  open(state, { merchantId, waitMs, cause: "failures", firstOpenedMs: state.deps.monotonicNow() });
}

function settleProbe(
  state: State,
  probe: {
    readonly merchantId: number;
    readonly circuit: Circuit & { readonly kind: "open" };
    readonly end: QuestionEnd;
  },
): void {
  const { merchantId, circuit, end } = probe;
  switch (end) {
    case "answered": {
      state.circuits.delete(merchantId);
      state.deps.onChange({ kind: "closed", merchantId, openMs: state.deps.monotonicNow() - circuit.firstOpenedMs });
      return;
    }
    case "failed": {
      const waitMs = Math.min(circuit.waitMs * 2, callbackLimits.breakerWaitMsMax);
      open(state, { merchantId, waitMs, cause: "probe", firstOpenedMs: circuit.firstOpenedMs });
      return;
    }
    case "not_sent": {
      keep(state, merchantId, { ...circuit, isProbing: false });
      return;
    }
  }
}

function open(
  state: State,
  opening: {
    readonly merchantId: number;
    readonly waitMs: number;
    readonly cause: "failures" | "probe";
    readonly firstOpenedMs: number;
  },
): void {
  const { merchantId, waitMs, cause, firstOpenedMs } = opening;
  const untilMs = state.deps.monotonicNow() + waitMs;
  keep(state, merchantId, { kind: "open", firstOpenedMs, untilMs, waitMs, isProbing: false });
  state.deps.onChange({ kind: "opened", merchantId, cause, waitMs });
}

function keep({ circuits }: State, merchantId: number, circuit: Circuit): void {
  circuits.delete(merchantId);
  circuits.set(merchantId, circuit);
  const oldest = circuits.size > callbackLimits.circuitsMax ? circuits.keys().next() : undefined;
  if (oldest?.done === false) {
    circuits.delete(oldest.value);
  }
}
