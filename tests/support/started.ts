import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, isAlive, type Running } from "./processes.ts";

/** What `npm start` has printed, read as a person does. */
export interface Shown {
  readonly api: string;
  readonly operations: string;
  readonly adminToken: string;
  readonly apiKeys: readonly string[];
  readonly merchantServers: readonly string[];
  readonly text: string;
}

export async function shownBy(start: Running): Promise<Shown> {
  await start.said(/Logs: /u);
  const text = start.stdout();
  const every = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = ""]) => found);
  const one = (pattern: RegExp) => every(pattern)[0] ?? "";
  return {
    api: one(/Reference +(\S+)\/docs/gu),
    operations: one(/Health, metrics +(\S+)\/readyz/gu),
    adminToken: one(/Authorization: Bearer (\S+)/gu),
    apiKeys: every(/^ +Api-Key +(\S+)$/gmu),
    merchantServers: every(/^ +its server +(\S+)\/$/gmu),
    text,
  };
}

/** The embedded database's process, by its own note in the data directory. */
export function postmasterOf(directory: string): number {
  return Number(readFileSync(join(directory, "postgres/postmaster.pid"), "utf8").split("\n")[0]);
}

/** How a start ended, and what it has left running or marked as in use: nothing, when all is well. */
export interface Left {
  readonly code: Ended["code"];
  readonly stderr: string;
  readonly alive: readonly number[];
  readonly marks: readonly string[];
}

export const nothingLeft: Left = { code: 0, stderr: "", alive: [], marks: [] };

export async function leftBy(
  start: Running,
  data: { readonly directory: string; readonly postmaster: number },
): Promise<Left> {
  const { code, stderr } = await start.ended;
  const marks = ["postgres.owner", "database-url", "postgres/postmaster.pid"];
  return {
    code,
    stderr,
    alive: [start.pid, data.postmaster].filter(isAlive),
    marks: marks.filter((mark) => existsSync(join(data.directory, mark))),
  };
}
