import type { FastifyError, FastifySchemaValidationError } from "fastify";
import { z } from "zod";
import { errorCode, isUnavailable } from "#database/index.ts";
import type { InvalidInput } from "#products/index.ts";
import { type Refusal, type RefusalCode, refusalAnswers } from "./refusals.ts";
import { UploadTooLarge } from "./spooled-upload.ts";

/** What a failed call answers. */
export const errorBody = z.strictObject({
  error: z.strictObject({
    code: z.string().meta({ description: "Name of the error, for programs." }),
    message: z.string().meta({ description: "A sentence, for people." }),
    field: z.string().exactOptional().meta({ description: "Dotted path of the field that is wrong." }),
  }),
});

export interface ErrorAnswer {
  readonly status: number;
  readonly body: z.infer<typeof errorBody>;
  readonly retryAfterSeconds?: number;
}

/** Errors of the API itself, before or beside the rooms. */
export const ownErrors = {
  unauthorized: { status: 401, message: "send Authorization: Bearer with your token" },
  too_many_attempts: { status: 429, message: "too many wrong tokens from this address; wait" },
  invalid_json: { status: 400, message: "the body is not JSON as it is read here: UTF-8, no duplicate keys" },
  invalid_field: { status: 400, message: "is not valid" },
  not_found: { status: 404, message: "there is no such path" },
  body_too_large: { status: 413, message: "the body is larger than 32 KiB, or 256 MiB for a settlement file" },
  unsupported_media_type: {
    status: 415,
    message: "send Content-Type: application/json, or text/csv for a settlement file",
  },
  bad_request: { status: 400, message: "the request cannot be read" },
  unavailable: { status: 503, message: "the database is away; try again" },
  internal_error: { status: 500, message: "something failed here; nothing was changed" },
} as const;
export type OwnError = keyof typeof ownErrors;

export function ownError(code: OwnError, more: { message?: string; field?: string } = {}): ErrorAnswer {
  const { status, message } = ownErrors[code];
  return { status, body: { error: { code, message, ...more } } };
}

export function refusalAnswer(refusal: Refusal): ErrorAnswer {
  return typeof refusal === "string" ? namedRefusal(refusal) : invalidInput(refusal);
}

function namedRefusal(code: RefusalCode): ErrorAnswer {
  const { status, message, field } = refusalAnswers[code];
  return { status, body: { error: { code, message, ...(field !== undefined && { field }) } } };
}

/** The rooms name fields in camel case, the wire in snake case. */
function invalidInput({ field, message }: InvalidInput): ErrorAnswer {
  const wireField = field.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
  return ownError("invalid_field", { field: wireField, message });
}

/** What Fastify or a handler threw. Nothing of the error's own text goes out, except what AJV says about a field. */
export function thrownAnswer(error: FastifyError): ErrorAnswer {
  const [issue] = error.validation ?? [];
  if (issue !== undefined) return invalidPart(issue, error.validationContext);
  if (error instanceof UploadTooLarge) return ownError("body_too_large");
  if (isUnavailable(error)) return { ...ownError("unavailable"), retryAfterSeconds: 1 };
  switch (errorCode(error)) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return ownError("body_too_large");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return ownError("unsupported_media_type");
    default:
      return isClientError(error) ? ownError("bad_request") : ownError("internal_error");
  }
}

function isClientError(error: FastifyError): boolean {
  const { statusCode = 500 } = error;
  return errorCode(error).startsWith("FST_") && statusCode >= 400 && statusCode < 500;
}

/** A path whose number has the wrong form names something that does not exist. */
function invalidPart(issue: FastifySchemaValidationError, context: string | undefined): ErrorAnswer {
  if (context === "params") return ownError("not_found");
  const place = issue.instancePath.slice(1).replaceAll("/", ".");
  const within = (name: unknown): string => [place, String(name)].filter((part) => part !== "").join(".");
  switch (issue.keyword) {
    case "additionalProperties":
      return ownError("invalid_field", { field: within(issue.params["additionalProperty"]), message: "is not known" });
    case "required":
      return ownError("invalid_field", { field: within(issue.params["missingProperty"]), message: "is required" });
    default:
      return ownError("invalid_field", {
        field: place === "" ? (context ?? "body") : place,
        message: issue.message ?? "is not valid",
      });
  }
}
