import { parseAmount } from "@cardwright/money";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import type { ReversalAnswer, ReversalMessage, ReversalRefusal } from "#clearing/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";

export const reversalsPath = "/network/v1/reversals";

const reference = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/u);
/** 13 integer digits and the 4 decimals that a currency has at most. */
const amount = z.string().regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u);

/** A reversal as the network sends it. Unknown fields are refused, so that a misspelt optional one is told. */
const reversalMessage = z.strictObject({
  network_reference: reference,
  /** Of the authorization, or of the clearing of one that never was authorized. */
  original_reference: reference,
  pan: z.string().regex(/^[0-9]{13,19}$/u),
  /** How much is reversed, in the transaction's currency; everything that is left when absent. */
  amount: amount.optional(),
  /** The same in the card's currency, when the network has converted it. */
  billing_amount: amount.optional(),
});
type Message = z.infer<typeof reversalMessage>;

const transactionAnswer = z.strictObject({
  /** False for a card that is not known, and for a known reference with other content. */
  accepted: z.boolean(),
  /** What became of it, in one word. */
  effect: z.string(),
  /** Empty where no consumption belongs to it. */
  consume_no: z.string(),
  /** The message came before: this is the answer it got then. */
  repeat: z.boolean(),
  /** Milliseconds from the message's last byte to the answer. */
  elapsed_ms: z.number(),
});
export type TransactionAnswer = z.infer<typeof transactionAnswer>;

export type Reverse = (message: ReversalMessage) => Promise<Result<ReversalAnswer, ReversalRefusal>>;

/** Cards are billed in USD and TUSDT, both with two decimals. */
const billingDecimals = 2;

function messageOf(body: Message): Result<ReversalMessage, "billing_amount"> {
  const billed = body.billing_amount === undefined ? null : parseAmount(body.billing_amount, billingDecimals);
  if (billed !== null && (!billed.ok || billed.value > bounds.amountMinorMax)) {
    return refused("billing_amount");
  }
  return ok({
    networkReference: body.network_reference,
    originalReference: body.original_reference,
    pan: body.pan,
    amount: body.amount ?? null,
    billingAmount: billed === null ? null : billed.value,
  });
}

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { target: "draft-7" });

/**
 * `POST /network/v1/reversals`: a transaction is undone, or a part of it. Answered with 200 and what became of it; 503 while the
 * merchant of its authorization has not answered, after which the network comes again.
 */
export function reversalRoute(
  app: FastifyInstance,
  deps: {
    readonly reverse: Reverse;
    readonly refuseField: (reply: FastifyReply, field: string) => FastifyReply;
    readonly comeAgain: (reply: FastifyReply) => FastifyReply;
  },
): void {
  app.post<{ Body: Message }>(
    reversalsPath,
    { schema: { body: schemaOf(reversalMessage), response: { 200: schemaOf(transactionAnswer) } } },
    async (request, reply) => {
      const startedAt = performance.now();
      const message = messageOf(request.body);
      if (!message.ok) {
        return deps.refuseField(reply, message.reason);
      }
      const reversed = await deps.reverse(message.value);
      if (!reversed.ok) {
        return reversed.reason === "amount" ? deps.refuseField(reply, reversed.reason) : deps.comeAgain(reply);
      }
      const { accepted, effect, consumeNo, repeat } = reversed.value;
      const elapsed = Math.round((performance.now() - startedAt) * 1000) / 1000;
      const answer: TransactionAnswer = { accepted, effect, consume_no: consumeNo, repeat, elapsed_ms: elapsed };
      return reply.send(answer);
    },
  );
}
