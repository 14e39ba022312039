import { endpoints } from "@cardwright/contract";
import { expect, test } from "vitest";
import { commands } from "../commands/index.ts";
import { exitCodes } from "../exit-codes.ts";
import { globalFlags } from "./global-flags.ts";
import { helpText } from "./help.ts";
import { parseWords, wishOf } from "./parse.ts";

const style = { colour: false, width: 100 };

/** Words of an example as a shell would cut them; redirections are the shell's own. */
function wordsOf(example: string): string[] {
  const [typed = ""] = example.split(/ (?:<|>|>>) /u);
  return [...typed.matchAll(/"([^"]*)"|(\S+)/gu)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** The command that an example calls; throws when it does not take the example's words. */
function commandTakenFrom(example: string): string {
  const wish = wishOf(commands, wordsOf(example));
  if (wish.kind !== "command") return "";
  return parseWords(wish.command, wish.rest).command.name;
}

test("every endpoint of the Open API has a command", () => {
  const covered = new Set(commands.map(({ endpoint }) => endpoint));
  expect(endpoints.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
});

test.each(commands.map((command) => [command.name, command] as const))(
  "%s has examples that it takes, and help that names each of its flags",
  (name, command) => {
    for (const example of command.examples) {
      expect(commandTakenFrom(example)).toBe(name);
    }
    const help = helpText(commands, name.split(" "), style);
    for (const flag of Object.keys({ ...command.flags, ...globalFlags })) expect(help).toContain(`--${flag}`);
    expect(help).toContain(`cardwright ${command.examples[0]}`);
    expect(help.split("\n").filter((line) => line.length > style.width && !line.startsWith("  cardwright "))).toEqual(
      [],
    );
  },
);

test("names, flags and short flags are never taken twice", () => {
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
  for (const { flags } of commands) {
    const shorts = Object.values({ ...globalFlags, ...flags }).flatMap((flag) => ("short" in flag ? [flag.short] : []));
    expect(new Set(shorts).size).toBe(shorts.length);
    expect(Object.keys(flags).filter((name) => Object.hasOwn(globalFlags, name))).toEqual([]);
  }
});

test("the overview lists every command and every exit code", () => {
  const overview = helpText(commands, [], style);
  for (const { name } of commands) expect(overview).toContain(`  ${name}`);
  for (const { code } of Object.values(exitCodes)) expect(overview).toMatch(new RegExp(`^ {2}${code} `, "mu"));
});
