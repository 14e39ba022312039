/** The generated JSON schemas as data that can be read without trust, and examples made from them. */
import { z } from "zod";

export interface JsonSchema {
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly examples?: readonly unknown[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly maxLength?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly items?: JsonSchema | undefined;
}

const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    description: z.string().optional(),
    examples: z.array(z.unknown()).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    maxLength: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    required: z.array(z.string()).optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    items: jsonSchema.optional(),
  }),
);

/** The JSON schema (2020-12, as OpenAPI 3.1 wants it) of a contract schema. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return withoutUndefined(jsonSchema.parse(z.toJSONSchema(schema, { io: "input" })));
}

/** zod gives a number without bounds the bounds of a safe integer, which say nothing to a reader. */
function withoutUndefined(schema: JsonSchema): JsonSchema {
  const { minimum, maximum, properties, items, ...rest } = schema;
  return {
    ...rest,
    ...(minimum !== undefined && Number.MIN_SAFE_INTEGER !== minimum && { minimum }),
    ...(maximum !== undefined && Number.MAX_SAFE_INTEGER !== maximum && { maximum }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, withoutUndefined(property)]),
      ),
    }),
    ...(items !== undefined && { items: withoutUndefined(items) }),
  };
}

/** A value of the schema's shape, made of the fields' own examples. */
export function exampleOf(schema: JsonSchema): unknown {
  if (schema.examples !== undefined && schema.examples.length > 0) return schema.examples[0];
  if (schema.properties !== undefined) {
    return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, exampleOf(property)]));
  }
  if (schema.items !== undefined) return [exampleOf(schema.items)];
  return schema.const ?? schema.enum?.[0] ?? "";
}

/** Like `exampleOf`, with the required fields and only those optional ones that are named. */
export function requestExampleOf(schema: JsonSchema, shownOptional: readonly string[]): Record<string, unknown> {
  const shown = new Set([...(schema.required ?? []), ...shownOptional]);
  return Object.fromEntries(
    Object.entries(schema.properties ?? {})
      .filter(([name]) => shown.has(name))
      .map(([name, property]) => [name, exampleOf(property)]),
  );
}
