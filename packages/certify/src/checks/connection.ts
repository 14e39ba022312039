import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type Check, failed, passed, type Verdict } from "../check.ts";
import type { Desk } from "../desk.ts";
import { limits } from "../limits.ts";
import { declinedNews, harmlessUpdate, isReachable } from "../preparation.ts";
import { type Answer, isYes, shown } from "../wire/answer.ts";
import { type Envelope, sealed } from "../wire/message.ts";
import { checksOf, stillWorks } from "./define.ts";
import { firstRefused, ledgerCheck } from "./ledger.ts";

/** A rightly signed push that changes nothing. */
function harmless(desk: Desk): Envelope {
  return sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal());
}

/** A body that comes in two pieces with a pause between them. */
async function* inTwo(body: Buffer): AsyncGenerator<Uint8Array> {
  const half = Math.floor(body.length / 2);
  yield body.subarray(0, half);
  await sleep(limits.packetGapMs);
  yield body.subarray(half);
}

async function sentInPieces({ desk }: Bench, { chunked }: { readonly chunked: boolean }): Promise<Verdict> {
  const envelope = harmless(desk);
  const answer = await desk.run.wire.post(envelope, {
    signal: desk.signal(),
    waitMs: limits.pushMs,
    pieces: { of: () => inTwo(envelope.body), chunked },
  });
  return isYes(answer) ? passed(shown(answer)) : failed(shown(answer));
}

const requestsOnOneLine = 3;

async function keepsAlive({ desk }: Bench): Promise<Verdict> {
  const line = desk.line();
  try {
    const answers: Answer[] = [];
    for (let request = 0; request < requestsOnOneLine; request += 1) {
      answers.push(await line.post(sealed(harmlessUpdate(desk), desk.seal()), exchange(desk)));
      // The end of a connection that the server closes after its answer arrives meanwhile.
      await desk.wait(2 * limits.packetGapMs);
    }
    const refused = answers.find((answer) => !isYes(answer));
    if (refused !== undefined) {
      return failed(shown(refused));
    }
    const opened = line.opened();
    const saw = `${requestsOnOneLine} requests in a row took ${opened} connection${opened === 1 ? "" : "s"}`;
    return opened === 1 ? passed(saw) : failed(saw);
  } finally {
    await line.close();
  }
}

function exchange(desk: Desk): { readonly signal: AbortSignal; readonly waitMs: number } {
  return { signal: desk.signal(), waitMs: limits.pushMs };
}

async function firstAfterSilence({ desk }: Bench): Promise<Verdict> {
  const { pace, deadlineMs, mode } = desk.run.settings;
  await desk.wait(pace.idleMs);
  const line = desk.line();
  try {
    const purchase = desk.purchase();
    const isAsked = mode === "AUTHORIZATION";
    const message = isAsked ? desk.auth(purchase) : desk.consumption(purchase, declinedNews);
    const answer = await line.post(sealed(message, desk.seal()), exchange(desk));
    if (isAsked) {
      desk.note(purchase, answer);
    }
    const saw = `after ${pace.idleMs / 1000} s of silence: ${shown(answer)}, ${Math.round(answer.tookMs)} ms with connecting`;
    return isYes(answer) && answer.tookMs <= deadlineMs ? passed(saw) : failed(saw);
  } finally {
    await line.close();
  }
}

export const connectionChecks: readonly Check[] = checksOf("connection", [
  {
    name: "reachable",
    title: "Answers at all",
    weight: "vital",
    needs: [],
    proves: "The URL leads to a server that speaks HTTP/1.1, with a certificate that is good if it is https.",
    mend: "Check the URL, the firewall and the certificate chain; the path must answer POST. Name an authority of your own with --ca FILE.",
    run: ({ desk }) => isReachable(desk),
  },
]);

export const connectionChecksLater: readonly Check[] = checksOf("connection", [
  {
    name: "two-packets",
    title: "Reads a body that comes in two packets",
    weight: "contract",
    needs: ["accepted"],
    proves: "The body is read to its Content-Length, not to the end of the first packet.",
    mend: "Collect the body until it is complete before you parse it.",
    run: (bench) => sentInPieces(bench, { chunked: false }),
  },
  {
    name: "chunked",
    title: "Reads a body that comes chunked",
    weight: "minor",
    needs: ["accepted"],
    proves: "A proxy on the way may pass the body on in chunks.",
    mend: "Let your server decode Transfer-Encoding: chunked; do not rely on Content-Length.",
    run: (bench) => sentInPieces(bench, { chunked: true }),
  },
  {
    name: "keep-alive",
    title: "Keeps the connection open for the next request",
    weight: "minor",
    needs: ["accepted"],
    proves: "A question does not pay for a new connection and a TLS handshake out of its 800 ms.",
    mend: "Switch keep-alive on, without Connection: close, and keep idle connections longer than 5 s (65 s is good).",
    run: keepsAlive,
  },
  {
    name: "cut-in-body",
    title: "Survives a connection that breaks in the middle of a request",
    weight: "contract",
    needs: ["money"],
    proves: "Half a request costs nothing but itself.",
    mend: "Handle the error and the early close of a request; let none of them end the process.",
    run: async (bench) => {
      const { desk } = bench;
      const envelope = harmless(desk);
      const bytesOfBody = Math.floor(envelope.body.length / 2);
      await desk.run.wire.cut(envelope, { bytesOfBody, signal: desk.signal() });
      return await stillWorks(bench, "half a request, then the end of the connection");
    },
  },
  ledgerCheck({
    name: "cut-before-answer",
    title: "Holds once when the answer was lost and the question comes again",
    proves: "An Auth whose connection broke before the answer was read is decided once.",
    mend: "Decide and hold in one transaction keyed by consume_no, whether or not somebody still listens.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const envelope = sealed(desk.auth(purchase), desk.seal());
      await desk.run.wire.cut(envelope, { bytesOfBody: envelope.body.length, signal: desk.signal() });
      desk.note(purchase, null);
      await desk.wait(2 * limits.packetGapMs);
      const again = await desk.post(envelope);
      return { taken: purchase.amount, refused: firstRefused({ "the repeated Auth": again }) };
    },
  }),
  {
    name: "after-silence",
    title: "Answers the first request after a silence in time",
    weight: "contract",
    needs: ["money"],
    proves: "The first purchase of the morning is not declined because something had to wake up first.",
    mend: "Keep a process and a database connection warm; do not scale to zero.",
    run: firstAfterSilence,
  },
]);
