import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, vi } from "vitest";
import { processState, putBack } from "./process-state.ts";

/**
 * Runs before each test file. The files of a run share two worker processes, so that modules are loaded twice and not 250 times;
 * what a file has changed in its worker and left so is put back, and the file fails by it.
 */
const before = processState();
const trusted = getCACertificates("default");

// Registered before the file's own, so it runs after them.
afterAll(() => {
  const left = putBack(before);
  // Replaced clocks and globals would be the next file's too; spies are put back by Vitest.
  vi.useRealTimers();
  vi.unstubAllGlobals();
  // As are authorities that a test trusts: those of two files have the same name and other keys. Node answers the same list until it changes.
  if (getCACertificates("default") !== trusted) {
    setDefaultCACertificates(trusted);
  }
  if (left.length > 0) {
    throw new Error(`this file changed what it shares with other files and did not put back: ${left.join(", ")}`);
  }
});
