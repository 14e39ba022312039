import type { EndpointId } from "@cardwright/contract";
import type { ExitName } from "../exit-codes.ts";
import type { Context } from "./context.ts";

/** On or off. */
export interface Switch {
  readonly kind: "switch";
  readonly about: string;
  readonly short?: string;
}

export interface TextFlag {
  readonly kind: "text";
  /** What stands for the value in help: `NO`, `URL`. */
  readonly value: string;
  readonly about: string;
  readonly short?: string;
  /** The only values that are taken. */
  readonly oneOf?: readonly string[];
  readonly fallback?: string;
  readonly required?: true;
}

/** May be given several times. */
export interface ListFlag {
  readonly kind: "list";
  readonly value: string;
  readonly about: string;
  readonly short?: string;
  readonly oneOf?: readonly string[];
}

/** A whole number. */
export interface CountFlag {
  readonly kind: "count";
  readonly value: string;
  readonly about: string;
  readonly short?: string;
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
  readonly required?: true;
}

export type Flag = Switch | TextFlag | ListFlag | CountFlag;
export type Flags = Readonly<Record<string, Flag>>;

/** A word without a dash. The key in a command's table is its name in help, in capitals. */
export interface Argument {
  readonly about: string;
  readonly optional?: true;
  /** Takes all words that are left; stands last. */
  readonly many?: true;
  readonly oneOf?: readonly string[];
}
export type Arguments = Readonly<Record<string, Argument>>;

type TextOf<F> = F extends { readonly oneOf: readonly (infer One)[] } ? One : string;
type Given<F, Value> = F extends { readonly required: true } | { readonly fallback: string | number }
  ? Value
  : Value | undefined;

export type FlagValue<F extends Flag> = F extends Switch
  ? boolean
  : F extends ListFlag
    ? readonly TextOf<F>[]
    : F extends CountFlag
      ? Given<F, number>
      : F extends TextFlag
        ? Given<F, TextOf<F>>
        : never;

export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: FlagValue<F[Name]> };

export type ArgumentValues<A extends Arguments> = {
  readonly [Name in keyof A]: A[Name] extends { readonly many: true }
    ? readonly TextOf<A[Name]>[]
    : A[Name] extends { readonly optional: true }
      ? TextOf<A[Name]> | undefined
      : TextOf<A[Name]>;
};

/** What a command works with: the words it was given, and the world. */
export interface Call<A extends Arguments, F extends Flags> {
  readonly args: ArgumentValues<A>;
  readonly flags: FlagValues<F>;
  readonly context: Context;
}

export type FlagGiven = string | number | boolean | readonly string[] | undefined;

/** The same for whoever does not know which command it is: the parser, which has read the words by the command's own table. */
export interface LooseCall {
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly flags: Readonly<Record<string, FlagGiven>>;
  readonly context: Context;
}

/** How a command ended; nothing is "ok". */
export type Ended = Promise<ExitName | undefined>;

interface Described {
  /** The words that call it: `cards freeze`. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Sentences below it. */
  readonly more?: string;
  /** Each without the leading `cardwright`. */
  readonly examples: readonly [string, ...string[]];
  /** The endpoint of the Open API that it calls. */
  readonly endpoint?: EndpointId;
}

interface Definition<A extends Arguments, F extends Flags> extends Described {
  readonly args?: A;
  readonly flags?: F;
  run(call: Call<A, F>): Ended;
}

/** A command of the table, from which parsing, help, completion and the reference are made. */
export interface Command extends Described {
  readonly args: Arguments;
  readonly flags: Flags;
  run(call: LooseCall): Ended;
}

/** Of a command that takes none. */
type None = Readonly<Record<string, never>>;

/** Gives `run` the types of the flags and arguments that the definition lists. */
export function command<const A extends Arguments = None, const F extends Flags = None>(
  definition: Definition<A, F>,
): Command {
  return { args: {}, flags: {}, ...definition };
}
