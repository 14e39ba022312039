/** How the command ends, one number a reason, so that a script can tell them apart. The reference lists them. */
export const exitCodes = {
  ok: { code: 0, means: "it worked" },
  refused: {
    code: 1,
    means: "the platform refused, or a check failed: a wrong signature, a failed scenario, too low a grade",
  },
  usage: { code: 2, means: "wrong usage: an unknown command or flag, a missing value, a broken configuration file" },
  unreachable: { code: 3, means: "no connection, no answer in time, or the platform is not available" },
  notLoggedIn: { code: 4, means: "not logged in, or the platform does not accept the credentials" },
  notFound: { code: 5, means: "what was named does not exist" },
  bug: { code: 70, means: "a fault of this command" },
  interrupted: { code: 130, means: "Ctrl-C" },
} as const;

export type ExitName = keyof typeof exitCodes;

/** Ends a command with a sentence for the person; thrown by commands, caught once in `run.ts`. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly exit: ExitName;
  /** What to do about it; "" when the message says it all. */
  readonly hint: string;
  /** The platform's code; "" when it did not say one. */
  readonly code: string;
  /** The field that the platform complains of, by its name on the wire; "" for none. */
  readonly field: string;

  constructor(
    exit: ExitName,
    message: string,
    about: { readonly hint?: string; readonly code?: string; readonly field?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: about.cause });
    this.exit = exit;
    this.hint = about.hint ?? "";
    this.code = about.code ?? "";
    this.field = about.field ?? "";
  }
}

/** Wrong usage: of this command when one is named, so that its help can be pointed at. */
export const wrongUsage = (message: string, hint = ""): CommandFailed => new CommandFailed("usage", message, { hint });
