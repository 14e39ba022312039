import type { Command, FlagGiven } from "./command/command.ts";
import type { Context, Environment } from "./command/context.ts";
import { globalFlags, globalValues } from "./command/global-flags.ts";
import { helpText } from "./command/help.ts";
import { type Parsed, parseWords, wishOf } from "./command/parse.ts";
import { openSession } from "./config/session.ts";
import { exitCodes } from "./exit-codes.ts";
import { failureOf, reportFailure } from "./failure.ts";
import { createAsk, type InputStream } from "./input/ask.ts";
import { localOffsetMinutes, offsetOf } from "./input/times.ts";
import { createOutput, type Stream } from "./output/output.ts";

export interface World {
  readonly words: readonly string[];
  readonly env: Environment;
  readonly folder: string;
  readonly stdin: InputStream;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly signal: AbortSignal;
  readonly version: string;
}

/** Runs one command line; answers the exit code. */
export async function runCli(commands: readonly Command[], world: World): Promise<number> {
  const plain = { json: world.words.includes("--json"), colour: wantsColour(world, world.stderr) };
  try {
    const wish = wishOf(commands, world.words);
    switch (wish.kind) {
      case "version":
        world.stdout.write(`${world.version}\n`);
        return 0;
      case "help":
        world.stdout.write(
          helpText(commands, wish.words, {
            colour: wantsColour(world, world.stdout),
            width: Math.min(helpColumnsMax, world.stdout.columns ?? helpColumnsMax),
          }),
        );
        return 0;
      case "command":
        return await runCommand(commands, { world, parsed: parseWords(wish.command, wish.rest) });
    }
  } catch (error) {
    const failure = await failureOf(error, { interrupted: world.signal.aborted });
    reportFailure(failure, { stderr: world.stderr, ...plain });
    return exitCodes[failure.exit].code;
  }
}

/** Longer lines are hard to read, however wide the window is. */
const helpColumnsMax = 110;

async function runCommand(
  commands: readonly Command[],
  { world, parsed }: { readonly world: World; readonly parsed: Parsed },
): Promise<number> {
  const { command, args, flags } = parsed;
  const context = contextOf(commands, { world, flags });
  const ended = await command.run({ args, flags, context });
  return exitCodes[ended ?? "ok"].code;
}

function contextOf(
  commands: readonly Command[],
  { world, flags }: { readonly world: World; readonly flags: Readonly<Record<string, FlagGiven>> },
): Context {
  const globals = globalValues(globalsIn(flags));
  const { env, folder, stdin, stdout, stderr, signal } = world;
  const context: Context = {
    commands,
    globals,
    env,
    folder,
    signal,
    ask: createAsk({ stdin, stderr, signal }),
    out: createOutput({
      stdout,
      stderr,
      json: flags["json"] === true,
      colour: wantsColour(world, stdout),
      offsetMinutes: globals.timezone === undefined ? localOffsetMinutes() : offsetOf(globals.timezone),
    }),
    session: () => openSession(context, "key"),
    sessionWithSecret: () => openSession(context, "secret"),
    askSecret: async (question, variable) => env[variable] || context.ask.secret(question),
  };
  return context;
}

/** The parser has read them by the same table; here they only get their types back. */
function globalsIn(flags: Readonly<Record<string, FlagGiven>>): Parameters<typeof globalValues>[0] {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === "string" ? value : undefined;
  };
  const timeout = flags["timeout"];
  return {
    profile: text("profile"),
    "base-url": text("base-url"),
    config: text("config"),
    timezone: text("timezone"),
    language: text("language") === "zh_CN" ? "zh_CN" : "en_US",
    timeout: typeof timeout === "number" ? timeout : globalFlags.timeout.fallback,
    json: flags["json"] === true,
    "no-color": flags["no-color"] === true,
    help: flags["help"] === true,
  };
}

/** On a terminal, unless somebody objects: https://no-color.org */
function wantsColour({ words, env }: World, stream: Stream): boolean {
  if (words.includes("--no-color") || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return false;
  return stream.isTTY === true || (env["FORCE_COLOR"] ?? "") !== "";
}
