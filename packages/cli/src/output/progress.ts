import { styleText } from "node:util";
import type { Stream } from "./output.ts";
import { fit } from "./width.ts";

/** How far something is. On a terminal a bar that is drawn over, elsewhere a line now and then. */
export interface Progress {
  /** `of` 0: nobody knows how much there is. */
  at(done: { readonly count: number; readonly of: number; readonly text?: string }): void;
  /** Takes the bar away. Must be called. */
  end(): void;
}

/** What is over sooner shows no bar at all. */
const silentMs = 1_000;
const drawMs = 100;
/** In a log of CI, often enough to see that it lives. */
const lineMs = 10_000;
const barColumns = 24;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;

export function startProgress(options: {
  readonly stream: Stream;
  readonly what: string;
  readonly colour: boolean;
}): Progress {
  const { stream, what, colour } = options;
  const startedMs = performance.now();
  const drawn = { now: false, nextLineAtMs: startedMs + silentMs, frame: 0 };
  let state = { count: 0, of: 0, text: "" };

  const draw = (): void => {
    drawn.frame += 1;
    drawn.now = true;
    const line = fit(
      `${barOf(state, { frame: drawn.frame, colour })} ${what} ${state.text}`,
      (stream.columns ?? 80) - 1,
    );
    stream.write(`\r\u001b[2K${line}`);
  };
  const tell = (): void => {
    drawn.nextLineAtMs = performance.now() + lineMs;
    const far = state.of === 0 ? "" : ` ${state.count} of ${state.of}`;
    stream.write(`${[`${what}${far}`, state.text].filter((part) => part !== "").join(": ")}\n`);
  };
  const look = (): void => {
    const nowMs = performance.now();
    if (stream.isTTY === true) {
      if (nowMs - startedMs > silentMs) draw();
    } else if (nowMs > drawn.nextLineAtMs) {
      tell();
    }
  };
  const timer = setInterval(look, drawMs);
  timer.unref();
  return {
    at: ({ count, of, text = "" }) => {
      state = { count, of, text };
    },
    end: () => {
      clearInterval(timer);
      if (drawn.now) stream.write("\r\u001b[2K");
    },
  };
}

function barOf(
  { count, of }: { readonly count: number; readonly of: number },
  { frame, colour }: { readonly frame: number; readonly colour: boolean },
): string {
  if (of === 0) {
    return frames[frame % frames.length] ?? "";
  }
  const full = Math.min(barColumns, Math.floor((count / of) * barColumns));
  const bar = "█".repeat(full) + "░".repeat(barColumns - full);
  return `${colour ? styleText("cyan", bar, { validateStream: false }) : bar} ${count}/${of}`;
}
