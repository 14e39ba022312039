import { createHash, timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import { DECLINES, isDeclineReason } from "@cardwright/contract";
import type { FastifyError, FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import type { Pool } from "pg";
import { z } from "zod";
import { isUnavailable } from "#database/index.ts";
import { type Result, unreachable } from "#kernel/index.ts";
import { isDay } from "#settlement/index.ts";
import type { TellRefusal, ToldState } from "./card-maker.ts";
import type { MovableClock } from "./clock.ts";
import type { ClockMove, ClockMoveRefusal } from "./clock-move.ts";
import { type DurationRefusal, durationDaysMax, parseDuration } from "./duration.ts";
import { isDayOver, settlementFile } from "./network-book.ts";
import { playable } from "./playable.ts";
import type { PurchaseRefusal, Terminal, TerminalPurchase, TerminalReceipt } from "./terminal.ts";

export const sandboxPath = "/sandbox/v1";
/** The same calls under the shorter path. */
const sandboxAlias = "/sandbox";

export interface SandboxApiDeps {
  readonly pool: Pool;
  /** Who shows it may fetch the network's settlement file, which has the transactions of every merchant. */
  readonly networkToken: string;
  /** Who calls, by the merchant's own `Api-Key` and address; null when that key may not be used from there. */
  readonly merchantOf: (apiKey: string, address: string) => Promise<{ readonly merchantId: number } | null>;
  readonly clock: MovableClock;
  /** Moves the clock by milliseconds and does what becomes due on the way. */
  readonly moveClock: (ms: number) => Promise<Result<ClockMove, ClockMoveRefusal>>;
  readonly terminal: Terminal;
  readonly tellCardMaker: (told: {
    readonly merchantId: number;
    readonly cardNo: string;
    readonly state: ToldState;
  }) => Promise<Result<null, TellRefusal>>;
  /** Told what went wrong on our side; gets no part of the request. */
  readonly onError: (error: unknown) => void;
}

const bodyBytesMax = 16 * 1024;
/** Our keys have 40 characters or so; a longer text is not worth a hash. */
const apiKeyCharactersMax = 256;

interface Fault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

const faults = {
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
  too_many_purchases: {
    status: 429,
    code: "too_many_purchases",
    message: "too many purchases are being played at once; try again",
  },
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

const durationMessages: Record<DurationRefusal, string> = {
  not_a_duration: 'must be an ISO 8601 duration such as "P7D", "PT1H30M" or "P13M"',
  not_positive: "must be longer than nothing: the clock moves forward only",
  too_long: `may be ${durationDaysMax} days at most; call again to go on`,
};

const decimalText = z
  .string('must be a decimal text, such as "12.50"')
  .regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u, 'must be a decimal text, such as "12.50"');

const purchaseInput = z.strictObject({
  card_no: z.string().min(1).max(32),
  amount: decimalText,
  currency: z.string().max(8).default("USD"),
  /** What the network converted the amount to, in US dollars. */
  billing_amount: decimalText.optional(),
  kind: z.enum(["purchase", "atm"]).default("purchase"),
  wallet: z.boolean().default(false),
  merchant: z
    .strictObject({
      name: z.string().max(128).default("Sandbox Shop"),
      mcc: z.string().max(4).default("5999"),
      city: z.string().max(64).default("Singapore"),
      country: z.string().max(2).default("SG"),
    })
    .prefault({}),
  network_reference: z.string().max(64).optional(),
  wrong_cvv: z.boolean().default(false),
  wrong_expiry: z.boolean().default(false),
});

const clockInput = z.strictObject({ advance: z.string().max(64) });

function send(reply: FastifyReply, fault: Fault): FastifyReply {
  if (fault.status === 503) {
    reply.header("retry-after", "2");
  }
  const { code, message, field = "" } = fault;
  return reply.code(fault.status).send({ error: { code, message, field } });
}

/**
 * The sandbox's API for a merchant's developers, a Fastify plugin with its own paths: they play shops, the card maker and time
 * itself. Errors are HTTP statuses with `{"error":{"code","message","field"}}`.
 */
export function buildSandboxApi(deps: SandboxApiDeps): FastifyPluginCallback {
  return (server, _options, done) => {
    for (const prefix of [sandboxPath, sandboxAlias]) {
      server.register(
        (app, _inner, ready) => {
          routes(app, deps);
          ready();
        },
        { prefix },
      );
    }
    done();
  };
}

function routes(app: FastifyInstance, deps: SandboxApiDeps): void {
  app.setErrorHandler<FastifyError>((error, _request, reply) => send(reply, faultOf(deps, error)));
  app.setNotFoundHandler((_request, reply) => send(reply, faults.not_found));
  app.get("/", (_request, reply) => reply.send(playable));

  const options = { bodyLimit: bodyBytesMax };
  app.post("/purchases", options, asMerchant(deps, playPurchase));
  for (const [path, state] of [
    ["/cards/:card_no/make", "made"],
    ["/cards/:card_no/ship", "shipped"],
    ["/cards/:card_no/fail", "failed"],
  ] as const) {
    app.post(
      path,
      options,
      asMerchant(deps, (call) => tell(call, state)),
    );
  }
  app.get(
    "/clock",
    asMerchant(deps, ({ reply }) => reply.send(clockAnswer(deps.clock))),
  );
  app.post("/clock", options, asMerchant(deps, moveClock));
  app.get("/settlement/:day", (request, reply) => sendSettlementFile(deps, request, reply));
}

interface Call {
  readonly deps: SandboxApiDeps;
  readonly merchantId: number;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Handler = (call: Call) => Promise<FastifyReply> | FastifyReply;

/** Runs a handler as the merchant whose key was sent. */
function asMerchant(deps: SandboxApiDeps, handler: Handler) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const apiKey = request.headers["api-key"];
    const usable = typeof apiKey === "string" && apiKey !== "" && apiKey.length <= apiKeyCharactersMax;
    const merchant = usable ? await deps.merchantOf(apiKey, request.ip) : null;
    return merchant === null
      ? send(reply, faults.unauthorized)
      : handler({ deps, merchantId: merchant.merchantId, request, reply });
  };
}

async function playPurchase({ deps, merchantId, request, reply }: Call): Promise<FastifyReply> {
  const input = purchaseInput.safeParse(request.body);
  if (!input.success) {
    return send(reply, inputFault(input.error));
  }
  const receipt = await deps.terminal.purchase(purchaseOf(merchantId, input.data));
  return receipt.ok ? reply.send(receiptAnswer(receipt.value)) : send(reply, purchaseFault(receipt.reason));
}

function purchaseOf(merchantId: number, input: z.infer<typeof purchaseInput>): TerminalPurchase {
  return {
    merchantId,
    cardNo: input.card_no,
    amount: input.amount,
    currency: input.currency,
    kind: input.kind,
    wallet: input.wallet,
    shop: input.merchant,
    wrongCvv: input.wrong_cvv,
    wrongExpiry: input.wrong_expiry,
    ...(input.billing_amount === undefined ? {} : { billingAmount: input.billing_amount }),
    ...(input.network_reference === undefined ? {} : { networkReference: input.network_reference }),
  };
}

function receiptAnswer(receipt: TerminalReceipt): object {
  return {
    network_reference: receipt.networkReference,
    approved: receipt.approved,
    response_code: receipt.responseCode,
    reason: receipt.reason,
    detail: isDeclineReason(receipt.reason) ? DECLINES[receipt.reason].en : "",
    consume_no: receipt.consumeNo,
    repeat: receipt.repeat,
    platform_ms: receipt.platformMs,
    terminal_ms: receipt.terminalMs,
  };
}

function purchaseFault(refusal: PurchaseRefusal): Fault {
  switch (refusal.kind) {
    case "card_unknown":
    case "too_many_purchases":
    case "network_unavailable":
      return faults[refusal.kind];
    case "not_accepted":
      return { status: 400, code: "invalid_field", field: refusal.field, message: refusal.message };
    default:
      return unreachable(refusal);
  }
}

async function tell({ deps, merchantId, request, reply }: Call, state: ToldState): Promise<FastifyReply> {
  const cardNo = cardNoIn(request.params);
  const told = await deps.tellCardMaker({ merchantId, cardNo, state });
  return told.ok ? reply.send({ card_no: cardNo, state }) : send(reply, faults[told.reason]);
}

const cardNoIn = (params: unknown): string => {
  const parsed = z.object({ card_no: z.string().max(32) }).safeParse(params);
  return parsed.success ? parsed.data.card_no : "";
};

async function moveClock({ deps, request, reply }: Call): Promise<FastifyReply> {
  const input = clockInput.safeParse(request.body);
  if (!input.success) {
    return send(reply, inputFault(input.error));
  }
  const step = parseDuration(input.data.advance, { from: deps.clock.now() });
  if (!step.ok) {
    return send(reply, { status: 400, code: step.reason, field: "advance", message: durationMessages[step.reason] });
  }
  const moved = await deps.moveClock(step.value);
  if (!moved.ok) {
    return send(reply, faults[moved.reason]);
  }
  const { now, steps, ran, finished } = moved.value;
  return reply.send({ ...clockAnswer(deps.clock, now), steps, ran, finished });
}

function clockAnswer(clock: MovableClock, now = clock.now()): object {
  return { now, time: new Date(now).toISOString(), ahead_ms: clock.offsetMs() };
}

/** The network's daily file, as the operator of the platform fetches it from the real one. */
function sendSettlementFile(deps: SandboxApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isBearer(request.headers.authorization, deps.networkToken)) {
    return send(reply, faults.network_unauthorized);
  }
  const parsed = z.object({ day: z.string().max(10) }).safeParse(request.params);
  const day = parsed.success ? parsed.data.day : "";
  if (!isDay(day)) {
    return send(reply, faults.day_unknown);
  }
  if (!isDayOver(day, deps.clock.now())) {
    return send(reply, faults.day_not_over);
  }
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="sandbox-${day}.csv"`)
    .send(Readable.from(settlementFile(deps.pool, day)));
}

/** Digests have one length, so the comparison tells nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

function inputFault(error: z.ZodError): Fault {
  const [issue] = error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  return { status: 400, code: "invalid_field", field, message: issue?.message ?? "is not valid" };
}

function faultOf(deps: SandboxApiDeps, error: FastifyError): Fault {
  switch (error.statusCode ?? 500) {
    case 400:
      return faults.not_json;
    case 413:
      return faults.too_large;
    case 415:
      return faults.wrong_media_type;
    default:
      deps.onError(error);
      return isUnavailable(error) ? faults.no_database : faults.unexpected;
  }
}
