import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { cards as bounds } from "../limits.ts";
import type { CardKey } from "./card.ts";
import type { CardVault } from "./ports.ts";
import { changeStatus } from "./status.ts";
import { type LockedCard, lockCard, updateActivationFailures } from "./store.ts";

export interface Activation extends CardKey {
  readonly cardholderNo: string;
  readonly lastFour: string;
  readonly cvvCipherText: string;
  /** The credential whose secret the CVV was encrypted with. */
  readonly secretId: string;
}

export type ActivationRefusal =
  | "cardholder_unknown"
  | "card_unknown"
  | "card_of_other_cardholder"
  | "not_for_virtual"
  | "status_change_not_allowed"
  | "too_many_tries"
  | "cannot_be_decrypted"
  | "last_four_mismatch"
  | "cvv_mismatch";

export interface ActivationDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly vault: CardVault;
  readonly cardholderExists: (key: { readonly merchantId: number; readonly cardholderNo: string }) => Promise<boolean>;
}

/**
 * `card/active`: a physical card from `ToActivate` to `Activated`, by proof of its CVV and last four. Wrong tries are counted on
 * the locked row, so racing ones count each; five in a row lock activation for 30 minutes, also for the right CVV.
 */
export async function activateCard(
  deps: ActivationDeps,
  activation: Activation,
): Promise<Result<null, ActivationRefusal>> {
  if (!(await deps.cardholderExists(activation))) {
    return refused("cardholder_unknown");
  }
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, activation);
    if (card === null) {
      return refused("card_unknown");
    }
    const refusal = refusalOf(card, activation, deps.clock.now());
    if (refusal !== null) {
      return refused(refusal);
    }
    return card.status === "Activated" ? ok(null) : prove(deps, sql, card, activation);
  });
}

function refusalOf(card: LockedCard, activation: Activation, now: number): ActivationRefusal | null {
  if (card.cardholderNo !== activation.cardholderNo) {
    return "card_of_other_cardholder";
  }
  if (card.cardType === "Virtual") {
    return "not_for_virtual";
  }
  if (card.status !== "ToActivate" && card.status !== "Activated") {
    return "status_change_not_allowed";
  }
  return card.status === "ToActivate" && now < card.activationLockedUntil ? "too_many_tries" : null;
}

async function prove(
  deps: ActivationDeps,
  sql: Sql,
  card: LockedCard,
  activation: Activation,
): Promise<Result<null, ActivationRefusal>> {
  const now = deps.clock.now();
  const cvv = await deps.vault.verifySubmittedCvv({
    merchantId: card.merchantId,
    cardNo: card.cardNo,
    secretId: activation.secretId,
    cipherText: activation.cvvCipherText,
  });
  if (!cvv.ok && cvv.reason === "cannot_be_decrypted") {
    return refused("cannot_be_decrypted");
  }
  if (!cvv.ok && (cvv.reason === "card_unknown" || cvv.reason === "secret_unknown")) {
    throw new Error(`the vault does not know card ${card.cardNo} or the credential: ${cvv.reason}`);
  }
  if (cvv.ok && card.lastFour === activation.lastFour) {
    await updateActivationFailures(sql, { ...card, failures: 0, lockedUntil: 0 });
    await changeStatus(sql, {
      merchantId: card.merchantId,
      cardNo: card.cardNo,
      from: card.status,
      to: "Activated",
      reason: "",
      at: now,
    });
    return ok(null);
  }
  const failures = card.activationFailures + 1;
  const locked = failures >= bounds.activationFailuresMax;
  await updateActivationFailures(sql, {
    ...card,
    failures: locked ? 0 : failures,
    lockedUntil: locked ? now + bounds.activationLockMs : 0,
  });
  return refused(card.lastFour === activation.lastFour ? "cvv_mismatch" : "last_four_mismatch");
}
