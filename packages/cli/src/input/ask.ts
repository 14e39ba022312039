import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import type { Stream } from "../output/output.ts";

/** Questions to the person. Where stdin is no terminal, its lines are the answers, one a question. */
export interface Ask {
  readonly isTerminal: boolean;
  text(question: string, options?: { readonly fallback?: string }): Promise<string>;
  /** What is typed does not show. */
  secret(question: string): Promise<string>;
  /** Whether the person agrees; false when nobody can be asked. */
  confirm(question: string): Promise<boolean>;
  /** All of stdin. */
  everything(): Promise<string>;
}

export interface InputStream extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

export interface AskOptions {
  readonly stdin: InputStream;
  /** Questions go here: stdout is for results. */
  readonly stderr: Stream;
  readonly signal: AbortSignal;
}

/** A saved callback has a few hundred bytes; more than this is another file by mistake. */
const stdinBytesMax = 1_048_576;

export function createAsk(options: AskOptions): Ask {
  const { stdin, stderr, signal } = options;
  const isTerminal = stdin.isTTY === true;
  let lines: Promise<string[]> | null = null;
  const nextLine = async (question: string): Promise<string> => {
    lines ??= readAll(options).then((text) => text.split(/\r?\n/u));
    const line = (await lines).shift();
    if (line === undefined) {
      throw wrongUsage(`"${question}" was not answered: stdin has ended.`);
    }
    return line.trim();
  };
  return {
    isTerminal,
    text: async (question, { fallback = "" } = {}) => {
      if (!isTerminal) return (await nextLine(question)) || fallback;
      return (
        (await askLine({ ...options, question: `${question}${fallback === "" ? "" : ` [${fallback}]`}: ` })) || fallback
      );
    },
    secret: async (question) => {
      if (!isTerminal) return nextLine(question);
      stderr.write(`${question}: `);
      return readHidden(stdin, { stderr, signal });
    },
    confirm: async (question) =>
      isTerminal && /^y(?:es)?$/iu.test(await askLine({ ...options, question: `${question} [y/N] ` })),
    everything: () => readAll(options),
  };
}

async function readAll({ stdin, signal }: AskOptions): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const onAbort = (): void => void stdin.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const piece of stdin) {
      const buffer: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
      bytes += buffer.length;
      if (bytes > stdinBytesMax) {
        throw wrongUsage(`stdin has more than ${stdinBytesMax} bytes.`);
      }
      pieces.push(buffer);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return Buffer.concat(pieces).toString("utf8");
}

const interrupted = (): CommandFailed => new CommandFailed("interrupted", "");

async function askLine({
  stdin,
  stderr,
  signal,
  question,
}: AskOptions & { readonly question: string }): Promise<string> {
  stderr.write(question);
  const reader = createInterface({ input: stdin, terminal: false });
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(interrupted()), { once: true });
      reader.once("line", (line) => resolve(line.trim()));
      reader.once("close", () => resolve(""));
    });
  } finally {
    reader.close();
  }
}

const enter = new Set(["\r", "\n"]);
const rubOut = new Set(["\u007f", "\b"]);
const ctrlC = "\u0003";
const ctrlD = "\u0004";

/** In raw mode the terminal writes nothing back, and Ctrl-C comes as a letter. */
function readHidden(
  stdin: InputStream,
  { stderr, signal }: { readonly stderr: Stream; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = "";
    const finish = (end: () => void): void => {
      stdin.off("data", onData);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write("\n");
      end();
    };
    const onAbort = (): void => finish(() => reject(interrupted()));
    const onData = (piece: Buffer): void => {
      for (const letter of piece.toString("utf8")) {
        if (enter.has(letter)) return finish(() => resolve(typed.trim()));
        if (letter === ctrlC || letter === ctrlD) return finish(() => reject(interrupted()));
        typed = rubOut.has(letter) ? typed.slice(0, -1) : typed + letter;
      }
    };
    stdin.setRawMode?.(true);
    signal.addEventListener("abort", onAbort, { once: true });
    stdin.on("data", onData);
    stdin.resume();
  });
}
