import { command } from "../command/command.ts";
import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export const completionCommand = command({
  name: "completion",
  summary: "Print a script that completes commands and flags with the Tab key",
  more: "The words to complete are those behind `cardwright`: where you call it as `npx cardwright`, give it an alias.",
  examples: [
    "completion bash >> ~/.bash_completion",
    'completion zsh > "$HOME/.zsh/_cardwright"',
    "completion fish > ~/.config/fish/completions/cardwright.fish",
  ],
  args: { shell: { about: "the shell that the script is for", oneOf: ["bash", "zsh", "fish"] } },
  run: async ({ args, context }) => {
    context.out.raw(scripts[args.shell](context.commands));
    return undefined;
  },
});
