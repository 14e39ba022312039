import type { Argument, Command, Flag, Flags } from "../command/command.ts";
import { globalFlags } from "../command/global-flags.ts";

/** What may follow, in a form that each shell's script is written from. */
export interface CompletionFlag {
  /** With its dashes. */
  readonly name: string;
  readonly about: string;
  /** null: it takes no value. Empty: any value, or a file. */
  readonly values: readonly string[] | null;
  readonly isFile: boolean;
}

export interface CompletionCommand {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly CompletionFlag[];
  /** Of all its arguments: the words that are taken. */
  readonly words: readonly string[];
}

/** Placeholders of values that are paths. */
const fileValues = new Set(["FILE", "FOLDER"]);

export const globalCompletionFlags: readonly CompletionFlag[] = flagsOf(globalFlags);

function flagsOf(flags: Flags): CompletionFlag[] {
  return Object.entries(flags).map(([name, flag]) => ({
    name: `--${name}`,
    about: flag.about,
    values: flag.kind === "switch" ? null : valuesOf(flag),
    isFile: flag.kind !== "switch" && fileValues.has(flag.value),
  }));
}

function valuesOf(flag: Flag): readonly string[] {
  return flag.kind === "text" || flag.kind === "list" ? (flag.oneOf ?? []) : [];
}

export const completionCommands = (commands: readonly Command[]): readonly CompletionCommand[] =>
  commands.map(({ name, summary, flags, args }) => ({
    name,
    about: summary,
    flags: flagsOf(flags),
    words: Object.values(args).flatMap(({ oneOf = [] }: Argument) => oneOf),
  }));

export interface FirstWord {
  readonly word: string;
  readonly about: string;
  /** Second words; empty for a command of one word. */
  readonly followers: readonly { readonly word: string; readonly about: string }[];
}

/** The words that a line can begin with. */
export function firstWords(commands: readonly Command[]): readonly FirstWord[] {
  const words = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? name))];
  return words.map((word) => {
    const followers = commands
      .filter(({ name }) => name.startsWith(`${word} `))
      .map(({ name, summary }) => ({ word: name.slice(word.length + 1), about: summary }));
    const own = commands.find(({ name }) => name === word);
    return { word, about: own?.summary ?? followers.map((each) => each.word).join(", "), followers };
  });
}
