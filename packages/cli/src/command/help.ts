import { styleText } from "node:util";
import { type ExitName, exitCodes } from "../exit-codes.ts";
import type { Argument, Command, Flag, Flags } from "./command.ts";
import { globalFlags } from "./global-flags.ts";
import { groupOf, placeholder, unknownCommand } from "./parse.ts";

export interface HelpStyle {
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** What `cardwright WORDS --help` prints: a command, the commands that begin so, or all. Throws when there is none. */
export function helpText(commands: readonly Command[], words: readonly string[], style: HelpStyle): string {
  if (words.length === 0) {
    return overview(commands, style);
  }
  const name = words.join(" ");
  const one = commands.find((each) => each.name === name);
  if (one !== undefined) {
    return commandHelp(one, style);
  }
  const group = words.length === 1 ? groupOf(commands, name) : [];
  if (group.length === 0) {
    throw unknownCommand(commands, words);
  }
  return `${section("Commands", rows(group.map(commandRow), style), style)}\ncardwright help COMMAND tells more of each.\n`;
}

const section = (title: string, body: string, { colour }: HelpStyle): string =>
  `${colour ? styleText("bold", title, { validateStream: false }) : title}\n${body}`;

const commandRow = (each: Command): readonly [string, string] => [usage(each), each.summary];

/** `cards freeze CARD_NO` */
export function usage({ name, args }: Command): string {
  return [name, ...Object.entries(args).map(([key, argument]) => argumentText(key, argument))].join(" ");
}

export function argumentText(key: string, { optional, many }: Argument): string {
  const text = `${placeholder(key)}${many === true ? "…" : ""}`;
  return optional === true ? `[${text}]` : text;
}

/** `--size N` */
export const flagText = (name: string, flag: Flag): string =>
  `${flag.short === undefined ? "" : `-${flag.short}, `}--${name}${flag.kind === "switch" ? "" : ` ${flag.value}`}`;

/** What a flag does, with its values and default. */
export function flagAbout(flag: Flag): string {
  const parts = [flag.about];
  if (flag.kind === "switch") return flag.about;
  if (flag.kind !== "count" && flag.oneOf !== undefined) parts.push(flag.oneOf.join(" | "));
  if (flag.kind === "list") parts.push("may come several times");
  if (flag.kind !== "list" && flag.fallback !== undefined) parts.push(`${flag.fallback} when absent`);
  if (flag.kind !== "list" && flag.required === true) parts.push("required");
  return parts.join("; ");
}

function commandHelp(command: Command, style: HelpStyle): string {
  const { args, flags, summary, more, examples } = command;
  const parts = [
    `cardwright ${usage(command)}${Object.keys(flags).length > 0 ? " [flags]" : ""}\n`,
    paragraph(`${summary}.${more === undefined ? "" : ` ${more}`}`, style),
  ];
  if (Object.keys(args).length > 0) {
    const lines = Object.entries(args).map(([name, argument]): readonly [string, string] => [
      placeholder(name),
      argument.oneOf === undefined ? argument.about : `${argument.about}; ${argument.oneOf.join(" | ")}`,
    ]);
    parts.push(section("Arguments", rows(lines, style), style));
  }
  if (Object.keys(flags).length > 0) {
    parts.push(section("Flags", flagRows(flags, style), style));
  }
  parts.push(section("Flags of every command", flagRows(globalFlags, style), style));
  parts.push(section("Examples", examples.map((each) => `  cardwright ${each}\n`).join(""), style));
  return parts.join("\n");
}

const flagRows = (flags: Flags, style: HelpStyle): string =>
  rows(
    Object.entries(flags).map(([name, flag]) => [flagText(name, flag), flagAbout(flag)]),
    style,
  );

function overview(commands: readonly Command[], style: HelpStyle): string {
  const codes = Object.keys(exitCodes).filter((name): name is ExitName => Object.hasOwn(exitCodes, name));
  return [
    "cardwright COMMAND [flags]: a merchant's side of a Cardwright platform\n",
    section("Commands", rows(commands.map(commandRow), style), style),
    section("Flags of every command", flagRows(globalFlags, style), style),
    section(
      "Exit codes",
      rows(
        codes.map((name) => [String(exitCodes[name].code), exitCodes[name].means]),
        style,
      ),
      style,
    ),
    "Begin with cardwright init and cardwright login. cardwright help COMMAND tells more of each.\n",
  ].join("\n");
}

/** The left column is not wider than this, whatever one long name in it is. */
const leftColumnsMax = 34;
const textColumnsMin = 24;

/** Two columns, the right one wrapped to the terminal's width. */
function rows(lines: readonly (readonly [string, string])[], { width }: HelpStyle): string {
  const left = Math.min(leftColumnsMax, Math.max(...lines.map(([name]) => name.length))) + 2;
  const indent = 2 + left;
  return lines
    .map(([name, about]) => {
      const wrapped = wrap(about, Math.max(textColumnsMin, width - indent));
      const [first = "", ...others] = name.length + 2 > left ? ["", ...wrapped] : wrapped;
      const head = `  ${name.padEnd(left)}${first}`.trimEnd();
      return [head, ...others.map((line) => `${" ".repeat(indent)}${line}`)].join("\n");
    })
    .map((line) => `${line}\n`)
    .join("");
}

const paragraph = (text: string, { width }: HelpStyle): string =>
  `${wrap(text, Math.max(textColumnsMin, width)).join("\n")}\n`;

/** Breaks at spaces; a longer word stays whole. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
