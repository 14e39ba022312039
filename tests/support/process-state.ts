import type { EventEmitter } from "node:events";

/** What test files of one worker share besides its modules, and could change for each other. */
export interface ProcessState {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly listeners: ReadonlyMap<string, ReadonlySet<unknown>>;
}

/** A listener that stays would keep a signal from another file's test, or an error from the test runner. */
const sharedEvents = ["SIGINT", "SIGTERM", "SIGHUP", "uncaughtException", "unhandledRejection"] as const;

const worker: EventEmitter = process;

export function processState(): ProcessState {
  return {
    environment: { ...process.env },
    folder: process.cwd(),
    listeners: new Map(sharedEvents.map((event) => [event, new Set(process.rawListeners(event))])),
  };
}

/** Puts the process back as it was; answers what was not so any more, without values, which may be secrets. */
export function putBack(before: ProcessState): readonly string[] {
  return [...putBackEnvironment(before), ...putBackFolder(before), ...putBackListeners(before)];
}

function putBackEnvironment({ environment }: ProcessState): readonly string[] {
  const names = new Set([...Object.keys(environment), ...Object.keys(process.env)]);
  const changed = [...names].filter((name) => process.env[name] !== environment[name]);
  for (const name of changed) {
    const value = environment[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  return changed.map((name) => `the environment variable ${name}`);
}

function putBackFolder({ folder }: ProcessState): readonly string[] {
  if (process.cwd() === folder) return [];
  process.chdir(folder);
  return ["the working directory"];
}

function putBackListeners({ listeners }: ProcessState): readonly string[] {
  const changed = sharedEvents.filter((event) => {
    const isAdded = (listener: unknown): listener is () => void => listeners.get(event)?.has(listener) !== true;
    const added = process.rawListeners(event).filter(isAdded);
    for (const listener of added) worker.off(event, listener);
    return added.length > 0;
  });
  return changed.map((event) => `the listeners of ${event}`);
}
