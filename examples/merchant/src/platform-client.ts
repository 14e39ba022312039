import { exchangeJson, NoAnswer } from "./http-json.ts";

/** The platform answered and refused: `code` and `msg` are the envelope's (contract section 5). */
export class PlatformError extends Error {
  readonly code: number;
  readonly msg: string;
  constructor(path: string, code: number, msg: string) {
    super(`${path} was refused: ${code} ${msg}`);
    this.name = "PlatformError";
    this.code = code;
    this.msg = msg;
  }
}

export interface PlatformOptions {
  /** Origin of the platform, `https://…` without a path. */
  readonly url: string;
  readonly apiKey: string;
  readonly now: () => number;
  readonly timeoutMs?: number;
}

export interface CardStatus {
  readonly status: string;
  readonly lastNo: string;
}

/** The calls this merchant needs of the Open API. All throw PlatformError or NoAnswer. */
export interface PlatformClient {
  /** Asynchronous on the platform: poll `cardholderStatus` until it is final. Answers the cardholder_no. */
  applyCardholder(application: {
    /** Only to apply again after a rejection. */
    cardholder_no?: string;
    cardholder_unique_no: string;
    sumsub_share_token: string;
  }): Promise<string>;
  /** `Pending | In_progress | Approved | Rejected` */
  cardholderStatus(cardholderNo: string): Promise<string>;
  /** Answers the card_no. The same card_unique_no with the same content answers the same card. */
  applyCard(application: Readonly<Record<string, unknown>>): Promise<string>;
  cardStatus(cardNo: string): Promise<CardStatus>;
  /** Credit mode: grants credit, once per transfer_unique_no. `balance` is the amount, a decimal text. */
  transferIn(transfer: { cardholder_no: string; transfer_unique_no: string; balance: string }): Promise<void>;
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

interface Token {
  readonly value: string;
  /** Unix ms. */
  readonly expiresAt: number;
}

interface Deps extends PlatformOptions {
  token: Token | undefined;
  /** The request for a new token while it runs: callers that need one at the same moment share it. */
  renewal: Promise<Token> | undefined;
}

const tokenInvalid = 1007;
/** Renewed a minute early, so that no token runs out while a call is on its way. */
const renewBeforeMs = 60_000;
const timeoutMs = 10_000;

export function createPlatformClient(options: PlatformOptions): PlatformClient {
  const deps: Deps = { ...options, token: undefined, renewal: undefined };
  return {
    applyCardholder: async (body) => field(await post(deps, "/cardholder/apply", body), "cardholder_no"),
    cardholderStatus: async (no) => field(await get(deps, `/cardholder/${encodeURIComponent(no)}/info`), "status"),
    applyCard: async (body) => field(await post(deps, "/card/apply", body), "card_no"),
    cardStatus: async (no) => readCardStatus(await get(deps, `/card/${encodeURIComponent(no)}/detail`)),
    transferIn: async (body) => void (await post(deps, "/account/transfer", { ...body, type: "In" })),
  };
}

function get(deps: Deps, path: string): Promise<unknown> {
  return authenticated(deps, { method: "GET", path });
}

function post(deps: Deps, path: string, body: Readonly<Record<string, unknown>>): Promise<unknown> {
  return authenticated(deps, { method: "POST", path, body });
}

/** A token may be ended at any time by the platform: a call refused for its token is made once more with a new one. */
async function authenticated(deps: Deps, call: Call): Promise<unknown> {
  const token = await currentToken(deps);
  try {
    return await send(deps, call, token);
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== tokenInvalid) throw error;
    if (deps.token === token) deps.token = undefined;
    return await send(deps, call, await currentToken(deps));
  }
}

async function currentToken(deps: Deps): Promise<Token> {
  if (deps.token !== undefined && deps.token.expiresAt - deps.now() > renewBeforeMs) return deps.token;
  deps.renewal ??= renewToken(deps);
  return await deps.renewal;
}

async function renewToken(deps: Deps): Promise<Token> {
  try {
    const path = "/merchant/token";
    const data = await send(deps, { method: "GET", path }, undefined);
    const expiresAt = isRecord(data) ? data["expired_time"] : undefined;
    if (typeof expiresAt !== "number") throw new NoAnswer(path, "no expired_time in the answer");
    deps.token = { value: field(data, "access_token"), expiresAt };
    return deps.token;
  } finally {
    deps.renewal = undefined;
  }
}

/** One call; answers the envelope's `data`. The HTTP status is not looked at, the code says it all. The Timestamp is made per call: the platform refuses one older than 60 s. */
async function send(deps: Deps, call: Call, token: Token | undefined): Promise<unknown> {
  const headers = new Headers({
    "Api-Key": deps.apiKey,
    Timestamp: String(deps.now()),
    Language: "en_US",
  });
  if (token !== undefined) headers.set("Access-Token", token.value);
  const url = new URL(`/open-api/v1${call.path}`, deps.url);
  const { method, body } = call;
  const answer = await exchangeJson({ url, method, headers, body, timeoutMs: deps.timeoutMs ?? timeoutMs });
  if (!isRecord(answer) || typeof answer["code"] !== "number") {
    throw new NoAnswer(call.path, "the answer is not an envelope");
  }
  if (answer["code"] !== 0) throw new PlatformError(call.path, answer["code"], String(answer["msg"]));
  return answer["data"];
}

function readCardStatus(data: unknown): CardStatus {
  return { status: field(data, "status"), lastNo: field(data, "card_last_no") };
}

function field(data: unknown, name: string): string {
  const value = isRecord(data) ? data[name] : undefined;
  if (typeof value !== "string") throw new NoAnswer("the call", `no ${name} in the answer`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
