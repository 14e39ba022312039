import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ListenAnswer, Listening, ListenRequest } from "@cardwright/sdk";
import { type Heard, heardLine, heardObject } from "../callbacks/callback-line.ts";
import { type Forwarded, forward } from "../callbacks/forward.ts";
import { checkSignatures } from "../callbacks/signatures.ts";
import { command } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { type Session, sessionWith } from "../config/session.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";

/** Between two tries to be connected again: at first at once, then longer, since whoever restarts a platform needs a while. */
const backOffMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
/** A signature that is older than the platform allows any receiver. */
const toleranceMs = 300_000;

interface ListenFlags {
  readonly "forward-to": string | undefined;
  readonly "print-only": boolean;
  readonly save: string | undefined;
}

export const listenCommand = command({
  name: "listen",
  summary: "Receive the sandbox's callbacks for your merchant and forward them to a server on this machine",
  more: "Headers and body are forwarded unchanged, and what your server answers goes back to the platform, also for Auth. Ctrl-C ends it and puts your callback URL back.",
  examples: [
    "listen --forward-to http://localhost:3000/hook",
    "listen --print-only",
    "listen --forward-to http://localhost:3000/hook --save ./callbacks --json",
  ],
  flags: {
    "forward-to": { kind: "text", value: "URL", about: "your server; its answer goes back" },
    "print-only": {
      kind: "switch",
      about: "forward nothing: print headers and body, and answer that all is well, also to Auth",
    },
    save: { kind: "text", value: "FOLDER", about: "keep each callback in a file that cardwright verify reads" },
  },
  run: async ({ flags, context }) => {
    const target = targetOf(flags);
    const session = await steadySession(context);
    if (flags.save !== undefined) await mkdir(resolve(context.folder, flags.save), { recursive: true });
    if (session.settings.apiSecret === "" && session.settings.webhookSecrets.length === 0) {
      context.out.warn("signatures are not checked: there is neither an apiSecret nor a webhook secret");
    }
    const contact = await listenUntilInterrupted(context, {
      session,
      handle: (request) => answerOne(context, { session, request, flags, target }),
    });
    context.out.note(lastWords[contact]);
    // Ctrl-C is how this is meant to end.
    return undefined;
  },
});

/** null: print only. */
function targetOf(flags: ListenFlags): string | null {
  const target = flags["forward-to"];
  if ((target === undefined) === !flags["print-only"]) {
    throw wrongUsage("listen needs --forward-to URL or --print-only, one of the two.");
  }
  if (target === undefined) return null;
  const text = /^\d{1,5}$/u.test(target) ? `http://localhost:${target}/` : target;
  if (!URL.canParse(text) || !/^https?:$/u.test(new URL(text).protocol)) {
    throw wrongUsage(`--forward-to takes a URL such as http://localhost:3000/hook, not "${target}".`);
  }
  return text;
}

/** Ctrl-C must not end the very call that puts the URL back. */
async function steadySession(context: Context): Promise<Session> {
  const { settings } = await context.session();
  return sessionWith({ ...context, signal: new AbortController().signal }, settings);
}

interface Listen {
  readonly session: Session;
  readonly handle: (request: ListenRequest) => Promise<ListenAnswer>;
}

/** How it was with the platform when Ctrl-C came. */
type Contact = "never" | "good" | "lost";

const lastWords: Readonly<Record<Contact, string>> = {
  never: "Ended; your callback URL was not changed.",
  good: "Ended; your callback URL is what it was before.",
  lost: "Ended; the platform puts your callback URL back by itself, when nobody has listened for 30 s.",
};

