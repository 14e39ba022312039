import { type Bench, type Check, failed, nothingToJudge, passed, type Verdict } from "../check.ts";
import type { Desk } from "../desk.ts";
import { declinedNews, isAccepted } from "../preparation.ts";
import { digestOf } from "../random.ts";
import { type Answer, isYes, shown } from "../wire/answer.ts";
import { bodyOf, type Envelope, type Message, sealed, withHeaders } from "../wire/message.ts";
import { checksOf, type Definition, yesTo } from "./define.ts";

/** Far outside every sensible tolerance; five minutes are usual. */
const hourMs = 3_600_000;

type Forge = (message: Message, desk: Desk) => Envelope;

/** The forged request is an `Auth` and a `Consumption`, since the two are often read by different code; none may get a yes. */
async function refusalOf({ desk }: Bench, forge: Forge): Promise<Verdict> {
  const asked = desk.run.settings.mode === "AUTHORIZATION" ? desk.purchase() : null;
  const question = asked === null ? null : forge(desk.auth(asked), desk);
  const news = forge(desk.consumption(desk.purchase(), declinedNews), desk);
  const answers: Answer[] = await Promise.all(
    [question, news].flatMap((each) => (each === null ? [] : desk.post(each))),
  );
  const [answer] = answers;
  if (asked !== null && answer !== undefined && isYes(answer)) {
    desk.note(asked, answer);
  }
  const saw = answers.map(shown).join("; ");
  return answers.some(isYes) ? failed(`it was taken for genuine: ${saw}`) : passed(saw);
}

function forgery(
  definition: Pick<Definition, "name" | "title" | "proves" | "mend"> & { readonly forge: Forge },
): Definition {
  const { forge, ...rest } = definition;
  return { ...rest, weight: "security", needs: ["accepted"], run: (bench) => refusalOf(bench, forge) };
}

const noSignatures = { Signature: null, "webhook-signature": null } as const;
const compareAll =
  "Compute the HMAC-SHA256 with your apiSecret over the sorted pairs, compare all 64 characters in constant time, and answer any difference with a code other than 0.";

