import { type Bench, type Check, failed, passed, type Verdict } from "../check.ts";
import { limits } from "../limits.ts";
import { declinedNews } from "../preparation.ts";
import { randomBytesOf } from "../random.ts";
import { type Answer, isYes, shown } from "../wire/answer.ts";
import { type Envelope, type Message, sealed } from "../wire/message.ts";
import { checksOf, stillWorks, yesTo } from "./define.ts";
import { firstRefused, ledgerCheck } from "./ledger.ts";

/** Signed bodies that are no callback. Each is refused, and the server goes on. */
async function survives(bench: Bench, envelopes: readonly Envelope[]): Promise<Verdict> {
  const { desk } = bench;
  const answers: Answer[] = [];
  for (const envelope of envelopes) {
    // On a connection of its own: a server may leave the rest of what it refuses unread in there.
    const line = desk.line();
    try {
      answers.push(await line.post(envelope, { signal: desk.signal(), waitMs: limits.pushMs }));
    } finally {
      await line.close();
    }
  }
  desk.signal().throwIfAborted();
  const accepted = answers.find(isYes);
  if (accepted !== undefined) {
    return failed(`it was taken for a callback: ${shown(accepted)}`);
  }
  return await stillWorks(bench, [...new Set(answers.map(shown))].join("; "));
}

/** A question in authorization mode, harmless news in credit mode: with further fields in `data` or beside it. */
async function answerWith(
  { desk }: Bench,
  { inData = {}, beside = "" }: { readonly inData?: Readonly<Record<string, unknown>>; readonly beside?: string },
): Promise<Answer> {
  const purchase = desk.purchase();
  const isAsked = desk.run.settings.mode === "AUTHORIZATION";
  const message: Message = {
    ...(isAsked ? desk.auth(purchase, inData) : desk.consumption(purchase, declinedNews, inData)),
    moreText: beside,
  };
  const answer = await desk.send(message);
  if (isAsked) {
    desk.note(purchase, answer);
  }
  return answer;
}

const goOn = "Catch what the parser throws, answer HTTP 400 or a code other than 0, and go on.";

export const toleranceChecks: readonly Check[] = checksOf("tolerance", [
  {
    name: "unknown-fields",
    title: "Passes over fields that it does not know",
    weight: "contract",
    needs: ["money"],
    proves: "The platform can add a field without breaking you.",
    mend: "Take all top-level keys of data into the signature, and let the parser ignore what it does not know (no strict mode).",
    run: async (bench) => {
      const inData = { network: "example", installments: { count: 3, plan: ["a", "b"] }, is_recurring: false };
      const answer = await answerWith(bench, { inData, beside: ',"version":2,"meta":{"retry":false}' });
      return yesTo("with unknown fields", answer);
    },
  },
  {
    name: "null-fields",
    title: "Leaves null out of the signature",
    weight: "minor",
    needs: ["money"],
    proves: "A field that is null is treated as the contract says.",
    mend: "Skip keys of data whose value is null when you build the signed text.",
    run: async (bench) => yesTo("with a field that is null", await answerWith(bench, { inData: { token: null } })),
  },
  {
    name: "unknown-action",
    title: "Answers an action that it does not know with code 0",
    weight: "contract",
    needs: ["accepted"],
    proves: "A new kind of push is not sent again for thirty days.",
    mend: "Answer code 0 to every rightly signed action that you do not know, and do nothing.",
    run: async ({ desk }) => {
      const message = desk.message("Statement", { card_no: desk.run.settings.cardNo, time: desk.time() });
      return yesTo("an unknown action", await desk.send(message));
    },
  },
  ledgerCheck({
    name: "unknown-action-no-booking",
    title: "Books nothing for an action that it does not know",
    proves: "Only a Consumption moves money, whatever else looks like one.",
    mend: "Look at action first; do not book whatever has an amount.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const message = { ...desk.consumption(purchase, { status: "Success" }), action: "Statement" };
      const answer = await desk.send(message);
      // Only what it has booked by mistake is to be given back; a refund of nothing would make money.
      return { taken: 0n, refused: answer.end === "answered" ? null : firstRefused({ "the push": answer }) };
    },
  }),
  {
    name: "malformed",
    title: "Survives bodies that are no JSON",
    weight: "contract",
    needs: ["money"],
    proves: "A broken request costs that request and no other.",
    mend: goOn,
    run: async (bench) => {
      const { desk } = bench;
      const { headers } = sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal());
      const bodies = ["", "{", "null", "[]", '{"id":1}', '{"id":"1","action":"Auth","data":"text"}', "[".repeat(5_000)];
      return await survives(bench, [
        ...bodies.map((text) => ({ headers, body: Buffer.from(text) })),
        { headers, body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) },
      ]);
    },
  },
  {
    name: "large-body",
    title: "Refuses a body of 2 MB without falling over",
    weight: "contract",
    needs: ["money"],
    proves: "Nobody can fill your memory through the callback URL.",
    mend: "Limit the body to 64 KB or more, and answer 413; a callback has a few hundred bytes.",
    run: async (bench) => {
      const { desk } = bench;
      const { headers } = sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal());
      const noise = randomBytesOf(desk.random, 1_000).toString("hex");
      return await survives(bench, [{ headers, body: Buffer.from(`{"data":{"x":"${noise.repeat(1_000)}"}}`) }]);
    },
  },
  {
    name: "get",
    title: "Does not answer GET with code 0",
    weight: "minor",
    needs: ["accepted"],
    proves: "A crawler or a health check does not pass for a callback.",
    mend: "Answer 405 to anything but POST.",
    run: async ({ desk }) => {
      const envelope: Envelope = { headers: {}, body: Buffer.alloc(0) };
      const answer = await desk.run.wire.post(envelope, { signal: desk.signal(), waitMs: 5_000, method: "GET" });
      const isCallbackAnswer = isYes(answer) && answer.text.trimStart().startsWith("{");
      return isCallbackAnswer ? failed(shown(answer)) : passed(shown(answer));
    },
  },
  {
    name: "header-case",
    title: "Reads headers in lower case",
    weight: "minor",
    needs: ["money"],
    proves: "A proxy or HTTP/2 on the way, which write header names in lower case, change nothing.",
    mend: "Look headers up without regard to case.",
    run: async (bench) => {
      const { desk } = bench;
      const { headers, body } = sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal());
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      return yesTo("with header names in lower case", await desk.post({ headers: lower, body }));
    },
  },
]);
