import type { Session } from "../config/session.ts";
import type { Ask } from "../input/ask.ts";
import type { Output } from "../output/output.ts";
import type { Command } from "./command.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that every command takes, read. */
export interface GlobalValues {
  readonly profile: string | undefined;
  readonly baseUrl: string | undefined;
  readonly config: string | undefined;
  readonly timezone: string | undefined;
  readonly language: "en_US" | "zh_CN";
  readonly timeoutSeconds: number;
}

/** What a command may touch of the world. */
export interface Context {
  readonly commands: readonly Command[];
  readonly globals: GlobalValues;
  readonly env: Environment;
  /** Paths that a person gives are relative to it. */
  readonly folder: string;
  readonly out: Output;
  readonly ask: Ask;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Who calls where. Fails when there is no Api-Key for it. */
  session(): Promise<Session>;
  /** The same, for what needs the apiSecret too. */
  sessionWithSecret(): Promise<Session>;
  /** A secret that never stands on the command line: from the environment, or asked for, or from stdin. */
  askSecret(question: string, variable: string): Promise<string>;
}
