import { parsePositiveAmount } from "@cardwright/money";
import { type Bench, type Check, failed, nothingToJudge, passed, type Verdict } from "../check.ts";
import { limits } from "../limits.ts";
import { beyondMoney } from "../preparation.ts";
import { type Answer, fieldsOf, isSuccess, isYes, meaningOf, shown } from "../wire/answer.ts";
import { checksOf, type Definition } from "./define.ts";

type Kind = "auth" | "push";

/** Answers to judge: of questions a yes and a no, of pushes one of each action. */
async function answersOf(bench: Bench, kind: Kind): Promise<readonly Answer[]> {
  const samples = await bench.samples();
  return kind === "auth" ? [samples.approved, samples.declined] : [samples.consumption, samples.cardUpdate];
}

/** Every answer that `applies` to must be `good`. */
function judge(
  kind: Kind,
  rule: { readonly applies?: (answer: Answer) => boolean; readonly good: (answer: Answer) => boolean },
): Definition["run"] {
  return async (bench): Promise<Verdict> => {
    const judged = (await answersOf(bench, kind)).filter(rule.applies ?? (() => true));
    if (judged.length === 0) {
      return nothingToJudge("no answer in which this could be seen");
    }
    const bad = judged.find((answer) => !rule.good(answer));
    return bad === undefined ? passed(judged.map(shown).join("; ")) : failed(shown(bad));
  };
}

const isJson = (answer: Answer): boolean => fieldsOf(answer) !== null;

function formOf(kind: Kind): readonly Definition[] {
  const what = kind === "auth" ? "Auth" : "pushes";
  const lost = kind === "auth" ? "the purchase fails" : "the push is sent again and again";
  const mode = kind === "auth" ? ({ mode: "AUTHORIZATION" } as const) : {};
  const needs = ["accepted"] as const;
  return [
    {
      name: "status",
      title: `Answers ${what} with HTTP 2xx, also when it says no`,
      weight: "vital",
      ...mode,
      needs,
      proves: "The platform reads the answer at all: anything but 2xx is taken for a failure of your server.",
      mend: "Answer HTTP 200 whatever the code in the body says.",
      run: judge(kind, { good: ({ status }) => status !== null && isSuccess(status) }),
    },
    {
      name: "json",
      title: `Answers ${what} with a JSON object`,
      weight: "vital",
      ...mode,
      needs,
      proves: `The answer can be read; without JSON ${lost}.`,
      mend: 'Answer {"code":0,"message":""}, not a text like "success".',
      run: judge(kind, { good: isJson }),
    },
    {
      name: "code",
      title: `Answers ${what} with code as a number`,
      weight: "vital",
      ...mode,
      needs,
      proves: `A yes is understood as one: code must be the JSON number 0, otherwise ${lost}.`,
      mend: 'Write "code":0 without quotes, and a number for every no, too.',
      run: judge(kind, { applies: isJson, good: (answer) => typeof fieldsOf(answer)?.["code"] === "number" }),
    },
    {
      name: "message",
      title: `Answers ${what} with message as a text`,
      weight: "minor",
      ...mode,
      needs,
      proves: "Support can read why you said no.",
      mend: 'The key is message (not msg); "" will do.',
      run: judge(kind, { applies: isJson, good: (answer) => typeof fieldsOf(answer)?.["message"] === "string" }),
    },
    {
      name: "content-type",
      title: `Answers ${what} as application/json`,
      weight: "minor",
      ...mode,
      needs,
      proves: "Proxies on the way leave the answer alone.",
      mend: "Set Content-Type: application/json.",
      run: judge(kind, { good: ({ contentType }) => /^application\/(?:[\w.-]+\+)?json\b/iu.test(contentType) }),
    },
    {
      name: "size",
      title: `Answers ${what} in 16 KB at most`,
      weight: "contract",
      ...mode,
      needs,
      proves: "The answer is read to its end; a longer one is taken for none.",
      mend: "Answer code and message, and nothing else.",
      run: judge(kind, { good: ({ bytes }) => bytes <= limits.answerBytesMax }),
    },
  ];
}

/** An amount above zero with two decimals at most, as a text or a number. */
function isGoodAmount(sent: unknown): boolean {
  return (typeof sent === "string" || typeof sent === "number") && parsePositiveAmount(String(sent), 2).ok;
}

const approvedAmountOf = (answer: Answer): unknown => fieldsOf(answer)?.["approved_amount"] ?? undefined;

export const shapeChecks: readonly Check[] = [
  ...checksOf("auth", [
    ...formOf("auth"),
    {
      name: "approved-amount",
      title: "Writes approved_amount as an amount, if it sends one",
      weight: "money",
      mode: "AUTHORIZATION",
      needs: ["accepted"],
      proves: "A partial approval is understood: one that cannot be read declines the purchase.",
      mend: 'Send approved_amount as "12.50", above zero, or leave it out.',
      run: judge("auth", {
        applies: (answer) => isYes(answer) && approvedAmountOf(answer) !== undefined,
        good: (answer) => isGoodAmount(approvedAmountOf(answer)),
      }),
    },
    {
      name: "decline",
      title: "Declines what the money does not cover, with a code of its own",
      weight: "money",
      mode: "AUTHORIZATION",
      needs: ["books"],
      proves: "A purchase beyond the balance is refused, by a proper answer and not by an error.",
      mend: 'Answer {"code":5101,"message":"insufficient funds","reason":"insufficient_funds"}: any number but 0, with HTTP 200.',
      run: async ({ desk, books }) => {
        const amount = (books.available ?? beyondMoney) + 100n;
        const answer = await desk.ask(desk.purchase({ amount }));
        return declined(answer);
      },
    },
    {
      name: "unknown-card",
      title: "Declines a purchase on a card that it does not know",
      weight: "money",
      mode: "AUTHORIZATION",
      needs: ["accepted"],
      proves: "Nothing is approved without an account behind it.",
      mend: "Look the card and the cardholder up, and decline when they are not yours or do not belong together.",
      run: async ({ desk }) => {
        const purchase = desk.purchase();
        const strange = { cardNo: `C20200101${desk.random.between(1e6, 9e6)}`, cardholderNo: "U20200101STRANGER" };
        const answer = await desk.send(desk.auth({ ...purchase, ...strange }));
        if (isYes(answer)) {
          desk.note(purchase, answer);
        }
        return declined(answer);
      },
    },
  ]),
  ...checksOf("push", formOf("push")),
];

/** HTTP failures were looked at by `auth.status`; here a no must be one. */
function declined(answer: Answer): Verdict {
  return meaningOf(answer) === "no" ? passed(shown(answer)) : failed(`it was not declined: ${shown(answer)}`);
}
