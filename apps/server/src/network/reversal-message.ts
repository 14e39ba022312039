import { parseAmount } from "@cardwright/money";
import { z } from "zod";
import type { Clearing, ReversalMessage } from "#clearing/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import { amountShape, networkReference, pan, partRules } from "./message-parts.ts";
import type { MessageRoute } from "./message-route.ts";

export const reversalsPath = "/network/v1/reversals";

/** A reversal as the network sends it. Unknown fields are refused, so that a misspelt optional one is told. */
const reversalMessage = z.strictObject({
  network_reference: networkReference,
  /** Of the authorization, or of the clearing of one that never was authorized. */
  original_reference: networkReference,
  pan,
  /** How much is reversed, in the transaction's currency; everything that is left when absent. */
  amount: amountShape.amount.exactOptional(),
  /** The same in the card's currency, when the network has converted it. */
  billing_amount: amountShape.billing_amount,
});

const rules: ReadonlyMap<string, string> = new Map([
  ...partRules,
  ["original_reference", "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -"],
]);

/** Cards are billed in USD and TUSDT, both with two decimals. */
const billingDecimals = 2;

function reversalOf(body: z.infer<typeof reversalMessage>): Result<ReversalMessage, "billing_amount"> {
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

/** `POST /network/v1/reversals`: a transaction is undone, or a part of it. */
export function reversalRoute(reverse: Clearing["reverse"]): MessageRoute {
  return {
    path: reversalsPath,
    schema: reversalMessage,
    rules,
    take: async (body) => {
      // Fastify has validated it by the JSON schema made from the same zod schema, which transforms nothing.
      const message = reversalOf(body as z.infer<typeof reversalMessage>);
      if (!message.ok) {
        return message;
      }
      return reverse(message.value);
    },
  };
}
