import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { commands } from "../../packages/cli/src/commands/index.ts";
import { runCli } from "../../packages/cli/src/run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export const bin = fileURLToPath(new URL("../../packages/cli/bin/cardwright.cjs", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Typing {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Below the person's home; it is made when it is not there. */
  readonly folder?: string;
}

/** The command while it runs. */
export interface Started {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Waits, a minute at most, until what it has said on either stream matches. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

/** A person with a home folder of their own, who types `cardwright …`. */
export interface Person {
  readonly home: string;
  /** The command as a process, for what only a process has: signals, pipes, a terminal's colours, an end in the middle. */
  start(words: readonly string[], typing?: Typing): Started;
  /**
   * Types a line and waits for its end. It runs in this process, by the function that the command's own process calls first thing:
   * a hundred starts of Node took half a minute of CPU.
   */
  types(words: readonly string[], typing?: Typing): Promise<Ended>;
  /** The JSON of a line that must work; `--json` is added. */
  reads(words: readonly string[], typing?: Typing): Promise<unknown>;
  /** Ends what still runs: a test that failed half way must not listen on. */
  stops(): void;
  /** The same, and removes the home. */
  leave(): Promise<void>;
}

/** What one start has compiled, the next one uses. */
const caches = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));

const patienceMs = 60_000;
const lookMs = 20;

export async function newPerson(env: Readonly<Record<string, string>> = {}): Promise<Person> {
  const home = await temporaryFolder("cli");
  const place: Place = { home, env, running: new Set() };
  const person: Person = {
    home,
    start: (words, typing = {}) => start(place, words, typing),
    types: async (words, typing = {}) => {
      if (typing.folder !== undefined) await mkdir(join(home, typing.folder), { recursive: true });
      return runHere(place, words, typing);
    },
    reads: async (words, typing) => {
      const { code, stdout, stderr } = await person.types([...words, "--json"], typing);
      if (code !== 0) throw new Error(`cardwright ${words.join(" ")} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    stops: () => {
      for (const stop of place.running) stop();
    },
    leave: async () => {
      person.stops();
      await rm(home, { recursive: true, force: true });
    },
  };
  return person;
}

interface Place {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** How each of them is ended by force. */
  readonly running: Set<() => void>;
}

/** Nothing of the test run's own environment: its colours, its proxies, its time zone. */
const environmentIn = ({ home, env }: Place, typing: Typing): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  XDG_CACHE_HOME: caches,
  TZ: "UTC",
  ...env,
  ...typing.env,
});

async function runHere(place: Place, words: readonly string[], typing: Typing): Promise<Ended> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  place.running.add(stop);
  let stdout = "";
  let stderr = "";
  try {
    const code = await runCli(commands, {
      words,
      env: environmentIn(place, typing),
      folder: join(place.home, typing.folder ?? ""),
      stdin: Readable.from([Buffer.from(typing.stdin ?? "")], { objectMode: false }),
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      signal: stopped.signal,
      version: "of a test",
    });
    return { code, stdout, stderr };
  } finally {
    place.running.delete(stop);
  }
}

function start(place: Place, words: readonly string[], typing: Typing): Started {
  const child = spawn(process.execPath, [bin, ...words], {
    cwd: join(place.home, typing.folder ?? ""),
    env: environmentIn(place, typing),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stop = (): void => void child.kill("SIGKILL");
  place.running.add(stop);
  let stdout = "";
  let stderr = "";
  let over = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // It may end without having read its stdin.
  child.stdin.on("error", () => {});
  child.stdin.end(typing.stdin ?? "");
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      over = true;
      place.running.delete(stop);
      resolve({ code, stdout, stderr });
    });
  });
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    said: async (pattern) => {
      for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs; ) {
        const found = pattern.exec(`${stdout}\n${stderr}`);
        if (found !== null) return found;
        if (over) break;
        await sleep(lookMs);
      }
      throw new Error(`it never said ${pattern.source}, but:\n${stdout}\n${stderr}`);
    },
  };
}

/** The value at a place of something that was read as JSON; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined),
    value,
  );
}

/** The text at a place; throws where there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== "string") throw new Error(`no text at ${path.join(".")} of ${JSON.stringify(value)}`);
  return found;
}
