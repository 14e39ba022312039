import { type Command, command } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { isoDuration } from "../input/duration.ts";
import { timeIn } from "./showing.ts";

const show = command({
  name: "clock show",
  summary: "Show the sandbox's time",
  examples: ["clock show"],
  run: async ({ context }) => {
    const { client } = await context.session();
    showClock(context, await client.sandbox.clock());
    return undefined;
  },
});

const advance = command({
  name: "clock advance",
  summary: "Move the time of the whole sandbox forward",
  more: "What becomes due on the way is done, in its order: holds expire, management fees are taken, callbacks are tried again. Time never goes back.",
  examples: ["clock advance 7d", "clock advance 13mo", "clock advance P1DT12H"],
  args: { duration: { about: "7d, 12h, 30m, 13mo, 1d12h, or ISO 8601 such as P7D; 400 days at most" } },
  run: async ({ args, context }) => {
    const duration = isoDuration(args.duration);
    const { client } = await context.session();
    const progress = context.out.progress(`moving the clock by ${duration}`);
    const moved = await client.sandbox.advanceClock(duration).finally(() => progress.end());
    showClock(context, moved);
    if (!context.out.json) {
      for (const [work, count] of Object.entries(moved.ran)) context.out.line(`${work}: ${count}`);
    }
    if (!moved.finished) context.out.note("Some of what became due is still being done, in the same order.");
    return undefined;
  },
});

function showClock(context: Context, clock: { readonly now: number; readonly ahead_ms: number }): void {
  const { out } = context;
  if (out.json) {
    out.value(clock);
    return;
  }
  const hours = clock.ahead_ms / 3_600_000;
  const ahead =
    hours === 0 ? "real time" : `${Math.floor(hours / 24)} days ${Math.floor(hours % 24)} hours ahead of real time`;
  out.record([
    ["time", timeIn(context, clock.now)],
    ["ahead", ahead],
  ]);
}

export const clockCommands: readonly Command[] = [show, advance];
