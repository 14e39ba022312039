import { createHash, randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { cards as bounds } from "../limits.ts";
import { type CardKey, mayShowData } from "./card.ts";
import type { CardVault } from "./ports.ts";
import { insertClientToken, selectCard, takeClientToken } from "./store.ts";

export interface SecretsDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly vault: CardVault;
  readonly cardholderExists: (key: { readonly merchantId: number; readonly cardholderNo: string }) => Promise<boolean>;
}

/** `card/{card_no}/private/info`: the cipher text, made inside the vault with the calling credential's secret. */
export async function privateInfo(
  deps: SecretsDeps,
  request: CardKey & { readonly secretId: string },
): Promise<Result<string, "card_unknown" | "status_change_not_allowed">> {
  const card = await selectCard(deps.pool, request);
  if (card === null) {
    return refused("card_unknown");
  }
  if (!mayShowData(card.status)) {
    return refused("status_change_not_allowed");
  }
  const info = await deps.vault.privateInfo({ ...request, cardUniqueNo: card.cardUniqueNo });
  if (!info.ok) {
    throw new Error(`the vault does not know card ${card.cardNo} or the credential: ${info.reason}`);
  }
  return info;
}

export type PinRefusal =
  | "card_unknown"
  | "cardholder_unknown"
  | "card_of_other_cardholder"
  | "not_for_virtual"
  | "card_not_activated"
  | "cannot_be_decrypted"
  | "pin_format";

/** `card/pin/set`: the PIN goes into the vault as it came and is checked there. */
export async function setPin(
  deps: SecretsDeps,
  request: CardKey & { readonly cardholderNo: string; readonly secretId: string; readonly cipherText: string },
): Promise<Result<null, PinRefusal>> {
  const card = await selectCard(deps.pool, request);
  if (card === null) {
    return refused("card_unknown");
  }
  if (!(await deps.cardholderExists(request))) {
    return refused("cardholder_unknown");
  }
  if (card.cardholderNo !== request.cardholderNo) {
    return refused("card_of_other_cardholder");
  }
  if (card.cardType === "Virtual") {
    return refused("not_for_virtual");
  }
  if (card.status !== "Activated") {
    return refused("card_not_activated");
  }
  const set = await deps.vault.setSubmittedPin(request);
  if (set.ok) {
    return ok(null);
  }
  if (set.reason === "card_unknown" || set.reason === "secret_unknown") {
    throw new Error(`the vault does not know card ${card.cardNo} or the credential: ${set.reason}`);
  }
  return refused(set.reason);
}

const tokenHash = (token: string) => createHash("sha256").update(token).digest();

/** A single-use token for the card-data frame (contract `merchant/client/{card_no}/token`); kept as its hash. */
export async function createClientToken(
  deps: SecretsDeps,
  key: CardKey,
): Promise<
  Result<{ readonly token: string; readonly expiresInSeconds: number }, "card_unknown" | "status_change_not_allowed">
> {
  const card = await selectCard(deps.pool, key);
  if (card === null) {
    return refused("card_unknown");
  }
  if (!mayShowData(card.status)) {
    return refused("status_change_not_allowed");
  }
  const token = `ct_${randomBytes(24).toString("base64url")}`;
  await insertClientToken(deps.pool, {
    ...key,
    hash: tokenHash(token),
    expiresAt: deps.clock.now() + bounds.clientTokenMs,
  });
  return ok({ token, expiresInSeconds: bounds.clientTokenMs / 1000 });
}

/** Uses a client token up; null when it is unknown, used or too old. Of two calls that race, one gets the card. */
export async function redeemClientToken(deps: SecretsDeps, token: string): Promise<CardKey | null> {
  return takeClientToken(deps.pool, { hash: tokenHash(token), now: deps.clock.now() });
}
