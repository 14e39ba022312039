/** The few kinds of fields that requests and responses are made of. Descriptions feed OpenAPI, reference and SDK. */
import { z } from "zod";
import { PAGE_DEFAULT, PAGE_MAX, SIZE_DEFAULT, SIZE_MAX } from "../constants.ts";
import type { FormatName } from "../formats.ts";

interface FieldNotes {
  readonly description: string;
  /** Left out where the example follows from the parts: arrays and objects. */
  readonly example?: unknown;
}

/** Gives a schema its description and example. Put `.optional()` after it. */
export function described<Schema extends z.ZodType>(schema: Schema, notes: FieldNotes): Schema {
  return schema.meta({ description: notes.description, ...("example" in notes && { examples: [notes.example] }) });
}

/** Like `described`, for a text whose rule has an error code of its own. */
export function formatted<Schema extends z.ZodType>(
  schema: Schema,
  notes: FieldNotes & { readonly format: FormatName },
): Schema {
  return schema.meta({ description: notes.description, examples: [notes.example], format: notes.format });
}

/** A text in a response, or an optional text in a request (where empty counts as absent). */
export function text(notes: FieldNotes & { readonly lengthMax?: number }): z.ZodString {
  const schema = notes.lengthMax === undefined ? z.string() : z.string().max(notes.lengthMax);
  return described(schema, notes);
}

/** A required text of a request: not empty and not only white space. */
export function requiredText(notes: FieldNotes & { readonly lengthMax?: number }): z.ZodString {
  const schema = z.string().regex(/\S/u);
  return described(notes.lengthMax === undefined ? schema : schema.max(notes.lengthMax), notes);
}

/** A decimal text of a response. */
export function amount(notes: { readonly description: string; readonly example?: string }): z.ZodString {
  return described(z.string(), { description: notes.description, example: notes.example ?? "100.00" });
}

/** Unix milliseconds in a response or callback. */
export function time(description: string): z.ZodInt {
  return described(z.int(), { description: `${description} Unix milliseconds.`, example: 1779408000000 });
}

/** A count in a response. */
export function count(description: string, example: number): z.ZodInt {
  return described(z.int(), { description, example });
}

/** One constant of an enumeration. */
export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
  notes: FieldNotes,
): z.ZodEnum<{ [Value in Values[number]]: Value }> {
  return described(z.enum(values), notes);
}

/** `{ "list": [...] }`, the data of every list endpoint. */
export function listOf<Row extends z.ZodType>(row: Row): z.ZodObject<{ list: z.ZodArray<Row> }> {
  return z.object({ list: z.array(row) });
}

export const cardholderNo = text({
  description: "Our number of the cardholder, at most 32 characters.",
  example: "U202605220001",
});
export const requiredCardholderNo = requiredText({
  description: "Our number of the cardholder, at most 32 characters.",
  example: "U202605220001",
});
export const cardNo = text({
  description: "Our number of the card, at most 32 characters. Not the card number (PAN).",
  example: "C202605220001",
});
export const requiredCardNo = requiredText({
  description: "Our number of the card, at most 32 characters. Not the card number (PAN).",
  example: "C202605220001",
});

/** `start_time` and `end_time` of list requests, in section 3's order. */
export const range = {
  start_time: formatted(z.string(), {
    description:
      "Start of the range, included: `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header.",
    example: "2026-05-01",
    format: "list-time",
  }),
  end_time: formatted(z.string(), {
    description:
      "End of the range, same forms. A bare date includes that whole day, a date-time that whole second. After `start_time`, at most 90 days later.",
    example: "2026-05-31",
    format: "list-time",
  }),
};

/** `page` and `size` of list requests. */
export const paging = {
  page: described(z.int().min(0).max(PAGE_MAX), {
    description: `Page number, from zero. Default ${PAGE_DEFAULT}.`,
    example: 0,
  }).optional(),
  size: described(z.int().min(1).max(SIZE_MAX), {
    description: `Rows of a page, 1 to ${SIZE_MAX}. Default ${SIZE_DEFAULT}.`,
    example: 10,
  }).optional(),
};
