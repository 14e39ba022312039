import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

export const sandboxPath = "/sandbox/v1";

/** Who calls, by the merchant's own `Api-Key` and address; null when that key may not be used from there. */
export type MerchantOf = (apiKey: string, address: string) => Promise<{ readonly merchantId: number } | null>;

export const bodyBytesMax = 16 * 1024;
/** Our keys have 40 characters or so; a longer text is not worth a hash. */
const apiKeyCharactersMax = 256;

export interface Fault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

const onFreshMerchantOnly = (what: string): Fault => ({
  status: 409,
  code: "scenario_needs_fresh_merchant",
  message: `${what}: npm run scenarios plays it on a merchant made for it`,
});

export const faults = {
  unauthorized: {
    status: 401,
    code: "unauthorized",
    message: "send your merchant's Api-Key header, from an address that the key allows",
  },
  not_found: { status: 404, code: "not_found", message: `nothing is played here; GET ${sandboxPath}/ lists what is` },
  network_unauthorized: {
    status: 401,
    code: "unauthorized",
    message: "send Authorization: Bearer with the network's token: the file has the transactions of every merchant",
  },
  day_unknown: { status: 404, code: "day_unknown", message: "name a day as yyyy-mm-dd" },
  day_not_over: {
    status: 409,
    code: "day_not_over",
    message: "the network closes a day at midnight UTC; move the sandbox's clock on and ask again",
  },
  card_unknown: { status: 404, code: "card_unknown", message: "your merchant has no such card", field: "card_no" },
  card_not_physical: { status: 409, code: "card_not_physical", message: "a virtual card is not made or shipped" },
  state_change_not_allowed: {
    status: 409,
    code: "state_change_not_allowed",
    message: "ordered cards are made, shipped or fail; made cards are shipped; shipped and failed ones stay so",
  },
  not_json: { status: 400, code: "not_json", message: "the body must be a JSON object" },
  too_large: { status: 413, code: "too_large", message: `the body may have ${bodyBytesMax} bytes` },
  wrong_media_type: { status: 415, code: "wrong_media_type", message: "the body must be application/json" },
  too_many_messages: {
    status: 429,
    code: "too_many_messages",
    message: "too many messages are being played at once; try again",
  },
  scenario_unknown: {
    status: 404,
    code: "scenario_unknown",
    message: `GET ${sandboxPath}/scenarios lists what there is`,
  },
  scenario_of_other_mode: { status: 409, code: "scenario_of_other_mode", message: "it is not of your merchant's mode" },
  changes_settings: onFreshMerchantOnly("it changes the merchant's settings"),
  acts_as_operator: onFreshMerchantOnly("it acts as the operator"),
  restarts_platform: onFreshMerchantOnly("it restarts the platform"),
  directs_server: onFreshMerchantOnly("it tells the merchant's server how to behave"),
  exact_reserve: onFreshMerchantOnly("it needs a reserve that is exactly so"),
  scenario_under_way: { status: 409, code: "scenario_under_way", message: "your merchant is playing one already" },
  too_many_scenarios: {
    status: 429,
    code: "too_many_scenarios",
    message: "too many scenarios are being played at once; try again",
  },
  run_unknown: { status: 404, code: "run_unknown", message: "your merchant has no such run", field: "run_id" },
  merchant_closed: { status: 409, code: "merchant_closed", message: "your merchant is closed and changes no more" },
  listen_unknown: {
    status: 404,
    code: "listen_unknown",
    message: `your merchant has no such listener, or not any more: another one took its place, or its stream was away for 30 s; POST ${sandboxPath}/listen`,
    field: "listen_id",
  },
  request_unknown: {
    status: 404,
    code: "request_unknown",
    message: "nobody waits for this answer, or not any more",
    field: "request_id",
  },
  too_many_listeners: { status: 429, code: "too_many_listeners", message: "too many listeners are connected here" },
  network_unavailable: { status: 503, code: "network_unavailable", message: "the card network does not answer now" },
  too_far_ahead: { status: 409, code: "too_far_ahead", message: "the clock may be 10 years ahead of real time" },
  clock_is_moving: {
    status: 409,
    code: "clock_is_moving",
    message: "somebody else is moving the clock; try again",
  },
  no_database: { status: 503, code: "no_database", message: "the database cannot be reached; try again" },
  unexpected: { status: 500, code: "unexpected", message: "something failed on our side" },
} as const satisfies Record<string, Fault>;

export function send(reply: FastifyReply, fault: Fault): FastifyReply {
  if (fault.status === 503) {
    reply.header("retry-after", "2");
  }
  const { code, message, field = "" } = fault;
  return reply.code(fault.status).send({ error: { code, message, field } });
}

export interface Call<Deps> {
  readonly deps: Deps;
  readonly merchantId: number;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Handler<Deps> = (call: Call<Deps>) => Promise<FastifyReply> | FastifyReply;

/** Runs a handler as the merchant whose key was sent. */
export function asMerchant<Deps extends { readonly merchantOf: MerchantOf }>(deps: Deps, handler: Handler<Deps>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const apiKey = request.headers["api-key"];
    const usable = typeof apiKey === "string" && apiKey !== "" && apiKey.length <= apiKeyCharactersMax;
    const merchant = usable ? await deps.merchantOf(apiKey, request.ip) : null;
    return merchant === null
      ? send(reply, faults.unauthorized)
      : handler({ deps, merchantId: merchant.merchantId, request, reply });
  };
}

export function inputFault(error: z.ZodError): Fault {
  const [issue] = error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  return { status: 400, code: "invalid_field", field, message: issue?.message ?? "is not valid" };
}
