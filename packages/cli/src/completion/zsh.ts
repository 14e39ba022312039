import type { Command } from "../command/command.ts";
import { type CompletionFlag, completionCommands, firstWords, globalCompletionFlags } from "./words.ts";

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** In a description of `_describe` and `_arguments` a colon or bracket would end it. */
const described = (text: string): string => text.replaceAll(/[:[\]\\]/gu, " ");

const pair = (word: string, about: string): string => quoted(`${word}:${described(about)}`);

function argument({ name, about, values, isFile }: CompletionFlag): string {
  if (values === null) return quoted(`${name}[${described(about)}]`);
  const action = values.length > 0 ? `(${values.join(" ")})` : isFile ? "_files" : " ";
  return quoted(`${name}=[${described(about)}]:value:${action}`);
}

/** A script for a folder of `fpath`, named `_cardwright`, or for `source`. */
export function zshScript(commands: readonly Command[]): string {
  const first = firstWords(commands);
  const groups = first
    .filter(({ followers }) => followers.length > 0)
    .map(
      ({ word, followers }) =>
        `    ${word}) choices=(${followers.map((each) => pair(each.word, each.about)).join(" ")}); _describe ${word} choices; return ;;`,
    );
  const own = completionCommands(commands).map(({ name, flags, words }) => {
    const rest = words.length > 0 ? quoted(`*:word:(${words.join(" ")})`) : quoted("*: :_files");
    const pattern = name.includes(" ") ? `"${name}"` : `"${name} "*`;
    return `    ${pattern}) _arguments ${[...flags.map(argument), "$globals", rest].join(" ")} ;;`;
  });
  return `#compdef cardwright
# cardwright completion zsh
_cardwright() {
  local -a plain choices globals
  globals=(${globalCompletionFlags.map(argument).join(" ")})
  plain=(\${(@)words[2,CURRENT-1]:#-*})
  if (( \${#plain} == 0 )); then
    choices=(${first.map(({ word, about }) => pair(word, about)).join(" ")})
    _describe command choices
    return
  fi
  if (( \${#plain} == 1 )); then
    case "\${plain[1]}" in
${groups.join("\n")}
    esac
  fi
  case "\${plain[1]} \${plain[2]:-}" in
${own.join("\n")}
  esac
}
if [[ "\${funcstack[1]:-}" == _cardwright ]]; then
  _cardwright "$@"
else
  compdef _cardwright cardwright
fi
`;
}