export const signatureChecks: readonly Check[] = checksOf("signature", [
  {
    name: "right",
    title: "Takes a request with a right signature",
    weight: "vital",
    needs: ["reachable"],
    proves: "What the platform signs with your apiSecret is recognised as genuine.",
    mend: "Check appId and apiSecret; sign the raw text of each top-level value of data, sorted by key, with appId and timestamp. docs: signature V1.",
    run: ({ desk }) => isAccepted(desk),
  },
  forgery({
    name: "wrong",
    title: "Refuses a wrong signature",
    proves: "Nobody without your apiSecret can have a purchase approved.",
    mend: compareAll,
    forge: (message, desk) => {
      const other = digestOf(message.id).toString("hex");
      const standard = `v1,${digestOf(message.id).toString("base64")}`;
      return withHeaders(sealed(message, desk.seal()), { Signature: other, "webhook-signature": standard });
    },
  }),
  forgery({
    name: "missing",
    title: "Refuses a request without a signature",
    proves: "Leaving the signature out is no way in.",
    mend: "Treat an absent Signature header as a wrong one.",
    forge: (message, desk) => withHeaders(sealed(message, desk.seal()), noSignatures),
  }),
  forgery({
    name: "empty",
    title: "Refuses an empty signature",
    proves: "An empty Signature header is no way in.",
    mend: "Compare the lengths first: an empty text must not equal the first 0 characters of the expected one.",
    forge: (message, desk) => withHeaders(sealed(message, desk.seal()), { Signature: "", "webhook-signature": "" }),
  }),
  forgery({
    name: "cut",
    title: "Refuses the first half of a right signature",
    proves: "The whole signature is compared.",
    mend: "Compare all 64 characters, not as many as were sent.",
    forge: (message, desk) => {
      const envelope = sealed(message, desk.seal());
      const standard = (envelope.headers["webhook-signature"] ?? "").slice(0, 20);
      const half = (envelope.headers["Signature"] ?? "").slice(0, 32);
      return withHeaders(envelope, { Signature: half, "webhook-signature": standard });
    },
  }),
  forgery({
    name: "stale",
    title: "Refuses a rightly signed request that is an hour old",
    proves: "Somebody who has recorded a request cannot send it again later.",
    mend: "Refuse when Timestamp is more than five minutes away from your clock; keep the clock right by NTP.",
    forge: (message, desk) => sealed(message, desk.seal({ timestampMs: desk.run.settings.now() - hourMs })),
  }),
  forgery({
    name: "future",
    title: "Refuses a rightly signed request that is an hour ahead",
    proves: "A recorded request with a late date is not kept for later.",
    mend: "Check the distance of Timestamp in both directions.",
    forge: (message, desk) => sealed(message, desk.seal({ timestampMs: desk.run.settings.now() + hourMs })),
  }),
  forgery({
    name: "re-dated",
    title: "Refuses an old request under a fresh Timestamp",
    proves: "The time is under the signature.",
    mend: "Take the text of the Timestamp header itself into the signed text, as timestamp=….",
    forge: (message, desk) => {
      const nowMs = desk.run.settings.now();
      const old = sealed(message, desk.seal({ timestampMs: nowMs - hourMs }));
      const seconds = String(Math.floor(nowMs / 1000));
      return withHeaders(old, { Timestamp: String(nowMs), "webhook-timestamp": seconds });
    },
  }),
  forgery({
    name: "re-keyed",
    title: "Refuses a signature made with another secret",
    proves: "Your own secret is what counts, not a default or an empty one.",
    mend: "Verify with the apiSecret of this merchant only, and refuse to start when it is not configured.",
    forge: (message, desk) => {
      const digest = digestOf(`another secret ${desk.run.settings.seed}`);
      const webhookSecret = desk.run.settings.webhookSecret === null ? null : `whsec_${digest.toString("base64")}`;
      return sealed(message, desk.seal({ apiSecret: digest.toString("hex").slice(0, 32), webhookSecret }));
    },
  }),
  forgery({
    name: "body-changed",
    title: "Refuses a body in which one byte of data was changed",
    proves: "The amount cannot be changed on the way.",
    mend: "Take every top-level key of data into the signed text, not a few that you use.",
    forge: (message, desk) => changedAmount(sealed(message, desk.seal())),
  }),
  forgery({
    name: "of-another-push",
    title: "Refuses the signature of another request",
    proves: "A signature is good for one request only.",
    mend: "Sign what you have just received, not something that you have kept.",
    forge: (message, desk) => {
      const other = sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal()).headers;
      const { Signature = "", "webhook-signature": standard = "" } = other;
      return withHeaders(sealed(message, desk.seal()), { Signature, "webhook-signature": standard });
    },
  }),
  standardOnly({
    name: "standard-wrong",
    title: "Refuses a wrong Standard Webhooks signature beside a right V1",
    proves: "The signature over the whole body is checked as well.",
    mend: "Verify webhook-signature with your webhook secret, not Signature alone.",
    run: (bench) =>
      refusalOf(bench, (message, desk) =>
        withHeaders(sealed(message, desk.seal()), {
          "webhook-signature": `v1,${digestOf(message.id).toString("base64")}`,
        }),
      ),
  }),
  standardOnly({
    name: "standard-envelope",
    title: "Refuses a body whose id was changed",
    proves: "What V1 does not cover, id and action, is under the Standard Webhooks signature.",
    mend: "Verify webhook-signature over the bytes of the whole body as they came.",
    run: (bench) =>
      refusalOf(bench, (message, desk) => {
        const changed = { ...message, id: message.id.replace(/.$/u, (last) => (last === "0" ? "1" : "0")) };
        return { ...sealed(message, desk.seal()), body: Buffer.from(bodyOf(changed)) };
      }),
  }),
  standardOnly({
    name: "standard-rotation",
    title: "Takes two Standard Webhooks signatures, one of an older secret",
    proves: "A webhook secret can be changed without losing a request.",
    mend: "Split webhook-signature at the spaces and accept when one of them is right.",
    weight: "contract",
    run: async ({ desk }) => {
      const envelope = sealed(desk.consumption(desk.purchase(), declinedNews), desk.seal());
      const right = envelope.headers["webhook-signature"] ?? "";
      const older = `v1,${digestOf("an older secret").toString("base64")}`;
      const answer = await desk.post(withHeaders(envelope, { "webhook-signature": `${older} ${right}` }));
      return yesTo("with two signatures", answer);
    },
  }),
]);

function standardOnly(
  definition: Pick<Definition, "name" | "title" | "proves" | "mend" | "run"> & { readonly weight?: "contract" },
): Definition {
  return {
    weight: "security",
    needs: ["accepted"],
    ...definition,
    run: async (bench) =>
      bench.desk.run.settings.webhookSecret === null
        ? nothingToJudge("no webhook secret was given, so only V1 is sent")
        : await definition.run(bench),
  };
}

/** The first digit of `amount` becomes another one. */
function changedAmount(envelope: Envelope): Envelope {
  const text = envelope.body.toString("utf8");
  const changed = text.replace(/"amount":(\d)/u, (_, digit: string) => `"amount":${(Number(digit) % 9) + 1}`);
  return { ...envelope, body: Buffer.from(changed) };
}
