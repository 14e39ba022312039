import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A process that a benchmark started and ends by letting go of its channel. */
export interface Helper<Message> {
  readonly child: ChildProcess;
  /** The next message that it sends; rejects when it ends before, or after `timeoutMs`. */
  next(timeoutMs: number): Promise<Message>;
  stop(): Promise<void>;
}

const endPatienceMs = 5_000;

/** Starts a program of this folder; `isMessage` checks what comes from it. */
export function startHelper<Message>(
  program: string,
  options: { readonly words: readonly string[]; readonly isMessage: (value: unknown) => value is Message },
): Helper<Message> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(file, [...options.words], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return {
    child,
    next: (timeoutMs) => nextMessage(child, { timeoutMs, program, isMessage: options.isMessage }),
    stop: () => stopHelper(child),
  };
}

async function nextMessage<Message>(
  child: ChildProcess,
  want: {
    readonly timeoutMs: number;
    readonly program: string;
    readonly isMessage: (value: unknown) => value is Message;
  },
): Promise<Message> {
  return new Promise<Message>((resolve, reject) => {
    const done = (end: () => void): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
      end();
    };
    const onMessage = (value: unknown): void => {
      done(() => {
        if (want.isMessage(value)) {
          resolve(value);
        } else {
          reject(new Error(`${want.program} sent something else`));
        }
      });
    };
    const onExit = (): void => done(() => reject(new Error(`${want.program} ended`)));
    const onTimeout = (): void =>
      done(() => reject(new Error(`${want.program} said nothing for ${want.timeoutMs} ms`)));
    const timer = setTimeout(onTimeout, want.timeoutMs);
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}

async function stopHelper(child: ChildProcess): Promise<void> {
  if (child.connected) {
    child.disconnect();
  }
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), endPatienceMs);
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  clearTimeout(timer);
}

export interface MerchantProcess {
  readonly url: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 10_000;

export async function startMerchantProcess(behaviour: "approves" | "hangs"): Promise<MerchantProcess> {
  const helper = startHelper("merchant-process.ts", {
    words: [behaviour],
    isMessage: (value) => typeof value === "number",
  });
  try {
    const port = await helper.next(startTimeoutMs);
    return { url: `http://127.0.0.1:${port}/callback`, stop: () => helper.stop() };
  } catch (error) {
    await helper.stop();
    throw error;
  }
}
