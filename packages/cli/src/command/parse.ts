import { type ParseArgsConfig, parseArgs } from "node:util";
import { type CommandFailed, wrongUsage } from "../exit-codes.ts";
import type { Arguments, Command, Flag, FlagGiven, Flags, LooseCall } from "./command.ts";
import { globalFlags } from "./global-flags.ts";
import { nearest } from "./suggest.ts";

/** `node:util` parses and the table says what: so flags, help, completion and reference cannot differ from each other. */
export interface Parsed {
  readonly command: Command;
  readonly args: LooseCall["args"];
  readonly flags: LooseCall["flags"];
}

/** What the words ask for: a command, or help about the words before `--help`, or the version. */
export type Wish =
  | { readonly kind: "command"; readonly command: Command; readonly rest: readonly string[] }
  | { readonly kind: "help"; readonly words: readonly string[] }
  | { readonly kind: "version" };

/** Finds the command among the words; global flags may stand before it. Throws `CommandFailed` when there is none. */
export function wishOf(commands: readonly Command[], words: readonly string[]): Wish {
  const ownWords = untilDoubleDash(words);
  const places = plainPlaces(ownWords);
  const plain = places.map((place) => ownWords[place] ?? "");
  if (ownWords.includes("--help") || ownWords.includes("-h")) {
    const found = commandAt(commands, plain);
    return { kind: "help", words: found === null ? plain : found.name.split(" ") };
  }
  if (plain.length === 0) {
    const isVersion = ownWords.includes("--version") || ownWords.includes("-V");
    return isVersion ? { kind: "version" } : { kind: "help", words: [] };
  }
  if (plain[0] === "help") {
    return { kind: "help", words: plain.slice(1) };
  }
  const found = commandAt(commands, plain);
  if (found === null) {
    throw unknownCommand(commands, plain);
  }
  const taken = new Set(places.slice(0, found.name.split(" ").length));
  return { kind: "command", command: found, rest: words.filter((_, place) => !taken.has(place)) };
}

const untilDoubleDash = (words: readonly string[]): readonly string[] => {
  const end = words.indexOf("--");
  return end === -1 ? words : words.slice(0, end);
};

/** Where the words without a dash stand that are no value of a global flag: the command's own flags come after its name. */
function plainPlaces(words: readonly string[]): number[] {
  const places: number[] = [];
  for (let place = 0; place < words.length; place += 1) {
    const word = words[place] ?? "";
    if (!word.startsWith("-")) {
      places.push(place);
    } else if (takesValue(word)) {
      place += 1;
    }
  }
  return places;
}

const globals: Flags = globalFlags;

function takesValue(word: string): boolean {
  const flag = globals[word.replace(/^--/u, "")];
  return flag !== undefined && flag.kind !== "switch";
}

function commandAt(commands: readonly Command[], plain: readonly string[]): Command | null {
  const named = (length: number): Command | undefined =>
    commands.find(({ name }) => name === plain.slice(0, length).join(" "));
  return named(2) ?? named(1) ?? null;
}

/** The commands that begin with this word. */
export const groupOf = (commands: readonly Command[], word: string): readonly Command[] =>
  commands.filter(({ name }) => name.startsWith(`${word} `));

export function unknownCommand(commands: readonly Command[], plain: readonly string[]): CommandFailed {
  const [first = "", second] = plain;
  const group = groupOf(commands, first);
  if (group.length > 0 && second === undefined) {
    const names = group.map(({ name }) => name.slice(first.length + 1)).join(", ");
    return wrongUsage(`${first} needs another word: ${names}.`, `cardwright ${first} --help tells what each does.`);
  }
  const known =
    group.length > 0
      ? group.map(({ name }) => name)
      : [...new Set(commands.flatMap(({ name }) => [name, name.split(" ")[0] ?? name])), "help"];
  const asked = group.length > 0 ? `${first} ${second}` : first;
  const meant = nearest(asked, known) ?? nearest(`${first} ${second ?? ""}`.trim(), known);
  return wrongUsage(
    `There is no command ${asked}.${meant === null ? "" : ` Did you mean ${meant}?`}`,
    group.length > 0 ? `cardwright ${first} --help lists them.` : "cardwright help lists all.",
  );
}

/** Reads the words behind a command's name by its table. Throws `CommandFailed` for words that it does not take. */
export function parseWords(command: Command, rest: readonly string[]): Parsed {
  const flags: Flags = { ...globalFlags, ...command.flags };
  const { values, positionals } = parseStrictly(command, { flags, rest });
  return {
    command,
    args: argumentsOf(command, positionals),
    flags: Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [name, flagValue(command, { name, flag, given: values[name] })]),
    ),
  };
}

