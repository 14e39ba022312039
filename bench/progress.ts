/** One live line on stderr that says what is going on; stdout stays for results. */
export interface Progress {
  readonly say: (text: string) => void;
  /** A line that stays. */
  readonly note: (text: string) => void;
  /** Removes the live line. */
  readonly clear: () => void;
}

/** Where stderr is a file there is no line to overwrite: it gets one at most this often. */
const fileLineMs = 5_000;

export function createProgress(out: NodeJS.WriteStream): Progress {
  let lastLineMs = Number.NEGATIVE_INFINITY;
  const clear = (): void => {
    if (out.isTTY) {
      out.write("\r\u001b[K");
    }
  };
  return {
    say: (text) => {
      if (out.isTTY) {
        out.write(`\r\u001b[K${text.slice(0, Math.max(20, out.columns - 1))}`);
      } else if (performance.now() - lastLineMs >= fileLineMs) {
        lastLineMs = performance.now();
        out.write(`${text}\n`);
      }
    },
    note: (text) => {
      clear();
      out.write(`${text}\n`);
    },
    clear,
  };
}
