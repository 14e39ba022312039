import type { TestServer } from "../support/database.ts";

export interface ProofOptions {
  /** A server that gives each proof a database of its own. */
  readonly server: TestServer;
  /** The same seed makes the same random choices. */
  readonly seed: number;
  /** Told what is going on. */
  readonly say: (text: string) => void;
  /** Ends the proof early, as a failure, with nothing left running. */
  readonly signal: AbortSignal;
}

/** What a proof found. */
export interface ProofReport {
  readonly proof: string;
  /** No violation, and it came to its end. */
  readonly ok: boolean;
  readonly seed: number;
  /** What was done and looked at. */
  readonly numbers: Readonly<Record<string, number>>;
  /** What was not as it must be, one sentence each. */
  readonly violations: readonly string[];
}
