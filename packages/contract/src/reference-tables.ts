/** docs/reference/errors.md and declines.md, made from the registries, so that a code cannot miss its line. */
import { API_PREFIX } from "./constants.ts";
import { type Remark, remarkList } from "./declines.ts";
import { DEVELOPER_PREFIX, developerEndpoints } from "./developer.ts";
import { type EndpointDefinition, endpoints, errorsOf } from "./endpoints.ts";
import { type ErrorName, errorList } from "./errors.ts";

/** What these tell of is not built yet: nothing in the platform answers them so far. */
const errorsNotAnsweredYet: ReadonlySet<ErrorName> = new Set([
  "client_token_invalid",
  "parent_origin_not_allowed",
  "request_origin_mismatch",
  "nonce_replayed",
  "sec_fetch_failed",
]);
const remarksNotGivenYet: ReadonlySet<Remark> = new Set(["pin_mismatch", "pin_tries_exceeded", "reversed"]);

const generatedNote = "<!-- Made by npm run generate from packages/contract: change that, not this file. -->";

/** The text of docs/reference/errors.md; the same source gives the same text (contract section 5). */
export function generateErrorsPage(): string {
  const rows = errorList.map(({ name, code, en, zh, explanation, remedy }) => [
    String(code),
    en,
    zh,
    explanation,
    remedy,
    endpointsThatAnswer(name),
  ]);
  return page(
    "Error codes",
    [
      "What `code` of an answer can be besides 0, with `msg` in English and, after `Language: zh_CN`, in Chinese. For an error in",
      "one field, `msg` begins with the field's name: `city only supports English input`. The HTTP status is 200 whenever an",
      "endpoint answered; 404, 405, 413 and 415 carry 1004, and 503 carries 1001. Endpoints that begin with `developer/` are those of",
      "the [developer API](developer-api.md).",
    ],
    table(["code", "msg", "msg (zh_CN)", "what happened", "what to do", "endpoints"], rows),
  );
}

/** The text of docs/reference/declines.md; the same source gives the same text (contract section 9, Declines). */
export function generateDeclinesPage(): string {
  const rows = remarkList.map(({ remark, responseCode, en, zh, explanation }) => [
    `\`${remark}\``,
    responseCode ?? "",
    en,
    zh,
    remarksNotGivenYet.has(remark) ? `Not given yet. ${explanation}` : explanation,
  ]);
  return page(
    "Decline reasons",
    [
      "What `remark` of a consumption can be besides the empty text, with the sentence in `detail`. The response code is field 39",
      "of the answer to the card network (ISO 8583); for `merchant_declined` it is the code of the merchant's own `reason` where that",
      "is a known one. The platform sends `detail` in English; the Chinese sentence is for your own pages.",
    ],
    table(["remark", "response code", "detail", "detail in Chinese", "when"], rows),
  );
}

function endpointsThatAnswer(name: ErrorName): string {
  if (errorsNotAnsweredYet.has(name)) {
    return "the card frame, not built yet";
  }
  const all = [...endpoints, ...developerEndpoints];
  const answering = all.filter((endpoint) => errorsOf(endpoint).includes(name));
  const others = all.filter((endpoint) => !errorsOf(endpoint).includes(name));
  if (others.length === 0) {
    return "all";
  }
  return others.length < answering.length ? `all but ${listOf(others)}` : listOf(answering);
}

function listOf(some: readonly EndpointDefinition[]): string {
  return some.map(pathOf).join(", ");
}

/** Below the API's prefix, that of the developer API as `developer/`, with `{name}` for a path parameter. */
function pathOf({ path }: EndpointDefinition): string {
  const below = path.replace(`${API_PREFIX}/`, "").replace(`${DEVELOPER_PREFIX}/`, "developer/");
  const short = below.replaceAll(/:([a-z_]+)/gu, "{$1}");
  return `\`${short}\``;
}

function page(title: string, introduction: readonly string[], content: string): string {
  return `# ${title}\n\n${generatedNote}\n\n${introduction.join("\n")}\n\n${content}\n`;
}

/** Columns of equal width, as the formatter of the repository wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(cell));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((cells) => widthOf(cells[column] ?? ""))));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => padded(cells[column] ?? "", width)).join(" | ")} |`;
  const [first = [], ...others] = lines;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n");
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function padded(text: string, width: number): string {
  return text + " ".repeat(width - widthOf(text));
}

/** Chinese characters and their punctuation are twice as wide as Latin ones. */
const wide = /[\p{Script=Han}\u3000-\u303f\uff01-\uff60]/gu;

function widthOf(text: string): number {
  return text.length + (text.match(wide)?.length ?? 0);
}
