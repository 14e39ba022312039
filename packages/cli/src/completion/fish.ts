import type { Command } from "../command/command.ts";
import { type CompletionFlag, completionCommands, firstWords, globalCompletionFlags } from "./words.ts";

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function flagLine(condition: string, { name, about, values, isFile }: CompletionFlag): string {
  const value =
    values === null ? "" : values.length > 0 ? ` -x -a ${quoted(values.join(" "))}` : isFile ? " -r" : " -x";
  return `complete -c cardwright${condition} -l ${name.slice(2)}${value} -d ${quoted(about)}`;
}

/** A script for `source`, or `~/.config/fish/completions/cardwright.fish`. */
export function fishScript(commands: readonly Command[]): string {
  const first = firstWords(commands);
  const when = (condition: string): string => ` -n ${quoted(condition)}`;
  const lines = [
    "# cardwright completion fish",
    "function __cardwright_is --description 'whether the words typed so far begin so'",
    "  set -l plain (string match -v -- '-*' (commandline -opc)[2..-1])",
    '  test (count $argv) -le (count $plain); and test "$plain[1..(count $argv)]" = "$argv"',
    "end",
    "function __cardwright_has --description 'how many words are typed'",
    "  set -l plain (string match -v -- '-*' (commandline -opc)[2..-1])",
    "  test (count $plain) -eq $argv[1]",
    "end",
    "complete -c cardwright -f",
    ...globalCompletionFlags.map((flag) => flagLine("", flag)),
    ...first.map(
      ({ word, about }) => `complete -c cardwright${when("__cardwright_has 0")} -a ${word} -d ${quoted(about)}`,
    ),
    ...first.flatMap(({ word, followers }) =>
      followers.map(
        (each) =>
          `complete -c cardwright${when(`__cardwright_has 1; and __cardwright_is ${word}`)} -a ${each.word} -d ${quoted(each.about)}`,
      ),
    ),
    ...completionCommands(commands).flatMap(({ name, flags, words }) => {
      const condition = when(`__cardwright_is ${name}`);
      return [
        ...flags.map((flag) => flagLine(condition, flag)),
        ...words.map((word) => `complete -c cardwright${condition} -a ${quoted(word)}`),
      ];
    }),
  ];
  return `${lines.join("\n")}\n`;
}
