import { codeOf, fieldMessage, type Language, messageOf, SUCCESS } from "@cardwright/contract";
import type { Fault } from "./answer.ts";

/** Contract section 1, "Response envelope". `data` is there only when `code` is 0. */
export interface Envelope {
  readonly code: number;
  readonly msg: string;
  readonly data?: unknown;
}

export function success(data: unknown, language: Language): Envelope {
  return { code: SUCCESS.code, msg: messageOf("success", language), data };
}

export function failure({ name, field }: Fault, language: Language): Envelope {
  const msg = field === undefined ? messageOf(name, language) : fieldMessage({ field, name, language });
  return { code: codeOf(name), msg };
}
