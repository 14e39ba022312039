import { commands } from "../commands/index.ts";
import { baseUrlDefault } from "../config/settings.ts";
import { exitCodes } from "../exit-codes.ts";
import { padTo, widthOf } from "../output/width.ts";
import type { Command, Flags } from "./command.ts";
import { globalFlags } from "./global-flags.ts";
import { argumentText, flagAbout, flagText, usage } from "./help.ts";

const opening = `# The command line

<!-- Made by npm run generate from packages/cli: change that, not this file. -->

\`cardwright\` is a merchant's side of the platform: every endpoint of the Open API, callbacks, the sandbox, and a grader for
your own endpoint. In a clone of the repository, after \`npm install\`:

    npx cardwright help
    npm run cardwright -- help

\`cardwright help COMMAND\` says the same as this page.

## Where settings come from

A flag counts first, then the environment, then \`cardwright.json\` of the project (\`cardwright init\` writes it), then what
\`cardwright login\` has kept.
`;

/** Where each setting may be said, in the order in which it counts. */
const settings: readonly (readonly string[])[] = [
  ["profile", "`--profile`", "`CARDWRIGHT_PROFILE`", "the key in `profiles`; `default` when absent"],
  ["where the platform is", "`--base-url`", "`CARDWRIGHT_BASE_URL`", `\`base_url\`; \`${baseUrlDefault}\` when absent`],
  ["App ID", "`--app-id` where it is needed", "`CARDWRIGHT_APP_ID`", "`app_id`"],
  ...(["api_key", "api_secret", "webhook_secret"] as const).map((name) => [
    { api_key: "Api-Key", api_secret: "apiSecret", webhook_secret: "webhook secret" }[name],
    "never",
    `\`CARDWRIGHT_${name.toUpperCase()}\`, or the variable that \`${name}_env\` names`,
    `\`${name}\`, only if you asked for it`,
  ]),
];

const closing = `\`cardwright login\` keeps its file, mode 600, in \`$XDG_CONFIG_HOME/cardwright\`, or \`~/.config/cardwright\`. What it keeps is sent
to the base URL that you logged in to and to no other, whatever a \`cardwright.json\` says. A CVV or PIN is asked for, or comes
from stdin, or from \`CARDWRIGHT_CVV\` and \`CARDWRIGHT_PIN\`.

Results go to stdout, everything else to stderr. \`NO_COLOR\` takes the colours away.
`;

/** docs/reference/cli.md: every command with what it takes, from the table that also parses. */
export function generateCliPage(): string {
  return [
    opening,
    table(["setting", "flag", "environment", "`cardwright.json`"], settings),
    closing,
    "## Exit codes\n",
    table(
      ["code", "when"],
      Object.values(exitCodes).map(({ code, means }) => [String(code), means]),
    ),
    "## Flags of every command\n",
    flagTable(globalFlags),
    "## Commands\n",
    table(
      ["command", "does"],
      commands.map(({ name, summary }) => [`[\`${name}\`](#${name.replaceAll(" ", "-")})`, summary]),
    ),
    ...commands.map(commandText),
  ].join("\n");
}

function commandText(command: Command): string {
  const { name, summary, more, args, flags, examples, endpoint } = command;
  const calls = endpoint === undefined ? [] : [`Calls \`${endpoint}\` of the Open API.`];
  return [
    `### ${name}\n`,
    `${[summary.endsWith("?") ? summary : `${summary}.`, ...(more === undefined ? [] : [more]), ...calls].join(" ")}\n`,
    `    cardwright ${usage(command)}${Object.keys(flags).length === 0 ? "" : " [flags]"}\n`,
    ...(Object.keys(args).length === 0
      ? []
      : [
          table(
            ["argument", "is"],
            Object.entries(args).map(([key, argument]) => [
              `\`${argumentText(key, argument)}\``,
              argument.oneOf === undefined ? argument.about : `${argument.about}: ${argument.oneOf.join(", ")}`,
            ]),
          ),
        ]),
    ...(Object.keys(flags).length === 0 ? [] : [flagTable(flags)]),
    `${examples.map((each) => `    cardwright ${each}`).join("\n")}\n`,
  ].join("\n");
}

const flagTable = (flags: Flags): string =>
  table(
    ["flag", "does"],
    Object.entries(flags).map(([name, flag]) => [`\`${flagText(name, flag)}\``, flagAbout(flag)]),
  );

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows].map((cells) => cells.map(cell));
  const widths = titles.map((_, column) => Math.max(3, ...lines.map((cells) => widthOf(cells[column] ?? ""))));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => padTo(cells[column] ?? "", width)).join(" | ")} |`;
  const [first = [], ...others] = lines;
  return `${[line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n")}\n`;
}
