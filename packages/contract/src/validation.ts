/**
 * Checking a request against its schema (contract section 9, "Parsing"): which field is wrong first, and with which
 * code. The schemas are compiled once; a valid request costs one pass of generated code.
 */
import { Ajv, type ErrorObject } from "ajv";
import { z } from "zod";
import { CARD_TYPES, type MerchantMode } from "./constants.ts";
import { type EndpointId, endpointById, type RequestInput } from "./endpoints.ts";
import type { ErrorName } from "./errors.ts";
import { type AddressRules, FORMATS, isFormatName } from "./formats.ts";
import { requiredAddressFields } from "./schemas/card.ts";

export interface FieldError {
  /** Dotted path (`address_info.city`), or `body` when there is no object at all. */
  readonly field: string;
  readonly error: ErrorName;
}

export type ValidationResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | ({ readonly ok: false } & FieldError);

export interface ValidationContext {
  /** The calling merchant's mode, which decides the product number of `card/apply`. */
  readonly mode?: MerchantMode;
}

export interface ValidatorOptions {
  /** Without them, a country is any two capital letters and a postal code any address text. */
  readonly addressRules?: AddressRules;
}

/** Checks path parameters or a parsed body. Never throws. The value holds the declared fields only. */
export type Validator<Value> = (input: unknown, context?: ValidationContext) => ValidationResult<Value>;

type Fields = Record<string, unknown>;

/** One declared field, in the flat order in which errors are reported. */
interface DeclaredField {
  readonly path: string;
  readonly name: string;
  readonly parent: string | null;
  readonly required: boolean;
  readonly format: keyof typeof FORMATS | null;
}

/** The part of a generated JSON schema that this module reads. */
const objectSchema = z.object({
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  format: z.string().optional(),
});

// `allErrors` stays bounded: a few errors for each declared field, and in an array one for each item that 64 KiB of body hold.
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  coerceTypes: false,
  removeAdditional: false,
  validateFormats: false,
});

/**
 * The validator of an endpoint's body or path parameters. A JSON null and an empty or blank text of an optional field
 * count as absent. Errors are those of sections 3 and 9: `wrong_type`, `invalid_parameter`, and the field's own codes.
 */
export function compileValidator<const Id extends EndpointId>(
  endpointId: Id,
  options: ValidatorOptions = {},
): Validator<RequestInput<Id>> {
  const { request } = endpointById(endpointId);
  return compileRequestValidator<RequestInput<Id>>(request, {
    addressRules: options.addressRules,
    checkTogether: endpointId === "card.apply" ? cardApplyErrors : undefined,
  });
}

/** The validator of one request schema; `checkTogether` finds what is wrong about several fields at once. */
export function compileRequestValidator<Input>(
  request: z.ZodObject,
  options: {
    readonly addressRules?: AddressRules | undefined;
    readonly checkTogether?: ((value: Fields, context: ValidationContext) => readonly FieldError[]) | undefined;
  },
): Validator<Input> {
  const schema = z.toJSONSchema(request, { target: "draft-7", io: "input" });
  const matches = ajv.compile<Input>(schema);
  const declared = declaredFields(schema, null);
  const { checkTogether = noErrors } = options;

  return (input, context = {}) => {
    if (!isFields(input)) return { ok: false, field: "body", error: "invalid_parameter" };
    const value: unknown = withoutAbsent(input, { declared, parent: null });
    if (!isFields(value)) throw new Error("an object stays an object");
    const valid = matches(value);
    const errors = valid ? new Map<string, ErrorName>() : schemaErrors(matches.errors ?? [], value);
    addFormatErrors(errors, { value, declared, addressRules: options.addressRules });
    for (const { field, error } of checkTogether(value, context)) addFirst(errors, field, error);
    if (valid && errors.size === 0) return { ok: true, value };
    return { ok: false, ...firstError(errors, declared) };
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function declaredFields(schema: unknown, parent: string | null): readonly DeclaredField[] {
  const { properties = {}, required = [] } = objectSchema.parse(schema);
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = parent === null ? name : `${parent}.${name}`;
    const { format } = objectSchema.parse(property);
    const field: DeclaredField = {
      path,
      name,
      parent,
      required: required.includes(name),
      format: isFormatName(format) ? format : null,
    };
    return [field, ...declaredFields(property, path)];
  });
}

