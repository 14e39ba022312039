import { styleText } from "node:util";
import { CommandFailed, type ExitName, exitCodes } from "./exit-codes.ts";
import type { Stream } from "./output/output.ts";
import { onOneLine } from "./output/width.ts";

/** How a command failed, ready to be told. */
export interface Failure {
  readonly exit: ExitName;
  /** "" when there is nothing to say: Ctrl-C. */
  readonly message: string;
  readonly hint: string;
  readonly code: string;
  readonly field: string;
}

/** What a person is told of an error. Only a fault of this command shows a stack. */
export async function failureOf(error: unknown, { interrupted }: { readonly interrupted: boolean }): Promise<Failure> {
  if (error instanceof CommandFailed) {
    const { exit, message, hint, code, field } = error;
    return { exit, message, hint, code, field };
  }
  if (interrupted) {
    return failure("interrupted", "");
  }
  const { ApiError, CardwrightError, ConnectionError } = await import("@cardwright/sdk");
  if (error instanceof ApiError) {
    return refusalOf(error);
  }
  if (error instanceof ConnectionError) {
    return failure("unreachable", `${error.message}.`, {
      hint: "Is the platform running? --base-url, CARDWRIGHT_BASE_URL or cardwright.json say where it is.",
    });
  }
  if (error instanceof CardwrightError) {
    return failure("refused", `${error.message}.`);
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failure("bug", `Unexpected: ${stack}`);
}

const failure = (exit: ExitName, message: string, more: Partial<Failure> = {}): Failure => ({
  hint: "",
  code: "",
  field: "",
  ...more,
  exit,
  message,
});

interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly field: string;
  readonly msg: string;
  readonly httpStatus: number;
  readonly call: string;
}

async function refusalOf(refusal: Refusal): Promise<Failure> {
  const { code, reason, field, msg, httpStatus } = refusal;
  const shownCode = code === 0 ? reason : String(code);
  const named = field !== "" && !msg.startsWith(field) ? ` (${field})` : "";
  const { AuthenticationError, NotFoundError } = await import("@cardwright/sdk");
  const exit =
    httpStatus >= 500
      ? "unreachable"
      : refusal instanceof AuthenticationError
        ? "notLoggedIn"
        : refusal instanceof NotFoundError
          ? "notFound"
          : "refused";
  return failure(exit, `${shownCode} ${onOneLine(msg)}${named}`, {
    hint: await remedyOf(refusal),
    code: shownCode,
    field,
  });
}

/** What the contract says is to be done. */
async function remedyOf({ code, httpStatus, call }: Refusal): Promise<string> {
  const { errorByCode } = await import("@cardwright/contract");
  const known = errorByCode(code);
  if (httpStatus === 404 && code !== 0) {
    return `This platform does not know ${call}: is it as new as this command, and a sandbox where that is needed?`;
  }
  return known === undefined ? "" : known.remedy.replaceAll("`", "");
}

/** To stderr: in words, or as one line of JSON for whoever asked for JSON. */
export function reportFailure(
  { exit, message, hint, code, field }: Failure,
  to: { readonly stderr: Stream; readonly json: boolean; readonly colour: boolean },
): void {
  if (message === "") return;
  if (to.json) {
    to.stderr.write(`${JSON.stringify({ error: { code, field, message, hint, exit_code: exitCodes[exit].code } })}\n`);
    return;
  }
  const head = to.colour ? styleText("red", "error:", { validateStream: false }) : "error:";
  to.stderr.write(`${head} ${message}\n${hint === "" ? "" : `${hint}\n`}`);
}
