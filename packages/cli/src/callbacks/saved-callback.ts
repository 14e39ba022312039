import { wrongUsage } from "../exit-codes.ts";
import type { ReceivedCallback } from "./signatures.ts";

/**
 * A callback out of a file: an HTTP message (a request line if any, headers, an empty line, the body), or JSON
 * `{"headers":{…},"body":"…"}` as `listen --save` writes it.
 */
export function savedCallback(text: string, where: string): ReceivedCallback {
  return text.trimStart().startsWith("{") ? fromJson(text, where) : fromMessage(text, where);
}

function fromJson(text: string, where: string): ReceivedCallback {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrongUsage(`${where} is not JSON.`, forms);
  }
  const { headers, body }: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  if (typeof headers !== "object" || headers === null || typeof body !== "string") {
    throw wrongUsage(`${where} has the body alone: its headers are needed too.`, forms);
  }
  return { headers: lowerCased(Object.entries(headers).map(([name, given]) => [name, String(given)])), body };
}

const forms =
  "Give an HTTP message, or JSON with headers and body, or --headers FILE --body FILE. cardwright verify --help shows examples.";

function fromMessage(text: string, where: string): ReceivedCallback {
  const end = /\r?\n\r?\n/u.exec(text);
  if (end === null) {
    throw wrongUsage(`${where} has no empty line between headers and body.`, forms);
  }
  return { headers: headerLines(text.slice(0, end.index), where), body: text.slice(end.index + end[0].length) };
}

/** `Name: value` lines; a request line before them is passed over. */
export function headerLines(text: string, where: string): Readonly<Record<string, string>> {
  const lines = text
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== "" && !/^[A-Z]+ \S+ HTTP\/[\d.]+$/u.test(line.trim()));
  return lowerCased(
    lines.map((line) => {
      // What curl -v and tcpdump put in front.
      const found = /^(?:[<>*] )?(?<name>[\w-]+)\s*:\s*(?<value>.*)$/u.exec(line.trim())?.groups;
      if (found === undefined)
        throw wrongUsage(`${where} has a line that is no header: "${line.trim().slice(0, 60)}".`, forms);
      return [found["name"] ?? "", found["value"] ?? ""];
    }),
  );
}

const lowerCased = (entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