async function listenUntilInterrupted(context: Context, { session, handle }: Listen): Promise<Contact> {
  const { out, signal } = context;
  const { CardwrightError } = await import("@cardwright/sdk");
  const tries = { inVain: 0 };
  const contact: { is: Contact } = { is: "never" };
  while (!signal.aborted) {
    try {
      await session.client.sandbox.listen({
        handle,
        signal,
        onListening: (listening) => {
          tries.inVain = 0;
          contact.is = "good";
          greet(context, { session, listening });
        },
        onError: (error) => out.warn(error instanceof Error ? error.message : String(error)),
        onLost: (error) => {
          contact.is = "lost";
          out.warn(`the platform cannot be reached (${error.message}); trying again until it can`);
        },
        onReopened: () => {
          contact.is = "good";
          out.note("The platform is back; callbacks come here again.");
        },
      });
    } catch (error) {
      if (contact.is === "good") contact.is = "lost";
      if (signal.aborted) break;
      if (
        !(error instanceof CardwrightError) ||
        !(await mayComeBack(error, { session, everHeard: tries.inVain === 0 }))
      ) {
        throw error;
      }
      const waitMs = backOffMs[Math.min(tries.inVain, backOffMs.length - 1)] ?? 0;
      tries.inVain += 1;
      out.warn(`${error.message}; trying again in ${waitMs / 1_000} s`);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
  return contact.is;
}

/** A platform that is away comes back; credentials that are refused do not become good, and another listener stays. */
async function mayComeBack(
  error: unknown,
  { session, everHeard }: { readonly session: Session; readonly everHeard: boolean },
): Promise<boolean> {
  const { ApiError, NotFoundError } = await import("@cardwright/sdk");
  if (!(error instanceof ApiError) || error.httpStatus >= 500) return true;
  if (!(error instanceof NotFoundError) || !everHeard || error.reason !== "listen_unknown") return false;
  const present = await callbackUrlNow(session);
  if (URL.canParse(present) && new URL(present).pathname.includes("/relay/")) {
    throw new CommandFailed("refused", "Somebody else listens to this merchant's callbacks now.");
  }
  return true;
}

/** "" when the platform is away again. */
async function callbackUrlNow({ client }: Session): Promise<string> {
  const { ConnectionError } = await import("@cardwright/sdk");
  try {
    const { callback_url: url } = await client.developer.merchant();
    return url;
  } catch (error) {
    if (error instanceof ConnectionError) return "";
    throw error;
  }
}

function greet(
  { out }: Context,
  { session, listening }: { readonly session: Session; readonly listening: Listening },
): void {
  const before = listening.previous_callback_url;
  out.note(
    `Listening at ${session.settings.baseUrl}. Callbacks come here ${before === "" ? "now" : `instead of ${before}`}, within 5 s. Ctrl-C ends it.`,
  );
}

async function answerOne(
  context: Context,
  {
    session,
    request,
    flags,
    target,
  }: {
    readonly session: Session;
    readonly request: ListenRequest;
    readonly flags: ListenFlags;
    readonly target: string | null;
  },
): Promise<ListenAnswer> {
  const { out } = context;
  const atMs = Date.now();
  const callback = { headers: request.headers, body: request.body };
  const findings = checkSignatures(callback, {
    keys: session.settings,
    // What checks a signature must not wait for a clock; the machines of a sandbox are near.
    time: { nowMs: atMs, toleranceMs },
  });
  const answer = target === null ? allIsWell : await forward(target, callback);
  const heard: Heard = { atMs, callback, answer, findings };
  if (out.json) {
    out.raw(`${JSON.stringify(heardObject(heard))}\n`);
  } else {
    out.line(heardLine(out, heard));
    if (target === null) printWhole(context, heard);
  }
  for (const { scheme, ok, why } of findings) {
    if (ok === false) out.warn(`${scheme} signature: ${why}`);
  }
  if (flags.save !== undefined) await save(resolve(context.folder, flags.save), { request, atMs });
  return { status: answer.status, content_type: answer.contentType, body: answer.body };
}

const allIsWell: Forwarded = {
  status: 200,
  contentType: "application/json",
  body: '{"code":0,"message":""}',
  tookMs: 0,
  problem: "",
};

function printWhole({ out }: Context, { callback }: Heard): void {
  for (const [name, value] of Object.entries(callback.headers)) out.line(`    ${out.paint("dim", name)}: ${value}`);
  out.line(`    ${callback.body}`);
}

/** One file for each, in the order of their coming. */
async function save(
  folder: string,
  { request, atMs }: { readonly request: ListenRequest; readonly atMs: number },
): Promise<void> {
  const name = `${new Date(atMs).toISOString().replaceAll(":", "-")}-${request.request_id.slice(0, 8).replaceAll(/\W/gu, "_")}.json`;
  await writeFile(join(folder, name), `${JSON.stringify({ headers: request.headers, body: request.body })}\n`);
}