function parseStrictly(
  command: Command,
  { flags, rest }: { readonly flags: Flags; readonly rest: readonly string[] },
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  const options: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      {
        type: flag.kind === "switch" ? ("boolean" as const) : ("string" as const),
        multiple: flag.kind === "list",
        ...(flag.short !== undefined && { short: flag.short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw parseFailure(command, { error, known: Object.keys(flags), rest });
  }
}

function parseFailure(
  command: Command,
  about: { readonly error: unknown; readonly known: readonly string[]; readonly rest: readonly string[] },
): unknown {
  const { error, known } = about;
  if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("ERR_PARSE_ARGS")) {
    return error;
  }
  const hint = helpHint(command);
  if (error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    return wrongUsage(firstSentence(error.message), hint);
  }
  const word = /'(-[^']*)'/u.exec(error.message)?.[1] ?? "";
  const meant = nearest(word.replace(/^-+/u, ""), known);
  return wrongUsage(`${command.name} has no flag ${word}.${meant === null ? "" : ` Did you mean --${meant}?`}`, hint);
}

const firstSentence = (text: string): string => `${text.split(/[.\n]/u)[0] ?? text}.`;
const helpHint = ({ name }: Command): string => `cardwright ${name} --help tells what it takes.`;

function argumentsOf(command: Command, words: readonly string[]): LooseCall["args"] {
  const found: Record<string, string | readonly string[] | undefined> = {};
  const left = [...words];
  const wanted: Arguments = command.args;
  for (const [name, argument] of Object.entries(wanted)) {
    const taken = argument.many === true ? left.splice(0) : left.splice(0, 1);
    if (taken.length === 0 && argument.optional !== true) {
      throw wrongUsage(`${command.name} needs ${placeholder(name)}: ${argument.about}.`, helpHint(command));
    }
    for (const word of taken) {
      checkChoice(command, { what: placeholder(name), oneOf: argument.oneOf, given: word });
    }
    found[name] = argument.many === true ? taken : taken[0];
  }
  if (left.length > 0) {
    throw wrongUsage(`${command.name} does not take "${left[0]}".`, helpHint(command));
  }
  return found;
}

/** How an argument is written in help: `CARD_NO`. */
export const placeholder = (name: string): string => name.replaceAll("-", "_").toUpperCase();

function flagValue(
  command: Command,
  { name, flag, given }: { readonly name: string; readonly flag: Flag; readonly given: unknown },
): FlagGiven {
  const what = `--${name}`;
  switch (flag.kind) {
    case "switch":
      return given === true;
    case "list": {
      const texts = Array.isArray(given) ? given.map(String) : [];
      for (const text of texts) checkChoice(command, { what, oneOf: flag.oneOf, given: text });
      return texts;
    }
    case "text": {
      const text = typeof given === "string" ? given : flag.fallback;
      if (text === undefined && flag.required === true) throw missingFlag(command, { name, flag });
      if (text !== undefined) checkChoice(command, { what, oneOf: flag.oneOf, given: text });
      return text;
    }
    case "count":
      return countOf(command, { name, flag, given });
  }
}

const missingFlag = (
  command: Command,
  { name, flag }: { readonly name: string; readonly flag: Flag & { readonly value: string } },
): CommandFailed => wrongUsage(`${command.name} needs --${name} ${flag.value}: ${flag.about}.`, helpHint(command));

function countOf(
  command: Command,
  { name, flag, given }: { readonly name: string; readonly flag: Flag & { kind: "count" }; readonly given: unknown },
): number | undefined {
  if (typeof given !== "string") {
    if (flag.fallback === undefined && flag.required === true) throw missingFlag(command, { name, flag });
    return flag.fallback;
  }
  const count = /^\d{1,9}$/u.test(given) ? Number(given) : Number.NaN;
  if (!(count >= flag.min && count <= flag.max)) {
    throw wrongUsage(`--${name} takes a whole number from ${flag.min} to ${flag.max}, not "${given}".`);
  }
  return count;
}

function checkChoice(
  command: Command,
  choice: { readonly what: string; readonly oneOf: readonly string[] | undefined; readonly given: string },
): void {
  const { what, oneOf, given } = choice;
  if (given === "") {
    throw wrongUsage(`${what} of ${command.name} is empty.`, helpHint(command));
  }
  if (oneOf !== undefined && !oneOf.includes(given)) {
    const meant = nearest(given, oneOf);
    const guess = meant === null ? "" : ` Did you mean ${meant}?`;
    throw wrongUsage(`${what} takes ${oneOf.join(", ")}, not "${given}".${guess}`);
  }
}
