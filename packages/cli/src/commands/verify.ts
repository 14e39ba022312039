import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { headerLines, savedCallback } from "../callbacks/saved-callback.ts";
import { checkSignatures, type Finding, type ReceivedCallback, trustOf } from "../callbacks/signatures.ts";
import { command } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { readSettings, variables } from "../config/settings.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { fixedDurationMs } from "../input/duration.ts";

/** A callback's body has 64 KB at most. */
const fileBytesMax = 1_048_576;

export const verifyCommand = command({
  name: "verify",
  summary: "Check the signatures of a callback that was saved, and say why one is wrong",
  more: "Asks nobody: it needs your App ID with the apiSecret for V1, and the webhook secret for Standard Webhooks. The age of a saved callback does not count unless you give --max-age.",
  examples: [
    "verify callback.http",
    "verify --headers headers.txt --body body.json --explain",
    "verify - < callback.json",
  ],
  args: { file: { about: "an HTTP message, or JSON with headers and body; - is stdin", optional: true } },
  flags: {
    headers: { kind: "text", value: "FILE", about: "the headers alone, one a line" },
    body: { kind: "text", value: "FILE", about: "the body alone, byte for byte as it came" },
    "app-id": { kind: "text", value: "ID", about: `your App ID (${variables.appId}); of your login when absent` },
    "max-age": { kind: "text", value: "TIME", about: "refuse one that is older, such as 5m" },
    explain: { kind: "switch", about: "show the text under each signature, and what the signature would have to be" },
  },
  run: async ({ args, flags, context }) => {
    const { out } = context;
    const callback = await callbackFrom(context, { file: args.file, ...flags });
    const settings = await readSettings(context);
    const findings = checkSignatures(callback, {
      keys: { ...settings, appId: flags["app-id"] ?? settings.appId },
      time:
        flags["max-age"] === undefined ? null : { nowMs: Date.now(), toleranceMs: fixedDurationMs(flags["max-age"]) },
    });
    const trust = trustOf(findings);
    if (out.json) {
      out.value({
        verified: trust === "verified",
        signatures: findings.map((finding) => shown(finding, flags.explain)),
      });
    } else {
      showFindings(context, findings, flags);
    }
    if (trust === "unchecked") {
      throw new CommandFailed("notLoggedIn", "No signature could be checked.", {
        hint: `Run cardwright login, or set ${variables.appId} with ${variables.apiSecret}, or ${variables.webhookSecret}.`,
      });
    }
    return trust === "verified" ? undefined : "refused";
  },
});

function showFindings(
  { out }: Context,
  findings: readonly Finding[],
  { explain }: { readonly explain: boolean },
): void {
  for (const { scheme, ok, why, signedText, expected } of findings) {
    const mark = ok === true ? out.paint("green", "ok    ") : ok === false ? out.paint("red", "WRONG ") : "—     ";
    out.line(`${mark} ${scheme}: ${why}`);
    if (!explain || signedText === null) continue;
    out.line(`${out.paint("dim", "the text under it")}\n${signedText}`);
    out.line(`${out.paint("dim", "the signature that it must have")}\n${expected ?? ""}\n`);
  }
}

const shown = ({ scheme, ok, why, signedText, expected }: Finding, explain: boolean): object => ({
  scheme,
  ok,
  why,
  ...(explain && { signed_text: signedText, expected }),
});

async function callbackFrom(
  { folder, ask }: Context,
  from: { readonly file: string | undefined; readonly headers: string | undefined; readonly body: string | undefined },
): Promise<ReceivedCallback> {
  if (from.file !== undefined && from.headers === undefined && from.body === undefined) {
    return from.file === "-"
      ? savedCallback(await ask.everything(), "stdin")
      : savedCallback(await textOf(resolve(folder, from.file)), from.file);
  }
  if (from.file !== undefined || from.headers === undefined || from.body === undefined) {
    throw wrongUsage("verify needs a FILE (- is stdin), or --headers FILE and --body FILE.");
  }
  return {
    headers: headerLines(await textOf(resolve(folder, from.headers)), from.headers),
    body: await textOf(resolve(folder, from.body)),
  };
}

/** Decoded strictly: replaced characters would be other ones than were signed. */
async function textOf(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw wrongUsage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (bytes.length > fileBytesMax) throw wrongUsage(`${file} is too large for a callback.`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrongUsage(`${file} is not UTF-8.`);
  }
}
