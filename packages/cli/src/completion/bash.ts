import type { Command } from "../command/command.ts";
import { type CompletionFlag, completionCommands, firstWords, globalCompletionFlags } from "./words.ts";

/** A script for `eval` or bash-completion's folder. It knows all words itself, so that the Tab key costs no start of Node. */
export function bashScript(commands: readonly Command[]): string {
  const first = firstWords(commands);
  const groups = first
    .filter(({ followers }) => followers.length > 0)
    .map(({ word, followers }) => `    ${word}) words="${followers.map((each) => each.word).join(" ")}" ;;`);
  const ownWords = completionCommands(commands).map(({ name, flags, words }) => {
    const own = [...flags.map((flag) => flag.name), ...words].join(" ");
    return `    "${name}") words="${own}" ;;`;
  });
  return `# cardwright completion bash
_cardwright() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local globals="${globalCompletionFlags.map(({ name }) => name).join(" ")}"
  local first="" second="" words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      ${globalsWithValue()}) ((at++)) ;;
      -*) ;;
      *) if [[ -z $first ]]; then first="\${COMP_WORDS[at]}"; elif [[ -z $second ]]; then second="\${COMP_WORDS[at]}"; fi ;;
    esac
  done
  case "$first $second $before" in
${valueCases(commands).join("\n")}
  esac
  if [[ -z $first ]]; then
    COMPREPLY=($(compgen -W "${first.map(({ word }) => word).join(" ")} help --version $globals" -- "$word"))
    return
  fi
  if [[ $first == help ]]; then
    first="$second"
    second=""
    [[ -n $first ]] || words="${first.map(({ word }) => word).join(" ")}"
  fi
  if [[ -z $second ]]; then
    case "$first" in
${groups.join("\n")}
    esac
  fi
  if [[ -z $words ]]; then
    case "$first $second" in
${ownWords.flatMap((line, place) => withBoth(line, commands[place]?.name ?? "")).join("\n")}
    esac
    words="$words $globals"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _cardwright cardwright
`;
}

/** A command of one word is also meant when an argument follows it. */
const withBoth = (line: string, name: string): readonly string[] =>
  name.includes(" ") ? [line] : [line.replace(`"${name}")`, `"${name} "*)`)];

const globalsWithValue = (): string =>
  globalCompletionFlags
    .filter(({ values }) => values !== null)
    .map(({ name }) => name)
    .join(" | ");

/** What follows a flag that takes a value. An empty answer lets bash offer files. */
function valueCases(commands: readonly Command[]): string[] {
  const line = (pattern: string, { values }: CompletionFlag): string =>
    `    ${pattern}) COMPREPLY=($(compgen -W "${(values ?? []).join(" ")}" -- "$word")); return ;;`;
  const takesValue = ({ values }: CompletionFlag): boolean => values !== null;
  return [
    ...completionCommands(commands).flatMap(({ name, flags }) =>
      flags.filter(takesValue).map((flag) => line(`"${name} "*${flag.name}`, flag)),
    ),
    ...globalCompletionFlags.filter(takesValue).map((flag) => line(`*" "${flag.name}`, flag)),
  ];
}
