import { commands } from "../commands/index.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Command, Flags } from "./command.ts";
import { globalFlags } from "./global-flags.ts";
import { argumentText, flagAbout, flagText, usage } from "./help.ts";

const introduction = `# The command line

\`cardwright\` is a merchant's side of the platform: every endpoint of the Open API, callbacks, the sandbox, and a grader for
your own endpoint. In a clone of the repository, after \`npm install\`:

    npx cardwright help
    npm run cardwright -- help

This page is made from the table of commands by \`npm run generate\`; \`cardwright help COMMAND\` says the same.

## Where settings come from

A flag counts first, then the environment, then \`cardwright.json\` of the project (\`cardwright init\` writes it), then what
\`cardwright login\` has kept.

| setting | flag | environment | \`cardwright.json\` |
| --- | --- | --- | --- |
| profile | \`--profile\` | \`CARDWRIGHT_PROFILE\` | the key in \`profiles\`; \`default\` when absent |
| where the platform is | \`--base-url\` | \`CARDWRIGHT_BASE_URL\` | \`base_url\`; \`http://127.0.0.1:4600\` when absent |
| App ID | \`--app-id\` where a command needs it | \`CARDWRIGHT_APP_ID\` | \`app_id\` |
| Api-Key | never | \`CARDWRIGHT_API_KEY\`, or the variable that \`api_key_env\` names | \`api_key\`, only if you asked for it |
| apiSecret | never | \`CARDWRIGHT_API_SECRET\`, or the variable that \`api_secret_env\` names | \`api_secret\`, only if you asked for it |
| webhook secret | never | \`CARDWRIGHT_WEBHOOK_SECRET\`, or the variable that \`webhook_secret_env\` names | \`webhook_secret\`, only if you asked for it |

\`cardwright login\` keeps its file, mode 600, in \`$XDG_CONFIG_HOME/cardwright\`, or \`~/.config/cardwright\`. What it keeps is sent
to the base URL that you logged in to and to no other, whatever a \`cardwright.json\` says. A CVV or PIN is asked for, or comes
from stdin, or from \`CARDWRIGHT_CVV\` and \`CARDWRIGHT_PIN\`.

Results go to stdout, everything else to stderr. \`NO_COLOR\` takes the colours away.
`;

/** docs/reference/cli.md: every command with what it takes, from the table that also parses. */
export function generateCliPage(): string {
  return [
    introduction,
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
    `${[`${summary}.`, ...(more === undefined ? [] : [more]), ...calls].join(" ")}\n`,
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

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return `${[line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}
