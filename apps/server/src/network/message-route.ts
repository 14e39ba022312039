import { z } from "zod";
import { effects, type MessageAnswer, messageRefusals } from "#clearing/index.ts";
import type { Result } from "#kernel/index.ts";

/**
 * One kind of message about a transaction that exists (a clearing, an advice, a reversal) as data: the front registers, validates and
 * answers it from here. A new kind is a file with its schema, its rules and a function that makes its route by `messageRoute`,
 * and a line where the platform's servers are put together.
 */
export interface MessageRoute {
  /** Below `/network/v1`. */
  readonly path: string;
  readonly schema: z.ZodType;
  /** What each field must be, told when it is not; by dotted path. */
  readonly rules: ReadonlyMap<string, string>;
  /** Takes a body that the schema has let through; or names the field that cannot be understood. */
  readonly take: (body: unknown) => Promise<Result<MessageAnswer, string>>;
}

/** Gives `read` the type of the route's own schema, and `take` what `read` has made of it. */
export function messageRoute<Schema extends z.ZodType, Message>(parts: {
  readonly path: string;
  readonly schema: Schema;
  readonly rules: ReadonlyMap<string, string>;
  readonly read: (body: z.infer<Schema>) => Result<Message, string>;
  readonly take: (message: Message) => Promise<MessageAnswer>;
}): MessageRoute {
  const { path, schema, rules, read, take } = parts;
  return {
    path,
    schema,
    rules,
    take: async (body) => {
      // Fastify has validated it by the JSON schema made from the same zod schema, which transforms nothing.
      const message = read(body as z.infer<Schema>);
      return message.ok ? { ok: true, value: await take(message.value) } : message;
    },
  };
}

export const messageAnswer = z.strictObject({
  accepted: z.boolean(),
  /** What became of the message; or, when it was not accepted, why. */
  effect: z.enum([...effects, ...messageRefusals]),
  /** The consumption that it changed or made; empty when there is none. */
  consume_no: z.string(),
  /** The message came before: this is the answer it got then. */
  repeat: z.boolean(),
  /** Milliseconds from the message's last byte to the answer. */
  elapsed_ms: z.number(),
});

export function messageAnswerOf(
  answer: MessageAnswer,
  timing: { readonly elapsedMs: number },
): z.infer<typeof messageAnswer> {
  return {
    accepted: answer.accepted,
    effect: answer.effect,
    consume_no: answer.accepted ? answer.consumeNo : "",
    repeat: answer.accepted && answer.repeat,
    // Microseconds say something, more digits only look so.
    elapsed_ms: Math.round(timing.elapsedMs * 1000) / 1000,
  };
}
