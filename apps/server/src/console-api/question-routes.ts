import { z } from "zod";
import type { Callbacks, QuestionRow } from "#callbacks/index.ts";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { merchantParams, pageQuery, publicNumber, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const elapsedMs = z
  .number()
  .nullable()
  .meta({ description: "Milliseconds since the request was handed to the connection; null: it did not come to that." });

const questionAnswer = z.strictObject({
  consume_no: z.string().meta({ description: "The purchase that was asked about." }),
  asked_at: timeMs,
  verdict: z.string().meta({
    description:
      "`approved`, `declined`, or why there is no answer: `timeout` (none within 800 ms), `unreachable`, `bad_answer`, `busy` (too many questions open: not asked), `circuit_open` (not asked after ten failures in a row). What the purchase came to then, the merchant's failure policy decides.",
  }),
  late: z.boolean().meta({ description: "A whole answer came after the deadline. It was not applied." }),
  http_status: z.int().nullable(),
  answer_code: z.int().nullable().meta({ description: "`code` of the answer, of a late one too." }),
  connect_ms: elapsedMs,
  send_ms: elapsedMs,
  first_byte_ms: elapsedMs,
  done_ms: elapsedMs,
  parse_ms: elapsedMs,
});

/** What a merchant was asked in real time, and where the 800 ms went. */
export function questionRoutes(deps: {
  readonly merchants: Pick<Merchants, "find">;
  readonly callbacks: Pick<Callbacks, "listQuestions">;
}): Route[] {
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/questions",
      summary: "List what a merchant in AUTHORIZATION mode was asked, newest first",
      description:
        "One for each `Auth`, a moment after the answer, or after the second in which a late one is still read.",
      status: 200,
      params: merchantParams,
      query: z.strictObject({
        consume_no: publicNumber.exactOptional(),
        unanswered: z.literal("true").exactOptional().meta({
          description: "Only those without an answer in time: neither `approved` nor `declined`.",
        }),
        before: publicNumber.exactOptional().meta({ description: "`consume_no` of the last row of the page before." }),
        size: pageQuery.size,
      }),
      answer: z.strictObject({ list: z.array(questionAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ params, query }) => {
        const merchant = await deps.merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { consume_no: consumeNo, unanswered, before, size = "50" } = query;
        const questions = await deps.callbacks.listQuestions({
          merchantId: merchant.merchantId,
          limit: Number(size),
          ...(consumeNo !== undefined && { consumeNo }),
          ...(before !== undefined && { before }),
          unanswered: unanswered !== undefined,
        });
        return ok({ list: questions.map(questionToWire) });
      },
    }),
  ];
}

function questionToWire(question: QuestionRow): z.infer<typeof questionAnswer> {
  const { timings } = question;
  return {
    consume_no: question.consumeNo,
    asked_at: question.askedAtMs,
    verdict: question.verdict,
    late: question.late,
    http_status: question.httpStatus,
    answer_code: question.answerCode,
    connect_ms: timings.connectMs,
    send_ms: timings.sendMs,
    first_byte_ms: timings.firstByteMs,
    done_ms: timings.doneMs,
    parse_ms: timings.parseMs,
  };
}
