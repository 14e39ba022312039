import { expect, test } from "vitest";
import { commands } from "../commands/index.ts";
import { CommandFailed } from "../exit-codes.ts";
import { parseWords, wishOf } from "./parse.ts";
import { editDistance, nearest } from "./suggest.ts";

function parsed(line: string) {
  const wish = wishOf(commands, line === "" ? [] : line.split(" "));
  if (wish.kind !== "command") return wish;
  const { command, args, flags } = parseWords(wish.command, wish.rest);
  return { name: command.name, args, flags };
}

function complaint(line: string): string {
  try {
    parsed(line);
  } catch (error) {
    if (error instanceof CommandFailed && error.exit === "usage") return error.message;
    throw error;
  }
  return "taken";
}

test("flags of every command may stand before its name, and values are no names", () => {
  for (const line of [
    "--profile cards --json cards show C1",
    "cards show C1 --json --profile=cards",
    "cards --json show --profile cards C1",
  ]) {
    expect(parsed(line)).toMatchObject({
      name: "cards show",
      args: { card_no: "C1" },
      flags: { profile: "cards", json: true },
    });
  }
});

test("what is absent has the value that help promises, or none", () => {
  expect(parsed("cards list")).toMatchObject({ flags: { limit: 50, all: false, timeout: 30, language: "en_US" } });
  expect(parsed("cards list")).toMatchObject({ flags: { since: undefined, cardholder: undefined } });
  expect(parsed("events resend a b")).toMatchObject({ args: { callback_id: ["a", "b"] } });
  expect(parsed("events resend --missed")).toMatchObject({ args: { callback_id: [] } });
  expect(parsed("certify http://a --card C --skip a.b --skip c.d")).toMatchObject({
    flags: { skip: ["a.b", "c.d"], only: [] },
  });
});

test("help and version are found wherever they stand", () => {
  expect(parsed("")).toEqual({ kind: "help", words: [] });
  expect(parsed("--version")).toEqual({ kind: "version" });
  expect(parsed("help cards list")).toEqual({ kind: "help", words: ["cards", "list"] });
  expect(parsed("cards list --limit 3 -h")).toEqual({ kind: "help", words: ["cards", "list"] });
  expect(parsed("cards --help")).toEqual({ kind: "help", words: ["cards"] });
});

test.each([
  ["card list", "There is no command card. Did you mean cards?"],
  ["cards lsit", "There is no command cards lsit. Did you mean cards list?"],
  ["lisen", "There is no command lisen. Did you mean listen?"],
  ["frobnicate", "There is no command frobnicate."],
  [
    "cards",
    "cards needs another word: apply, list, show, private, activate, freeze, unfreeze, delete, set-pin, client-token.",
  ],
  ["cards list --cardholdr U1", "cards list has no flag --cardholdr. Did you mean --cardholder?"],
  ["cards list --zzzzzz", "cards list has no flag --zzzzzz."],
  ["cards list C1", 'cards list does not take "C1".'],
  ["cards show", "cards show needs CARD_NO: number of the card (C…), not the one that is printed on it."],
  ["cards apply --unique-no 1", "cards apply needs --cardholder CARDHOLDER_NO: whose card it is."],
  ["cards list --limit ten", '--limit takes a whole number from 1 to 100000, not "ten".'],
  ["cards list --limit 0", '--limit takes a whole number from 1 to 100000, not "0".'],
  ["cards list --limit=", '--limit takes a whole number from 1 to 100000, not "".'],
  ["completion bsh", 'SHELL takes bash, zsh, fish, not "bsh". Did you mean bash?'],
  ["events list --state open", '--state takes Open, Delivered, Given_up, not "open". Did you mean Open?'],
  ["cards show --timeout 601 C1", '--timeout takes a whole number from 1 to 600, not "601".'],
])("%s is wrong usage and the sentence says what is wrong", (line, sentence) => {
  expect(complaint(line)).toBe(sentence);
});

test("a flag that takes a value never swallows the next flag", () => {
  expect(complaint("cards list --cardholder --json")).toContain("--cardholder");
  expect(complaint("cards list --json=yes")).toContain("--json");
});

test("a typing mistake is found, another word is not taken for one", () => {
  expect(editDistance("lsit", "list")).toBe(1);
  expect(editDistance("", "list")).toBe(4);
  expect(nearest("freze", ["freeze", "unfreeze"])).toBe("freeze");
  expect(nearest("purchase", ["cards", "listen"])).toBeNull();
});
