import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const clone = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of a document. */
export interface FencedBlock {
  /** What stands behind the opening fence: `sh`, `json`, `text`. */
  readonly language: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** The fenced blocks of a Markdown text, in order. */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = [];
  for (const match of markdown.matchAll(/^```(?<language>[a-z]*)\n(?<text>[\s\S]*?)^```$/gmu)) {
    const { language = "", text = "" } = match.groups ?? {};
    blocks.push({ language, text, line: markdown.slice(0, match.index).split("\n").length + 1 });
  }
  return blocks;
}

export interface Document {
  /** From the root of the clone. */
  readonly path: string;
  readonly text: string;
}

const folders = ["docs", "examples", "packages", "bench", "scripts", "tests", "apps"];

/** Every Markdown file of the repository. */
export function documents(): readonly Document[] {
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(clone, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
      .map((entry) => relative(clone, join(entry.parentPath, entry.name))),
  );
  return [...readdirSync(clone), ...inFolders]
    .filter((path) => path.endsWith(".md"))
    .map((path) => ({ path, text: readFileSync(join(clone, path), "utf8") }));
}

export function document(path: string): string {
  return readFileSync(join(clone, path), "utf8");
}
