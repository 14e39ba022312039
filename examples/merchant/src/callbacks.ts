import {
  type AuthAnswer,
  type AuthCallback,
  approve,
  type Callback,
  type Callbacks,
  type CardUpdateCallback,
  type ConsumptionCallback,
  decline,
  type RawAnswer,
  type RawRequest,
} from "@cardwright/sdk";
import { applyCardUpdate } from "./cards.ts";
import type { Database } from "./database.ts";
import { authorizationCodes, bookConsumption, decideAuthorization, readPurchase } from "./purchases.ts";
import type { Mode } from "./users.ts";

export interface CallbackDeps {
  readonly db: Database;
  readonly mode: Mode;
  /** Of the SDK: verifies, tells repeats, keeps order, answers in time. */
  readonly callbacks: Callbacks;
  readonly now: () => number;
}

/** Answers a request to the callback URL. An answer of code 0 to a push means that it is booked. */
export type ReceiveCallback = (request: RawRequest & { readonly body: Uint8Array }) => Promise<RawAnswer>;

/** What became of a callback; `refused` alone did not verify. */
type Outcome = "applied" | "repeated" | "superseded" | "ignored" | "not_as_agreed" | "cardholder_unknown" | "refused";

const callbacksKeptMax = 10_000n;
/** Of a body that nobody signed only the beginning is kept: a stranger must not fill the disk. */
const refusedCharactersKeptMax = 2048;

/**
 * What this merchant does with its callbacks, each in one transaction with its note. The SDK answers a repeat from its memory; after
 * a restart the books tell it, which is why they remember pushes and answers as well.
 */
export function createCallbackReceiver(deps: CallbackDeps): ReceiveCallback {
  const handler = deps.callbacks.handler({
    onAuth: (callback) => answerAuth(deps, callback),
    onConsumption: (callback) => takeConsumption(deps, callback),
    onCardUpdate: (callback) => takeCardUpdate(deps, callback),
    // Actions may be added to the contract. A failure would only have this one sent again for thirty days.
    onOther: (callback) => noteOf(deps, callback, "ignored"),
    onRepeat: (callback) => noteOf(deps, callback, "repeated"),
    onError: (error, callback) => {
      // A request that did not verify is noted below, with its body; a push that was not taken has been noted.
      if (callback !== null && !(error instanceof NotTaken)) console.error(error);
    },
  });
  return async (request) => {
    const answer = await handler.handle(request);
    const raw = Buffer.from(request.body).toString("utf8").slice(0, refusedCharactersKeptMax);
    if (answer.status === 401) note(deps, { outcome: "refused", raw });
    if (answer.status === 400) note(deps, { outcome: "not_as_agreed", raw });
    return answer;
  };
}

/** The push was not booked: the platform sends it again. */
class NotTaken extends Error {
  override readonly name = "NotTaken";
}

const notAsAgreed = decline("data_not_as_agreed", { code: 400, message: "data not as agreed" });

function answerAuth(deps: CallbackDeps, callback: AuthCallback): AuthAnswer {
  return deps.db.transaction(() => {
    const purchase = readPurchase(callback.data);
    // In credit mode the platform decides by itself and never asks.
    if (purchase === undefined || purchase.status !== "Pending" || deps.mode !== "AUTHORIZATION") {
      noteOf(deps, callback, "not_as_agreed");
      return notAsAgreed;
    }
    const { decision, repeated } = decideAuthorization(deps.db, purchase);
    noteOf(deps, callback, repeated ? "repeated" : "applied");
    if (decision === "approved") return approve();
    return decline(decision, { code: authorizationCodes[decision], message: decision.replaceAll("_", " ") });
  });
}

function takeConsumption(deps: CallbackDeps, callback: ConsumptionCallback): void {
  const outcome = deps.db.transaction(() => {
    const purchase = readPurchase(callback.data);
    const booked = purchase === undefined ? "not_as_agreed" : bookConsumption(deps.db, callback, purchase, deps.now());
    noteOf(deps, callback, booked);
    return booked;
  });
  // Not accepted, so that it comes again: our own record of the cardholder may be late.
  if (outcome === "cardholder_unknown" || outcome === "not_as_agreed") throw new NotTaken(outcome);
}

function takeCardUpdate(deps: CallbackDeps, callback: CardUpdateCallback): void {
  deps.db.transaction(() => noteOf(deps, callback, applyCardUpdate(deps.db, callback, deps.now())));
}

function noteOf(deps: CallbackDeps, callback: Callback, outcome: Outcome): void {
  const action = callback.action === "other" ? callback.wireAction : callback.action;
  const raw = `{"id":${JSON.stringify(callback.id)},"action":${JSON.stringify(action)},"data":${callback.dataText}}`;
  note(deps, { outcome, raw });
}

function note({ db, now }: CallbackDeps, callback: { outcome: Outcome; raw: string }): void {
  const values = { ...callback, nowMs: now(), verified: callback.outcome === "refused" ? 0 : 1, callbacksKeptMax };
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
