import { DEVELOPER_ERRORS } from "./developer-errors.ts";
import { type ErrorEntry, type Language, OPEN_API_ERRORS } from "./error-registry.ts";

export type { Language } from "./error-registry.ts";

/** Every error code a merchant can see: those of contract section 5, then those of the developer API alone. */
export const ERRORS = { ...OPEN_API_ERRORS, ...DEVELOPER_ERRORS } as const;

export type ErrorName = keyof typeof ERRORS;
export type ErrorCode = (typeof ERRORS)[ErrorName]["code"];

export interface ErrorDescription extends ErrorEntry {
  readonly name: ErrorName;
}

export const SUCCESS = { code: 0, en: "Success", zh: "成功" } as const;

const names: readonly ErrorName[] = Object.keys(ERRORS).filter(isErrorName);

/** All errors in the order of their codes. */
export const errorList: readonly ErrorDescription[] = names.map(errorByName);

/** True for a name of the registry. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name);
}

/** True for the codes that the developer API alone can answer. */
export function isDeveloperError(name: ErrorName): boolean {
  return Object.hasOwn(DEVELOPER_ERRORS, name);
}

/** The registry's entry of one error, with its name. */
export function errorByName(name: ErrorName): ErrorDescription {
  return { name, ...ERRORS[name] };
}

/** The entry of a numeric code as it stands in an envelope; undefined for 0 and for codes that do not exist. */
export function errorByCode(code: number): ErrorDescription | undefined {
  return errorList.find((error) => error.code === code);
}

/** The numeric code of the envelope (section 5). */
export function codeOf(name: ErrorName): ErrorCode {
  return ERRORS[name].code;
}

/** The envelope's `msg` without a field (sections 1 and 5). */
export function messageOf(name: ErrorName | "success", language: Language): string {
  const entry = name === "success" ? SUCCESS : ERRORS[name];
  return language === "zh_CN" ? entry.zh : entry.en;
}

/**
 * The envelope's `msg` for an error found in a field, `<field> <message>` (section 1). `field` is a dotted path. Errors
 * that are about the whole call keep their message without the field.
 */
export function fieldMessage(options: { field: string; name: ErrorName; language: Language }): string {
  const message = messageOf(options.name, options.language);
  return ERRORS[options.name].wording === "field" ? `${options.field} ${message}` : message;
}

/** The `Language` header: `zh_CN` is Chinese, everything else (also absent) is English (section 1). */
export function languageOf(header: string | undefined): Language {
  return header === "zh_CN" ? "zh_CN" : "en_US";
}