/** A copy with the declared fields only, without those that count as absent. */
function withoutAbsent(input: Fields, options: { declared: readonly DeclaredField[]; parent: string | null }): Fields {
  const kept: Fields = {};
  for (const field of options.declared) {
    if (field.parent !== options.parent || !Object.hasOwn(input, field.name)) continue;
    const value = input[field.name];
    if (value === null || value === undefined) continue;
    if (!field.required && typeof value === "string" && value.trim() === "") continue;
    const isNested = isFields(value) && options.declared.some((inner) => inner.parent === field.path);
    kept[field.name] = isNested ? withoutAbsent(value, { declared: options.declared, parent: field.path }) : value;
  }
  return kept;
}

function schemaErrors(found: readonly ErrorObject[], value: Fields): Map<string, ErrorName> {
  const errors = new Map<string, ErrorName>();
  for (const error of found) {
    const path = fieldOf(pathOf(error));
    // A value of the wrong type may also miss an enumeration or a pattern; the type is what gets reported.
    if (isWrongType(error, value)) errors.set(path, "wrong_type");
    else addFirst(errors, path, "invalid_parameter");
  }
  return errors;
}

/** An item of an array is reported as the array: `callback_ids` for `callback_ids.3`. */
function fieldOf(path: string): string {
  return path.replace(/\.\d+$/u, "");
}

function addFirst(errors: Map<string, ErrorName>, field: string, error: ErrorName): void {
  if (!errors.has(field)) errors.set(field, error);
}

function pathOf(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replaceAll("/", ".");
  if (error.keyword !== "required") return path;
  const missing = String(error.params["missingProperty"]);
  return path === "" ? missing : `${path}.${missing}`;
}

/** A number with a fraction where an integer belongs has the right JSON type and is out of range. */
function isWrongType(error: ErrorObject, value: Fields): boolean {
  if (error.keyword !== "type") return false;
  return !(error.params["type"] === "integer" && typeof valueAt(value, pathOf(error)) === "number");
}

function valueAt(value: Fields, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, name) => (isFields(inner) ? inner[name] : undefined), value);
}

function addFormatErrors(
  errors: Map<string, ErrorName>,
  options: { value: Fields; declared: readonly DeclaredField[]; addressRules: AddressRules | undefined },
): void {
  for (const field of options.declared) {
    if (field.format === null || errors.has(field.path)) continue;
    const siblings = field.parent === null ? options.value : valueAt(options.value, field.parent);
    if (!isFields(siblings)) continue;
    const text = siblings[field.name];
    if (typeof text !== "string") continue;
    const error = FORMATS[field.format](text, { siblings, addressRules: options.addressRules });
    if (error !== null) errors.set(field.path, error);
  }
}

function firstError(errors: ReadonlyMap<string, ErrorName>, declared: readonly DeclaredField[]): FieldError {
  for (const { path } of declared) {
    const error = errors.get(path);
    if (error !== undefined) return { field: path, error };
  }
  throw new Error("an error belongs to a declared field");
}

function noErrors(): readonly FieldError[] {
  return [];
}

/** What `card/apply` asks of several fields together: the product number of the mode, and the address of the card. */
function cardApplyErrors(value: Fields, context: ValidationContext): readonly FieldError[] {
  return [...productNumberErrors(value, context), ...addressErrors(value)];
}

function productNumberErrors(value: Fields, context: ValidationContext): readonly FieldError[] {
  const [own, other] =
    context.mode === "CREDIT_EXTENSION" ? ["package_no", "card_bin_no"] : ["card_bin_no", "package_no"];
  if (context.mode !== undefined && value[other] !== undefined) return [{ field: other, error: "mode_not_supported" }];
  // Without a known mode either number will do.
  const missing = value[own] === undefined && value[other] === undefined;
  return missing ? [{ field: own, error: "invalid_parameter" }] : [];
}

function addressErrors(value: Fields): readonly FieldError[] {
  const cardType = CARD_TYPES.find((type) => type === value["card_type"]);
  const address = value["address_info"];
  // A wrong card_type is reported before any address.
  if (cardType === undefined) return [];
  if (address === undefined) {
    return cardType === "Physical" ? [{ field: "address_info", error: "address_required" }] : [];
  }
  if (!isFields(address)) return [];
  return requiredAddressFields[cardType]
    .filter((name) => address[name] === undefined)
    .map((name) => ({ field: `address_info.${name}`, error: "invalid_parameter" }));
}
