import { type Callback, type CallbackRequest, verifyCallback } from "./callback-signature.ts";
import { applyCardUpdate, readCardUpdate } from "./cards.ts";
import type { Database } from "./database.ts";
import { authorizationCodes, bookConsumption, decideAuthorization, readPurchase } from "./purchases.ts";
import type { Mode } from "./users.ts";

export interface CallbackDeps {
  readonly db: Database;
  readonly mode: Mode;
  readonly appId: string;
  readonly apiSecret: string;
  readonly now: () => number;
}

/** What the platform is answered, always with HTTP 200; any code but 0 is a no to `Auth` and a failed try of the others. */
export interface CallbackAnswer {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
}

/** What became of a callback; `refused` alone did not verify. */
type Outcome = "applied" | "repeated" | "superseded" | "ignored" | "not_as_agreed" | "cardholder_unknown" | "refused";

const callbacksKeptMax = 10_000n;
/** Of a body that nobody signed only the beginning is kept: a stranger must not fill the disk. */
const refusedCharactersKeptMax = 2048;

/** Verifies a callback, does what it says and notes it down, in one transaction: an answer of code 0 means it is booked. */
export function receiveCallback(deps: CallbackDeps, request: CallbackRequest): CallbackAnswer {
  const nowMs = deps.now();
  const verified = verifyCallback(request, { appId: deps.appId, apiSecret: deps.apiSecret, nowMs });
  const raw = Buffer.from(request.body).toString("utf8");
  return deps.db.transaction(() => {
    if (!verified.ok) {
      note(deps.db, { outcome: "refused", raw: raw.slice(0, refusedCharactersKeptMax), nowMs });
      return { code: 401, message: verified.reason };
    }
    const { outcome, answer } = handle(deps, verified.callback, nowMs);
    note(deps.db, { outcome, raw, nowMs });
    return answer;
  });
}

interface Handled {
  readonly outcome: Outcome;
  readonly answer: CallbackAnswer;
}

const done: CallbackAnswer = { code: 0, message: "" };
const notAsAgreed: Handled = { outcome: "not_as_agreed", answer: { code: 400, message: "data not as agreed" } };

function handle(deps: CallbackDeps, callback: Callback, nowMs: number): Handled {
  switch (callback.action) {
    case "Auth":
      return answerAuth(deps, callback);
    case "Consumption":
      return answerConsumption(deps, callback, nowMs);
    case "Card_update":
      return answerCardUpdate(deps, callback, nowMs);
    default:
      // Actions may be added to the contract. A failure would only have this one sent again for thirty days.
      return { outcome: "ignored", answer: done };
  }
}

function answerAuth(deps: CallbackDeps, callback: Callback): Handled {
  const purchase = readPurchase(callback.data);
  // In credit mode the platform decides by itself and never asks.
  if (purchase === undefined || purchase.status !== "Pending" || deps.mode !== "AUTHORIZATION") return notAsAgreed;
  const { decision, repeated } = decideAuthorization(deps.db, purchase);
  const outcome = repeated ? "repeated" : "applied";
  if (decision === "approved") return { outcome, answer: done };
  const message = decision.replaceAll("_", " ");
  return { outcome, answer: { code: authorizationCodes[decision], message, reason: decision } };
}

function answerConsumption(deps: CallbackDeps, callback: Callback, nowMs: number): Handled {
  const purchase = readPurchase(callback.data);
  if (purchase === undefined) return notAsAgreed;
  const outcome = bookConsumption(deps.db, callback, purchase, nowMs);
  // Not accepted, so that it comes again: our own record of the cardholder may be late.
  if (outcome === "cardholder_unknown") return { outcome, answer: { code: 404, message: "cardholder unknown" } };
  return { outcome, answer: done };
}

function answerCardUpdate(deps: CallbackDeps, callback: Callback, nowMs: number): Handled {
  const update = readCardUpdate(callback.data);
  if (update === undefined) return notAsAgreed;
  return { outcome: applyCardUpdate(deps.db, callback, update, nowMs), answer: done };
}

function note(db: Database, callback: { outcome: Outcome; raw: string; nowMs: number }): void {
  const values = { ...callback, verified: callback.outcome === "refused" ? 0 : 1, callbacksKeptMax };
  db.run(
    "INSERT INTO callbacks (received_at, verified, outcome, raw) VALUES (:nowMs, :verified, :outcome, :raw)",
    values,
  );
  db.run(
    "DELETE FROM callbacks WHERE callback_id <= (SELECT max(callback_id) FROM callbacks) - :callbacksKeptMax",
    values,
  );
  db.run(
    "INSERT INTO callback_counts VALUES (:outcome, 1) ON CONFLICT (outcome) DO UPDATE SET count = count + 1",
    values,
  );
}
