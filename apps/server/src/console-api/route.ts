import { Readable } from "node:stream";
import type { z } from "zod";
import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import type { Refusal, RefusalCode } from "./refusals.ts";
import { withSpooledUpload } from "./spooled-upload.ts";

/** What a handler gets: the parts of the request, which the route's schemas have let through, and who asks. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The header `Accept`; empty when there is none. */
  readonly accept: string;
  readonly by: Initiator;
}

/** An answer as comma separated values, where a route offers them beside JSON. */
export class CsvText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

interface RouteFacts {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** In the form of OpenAPI: `/merchants/{merchant_no}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** HTTP status of a success. */
  readonly status: 200 | 201 | 204;
  /** Everything that the rooms may answer instead; for the document. */
  readonly refusals: readonly RefusalCode[];
}

/** A body that is not JSON: it is given to the handler as it comes. */
export interface Upload {
  readonly mediaType: string;
  readonly bytesMax: number;
}

/** One endpoint as data: it is registered, validated, serialised and documented from here. */
export interface Route extends RouteFacts {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Instead of `body`. */
  readonly upload?: Upload;
  readonly answer?: z.ZodType;
  readonly handle: (call: Call<unknown, unknown, unknown>) => Promise<Result<unknown, Refusal>>;
}

interface TypedRoute<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> extends RouteFacts {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer?: Answer;
  readonly handle: (
    call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>,
  ) => Promise<Result<z.infer<Answer> | CsvText, Refusal>>;
}

/** Gives the handler the types of the route's own schemas. */
export function route<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodUndefined,
>(typed: TypedRoute<Params, Query, Body, Answer>): Route {
  const { handle } = typed;
  return {
    ...typed,
    // Fastify has validated these parts by the JSON schemas made from the same zod schemas, which transform nothing.
    handle: (call) => handle(call as Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>),
  };
}

/** An endpoint whose body is a file: it is spooled before the handler gets it, so the handler may take its time. */
export function uploadRoute<Answer extends z.ZodType>(
  typed: RouteFacts & {
    readonly upload: Upload;
    readonly answer: Answer;
    readonly handle: (call: {
      readonly upload: AsyncIterable<Uint8Array>;
      readonly by: Initiator;
    }) => Promise<Result<z.infer<Answer>, Refusal>>;
  },
): Route {
  const { handle, upload } = typed;
  return {
    ...typed,
    handle: async ({ body, by }) => {
      // The server's parser for the media type hands the body over unread.
      if (!(body instanceof Readable)) throw new TypeError("an upload comes as a stream");
      return withSpooledUpload(body, upload, (spooled) => handle({ upload: spooled, by }));
    },
  };
}
