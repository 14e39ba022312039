import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CertifyOptions, CertifyReport, Pace } from "@cardwright/certify";
import { type Command, command, type Flags } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { readSettings, variables } from "../config/settings.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";

/** 2^32 - 1 */
const seedDigitsMax = 4_294_967_295;

/** Who is asked, and as whom the questions are signed. */
const targetFlags = {
  card: { kind: "text", value: "CARD_NO", about: "a test card of yours that your server knows", required: true },
  cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "whose card it is; looked up when absent" },
  mode: {
    kind: "text",
    value: "MODE",
    oneOf: ["AUTHORIZATION", "CREDIT_EXTENSION"],
    about: "of your merchant; looked up when absent",
  },
  currency: { kind: "text", value: "CODE", fallback: "USD", about: "the card's currency" },
  "app-id": { kind: "text", value: "ID", about: `your App ID (${variables.appId}); of your login when absent` },
  seed: { kind: "text", value: "N", about: "the same seed asks the same questions; a new one when absent" },
  rates: { kind: "text", value: "N,N", about: "questions per second of the steady load, such as 50,200" },
  ca: {
    kind: "text",
    value: "FILE",
    about: "certificates (PEM) of authorities to trust besides this machine's own, when yours signed the endpoint's",
  },
} as const satisfies Flags;

interface TargetFlags {
  readonly card: string;
  readonly cardholder: string | undefined;
  readonly mode: "AUTHORIZATION" | "CREDIT_EXTENSION" | undefined;
  readonly currency: string;
  readonly "app-id": string | undefined;
  readonly seed: string | undefined;
  readonly rates: string | undefined;
  readonly ca: string | undefined;
}

const keysAbout = `The apiSecret and the webhook secret come from ${variables.apiSecret} and ${variables.webhookSecret}, or from your login: never from the command line.`;

const certifyCommand = command({
  name: "certify",
  summary: "Grade your callback endpoint: is it right, and fast enough for 800 ms?",
  more: `Plays the platform against a URL in under two minutes and says of each check what it proves, what it saw and how to mend it. What it opens on the card it gives back. ${keysAbout}`,
  examples: [
    "certify http://localhost:3000/hook --card C202605220001",
    "certify https://shop.example.com/hook --card C202605220001 --cardholder U202605220001 --mode AUTHORIZATION --min-grade B --html report.html",
  ],
  args: { url: { about: "your callback URL" } },
  flags: {
    ...targetFlags,
    only: { kind: "list", value: "ID", about: "only this check" },
    skip: { kind: "list", value: "ID", about: "all but this check" },
    "min-grade": { kind: "text", value: "GRADE", oneOf: ["A", "B", "C", "D", "F"], about: "exit code 1 below it" },
    html: { kind: "text", value: "FILE", about: "write the report as a page, with a histogram of the latencies" },
  },
  run: async ({ args, flags, context }) => {
    const report = await runGrader(context, {
      url: args.url,
      flags,
      choice: {
        ...(flags.only.length > 0 && { only: flags.only }),
        ...(flags.skip.length > 0 && { skip: flags.skip }),
      },
    });
    const { isAtLeast, renderHtml, renderTerminal } = await import("@cardwright/certify");
    if (flags.html !== undefined) {
      const file = resolve(context.folder, flags.html);
      await writeFile(file, renderHtml(report));
      context.out.note(`Wrote ${file}.`);
    }
    if (context.out.json) {
      context.out.value(report);
    } else {
      context.out.raw(renderTerminal(report, { color: context.out.colour }));
    }
    const least = flags["min-grade"];
    if (least !== undefined && !isAtLeast(report.grade, least)) {
      throw new CommandFailed("refused", `The grade is ${report.grade}, and at least ${least} was asked for.`);
    }
    return undefined;
  },
});

const benchCommand = command({
  name: "bench",
  summary: "Load your callback endpoint with signed Auth questions and measure its latencies",
  more: `Open loop: questions leave at their planned moments, however slow the answers are, so a stall shows. ${keysAbout}`,
  examples: ["bench http://localhost:3000/hook --card C202605220001 --rates 50,200,500"],
  args: { url: { about: "your callback URL" } },
  flags: {
    ...targetFlags,
    seconds: {
      kind: "count",
      value: "N",
      min: 1,
      max: 32,
      about: "how long each rate lasts; 32 s in all at most when absent",
    },
    burst: {
      kind: "count",
      value: "N",
      min: 1,
      max: 1_000,
      about: "questions at once before the steady load; 64 when absent",
    },
  },
  run: async ({ args, flags, context }) => {
    const { checkList } = await import("@cardwright/certify");
    const load = checkList.filter(({ group }) => group === "load").map(({ id }) => id);
    const report = await runGrader(context, { url: args.url, flags, choice: { only: load, pace: paceOf(flags) } });
    showLatencies(context, report);
    return report.failed === 0 ? undefined : "refused";
  },
});

