/** One Ctrl-C reaches a process up to three times: from the terminal, from npm and from the set-up script. */
const sameSignalMs = 1_000;
/** What a shell reports of a command that Ctrl-C has ended. */
const interruptedExitCode = 130;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP: the process then stops gracefully by itself. A further one, more than a second
 * later, is a person who will not wait: it ends the process at once.
 */
export function stopSignal(): Promise<void> {
  let firstAt: number | null = null;
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (firstAt === null) {
          firstAt = performance.now();
          resolve();
        } else if (performance.now() - firstAt > sameSignalMs) {
          process.exit(interruptedExitCode);
        }
      });
    }
  });
}