const paceOf = (flags: {
  readonly seconds: number | undefined;
  readonly burst: number | undefined;
}): Partial<Pace> => ({
  ...(flags.seconds !== undefined && { steadySecondsEach: flags.seconds }),
  ...(flags.burst !== undefined && { burstQuestions: flags.burst }),
});

async function runGrader(
  context: Context,
  {
    url,
    flags,
    choice,
  }: {
    readonly url: string;
    readonly flags: TargetFlags;
    readonly choice: Pick<CertifyOptions, "only" | "skip" | "pace">;
  },
): Promise<CertifyReport> {
  const options = { ...(await optionsOf(context, { url, flags })), ...choice };
  const { certify } = await import("@cardwright/certify");
  const progress = context.out.progress("checking");
  try {
    return await certify(options, ({ done, total, title }) => progress.at({ count: done, of: total, text: title }));
  } catch (error) {
    // What the grader says of its options is said to the person who gave them.
    if (
      error instanceof TypeError &&
      !context.signal.aborted &&
      /^(?:url|appId|ca|rates?|seed|there is|.+ is empty|.+ must)/u.test(error.message)
    ) {
      throw wrongUsage(`${error.message}.`);
    }
    throw error;
  } finally {
    progress.end();
  }
}

async function optionsOf(
  context: Context,
  { url, flags }: { readonly url: string; readonly flags: TargetFlags },
): Promise<CertifyOptions> {
  if (!URL.canParse(url)) throw wrongUsage(`"${url}" is no URL.`);
  const ca = flags.ca === undefined ? undefined : await authoritiesIn(resolve(context.folder, flags.ca));
  const settings = await readSettings(context);
  const { apiSecret } = settings;
  if (apiSecret === "") {
    throw new CommandFailed("notLoggedIn", "The questions are signed with your apiSecret, which is not known.", {
      hint: `Run cardwright login, or set ${variables.apiSecret}.`,
    });
  }
  const [webhookSecret] = settings.webhookSecrets;
  const { appId, mode, cardholderNo } = await identity(context, flags, flags["app-id"] ?? settings.appId);
  return {
    url,
    appId,
    apiSecret,
    ...(webhookSecret !== undefined && { webhookSecret }),
    mode,
    cardNo: flags.card,
    cardholderNo,
    currency: flags.currency,
    ...(flags.seed !== undefined && { seed: seedOf(flags.seed) }),
    ...(flags.rates !== undefined && { rates: ratesOf(flags.rates) }),
    ...(ca !== undefined && { ca }),
    signal: context.signal,
  };
}

/** What the flags leave open, the platform knows; with all of them it is not asked, so that a CI needs no Api-Key. */
async function identity(
  context: Context,
  flags: TargetFlags,
  appId: string,
): Promise<{ readonly appId: string; readonly mode: CertifyOptions["mode"]; readonly cardholderNo: string }> {
  if (appId !== "" && flags.mode !== undefined && flags.cardholder !== undefined) {
    return { appId, mode: flags.mode, cardholderNo: flags.cardholder };
  }
  const { client } = await context.session();
  const merchant = await client.developer.merchant();
  return {
    appId: appId === "" ? merchant.app_id : appId,
    mode: flags.mode ?? merchant.mode,
    cardholderNo: flags.cardholder ?? (await client.cards.retrieve(flags.card)).cardholder_no,
  };
}

async function authoritiesIn(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw wrongUsage(`--ca ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function seedOf(text: string): number {
  const seed = /^\d{1,10}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(seed <= seedDigitsMax))
    throw wrongUsage(`--seed takes a whole number from 0 to ${seedDigitsMax}, not "${text}".`);
  return seed;
}

function ratesOf(text: string): readonly number[] {
  const rates = text.split(",").map((part) => (/^\d{1,5}(?:\.\d+)?$/u.test(part.trim()) ? Number(part) : Number.NaN));
  if (rates.some((rate) => Number.isNaN(rate)))
    throw wrongUsage(`--rates takes numbers such as 50,200, not "${text}".`);
  return rates;
}

function showLatencies({ out }: Context, report: CertifyReport): void {
  if (out.json) {
    out.value({ latency: report.latency, seed: report.seed, url: report.url });
    return;
  }
  const { burst, rates, deadlineMs } = report.latency;
  const right = { align: "right" } as const;
  out.table(
    [
      { title: "rate/s" },
      { title: "asked", ...right },
      { title: `within ${deadlineMs} ms`, ...right },
      ...["p50", "p95", "p99", "p99.9", "max"].map((title) => ({ title, ...right })),
    ],
    [...(burst === null ? [] : [burst]), ...rates].map((load) => [
      load.rate === 0 ? "burst" : String(load.rate),
      String(load.asked),
      `${load.inTime}`,
      ...[load.p50Ms, load.p95Ms, load.p99Ms, load.p999Ms, load.maxMs].map((ms) => ms.toFixed(1)),
    ]),
  );
  for (const check of report.checks) {
    if (check.ok === false)
      out.line(`\n${out.paint("red", "failed")}  ${check.title}\n  ${check.saw}\n  ${check.mend}`);
  }
}

export const certifyCommands: readonly Command[] = [benchCommand, certifyCommand];
