import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { type CardVerificationKeys, type Expiry, isCvv, isExpiry, printedCvv, sameCvv } from "./cvv.ts";
import { panRecordId } from "./issue-card.ts";
import type { Keyring } from "./keyring.ts";
import { isCardNumber } from "./pan.ts";
import { setPin } from "./pin.ts";
import type { SecretStore } from "./secret-store.ts";
import { type CardKey, type Sql, selectCard } from "./store.ts";
import { decryptFromMerchant, encryptForMerchant } from "./wire-cipher.ts";

/** Everything that is printed on a card. */
export interface CardData {
  readonly pan: string;
  readonly expiry: Expiry;
  readonly cvv: string;
}

/** A card's number or CVV or PIN as the merchant encrypted it, with the secret of the credential that made the call. */
export interface Submitted extends CardKey {
  readonly secretId: string;
  readonly cipherText: string;
}

type CardUnknown = "card_unknown";
type SecretUnknown = "secret_unknown";
export type SubmittedCvvReason = CardUnknown | SecretUnknown | "cannot_be_decrypted" | "cvv_malformed" | "cvv_mismatch";
export type SubmittedPinReason = CardUnknown | SecretUnknown | "cannot_be_decrypted" | "pin_format";

interface Deps {
  readonly sql: Sql;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly secrets: Pick<SecretStore, "read">;
}

/** Number, expiry and CVV of a card in plain. The CVV is derived each time and stored nowhere. */
export async function openCard(deps: Deps, card: CardKey): Promise<Result<CardData, CardUnknown>> {
  const row = await selectCard(deps.sql, card);
  if (row === null || row.panEnvelope === null) return refused("card_unknown");
  const record = { family: "pan", recordId: panRecordId(card), envelope: row.panEnvelope } as const;
  const pan = (await deps.keyring.open(record)).toString("latin1");
  const expiry: Expiry = { year: row.expiryYear, month: row.expiryMonth };
  return ok({ pan, expiry, cvv: printedCvv({ keys: await cardVerificationKeys(deps.keyring), pan, expiry }) });
}

export async function verifyCvv(
  deps: Deps,
  input: CardKey & { cvv: string },
): Promise<Result<null, CardUnknown | "cvv_mismatch">> {
  const card = await openCard(deps, input);
  if (!card.ok) return card;
  return sameCvv({ expected: card.value.cvv, given: input.cvv }) ? ok(null) : refused("cvv_mismatch");
}

/** For a purchase, which brings the number itself: a derivation (20 µs), no look-up. */
export async function verifyCvvOfPan(
  deps: Deps,
  input: { pan: string; expiry: Expiry; cvv: string },
): Promise<Result<null, "cvv_mismatch">> {
  if (!isCardNumber(input.pan) || !isExpiry(input.expiry)) return refused("cvv_mismatch");
  const expected = printedCvv({ ...input, keys: await cardVerificationKeys(deps.keyring) });
  return sameCvv({ expected, given: input.cvv }) ? ok(null) : refused("cvv_mismatch");
}

/** Contract `card/active`: the CVV arrives encrypted and is compared in here. */
export async function verifySubmittedCvv(deps: Deps, input: Submitted): Promise<Result<null, SubmittedCvvReason>> {
  const cvv = await decryptSubmitted(deps, input);
  if (!cvv.ok) return cvv;
  if (!isCvv(cvv.value)) return refused("cvv_malformed");
  return verifyCvv(deps, { merchantId: input.merchantId, cardNo: input.cardNo, cvv: cvv.value });
}

/** Contract `card/pin/set`: the PIN arrives encrypted and is stored as a verification value. */
export async function setSubmittedPin(deps: Deps, input: Submitted): Promise<Result<null, SubmittedPinReason>> {
  const pin = await decryptSubmitted(deps, input);
  if (!pin.ok) return pin;
  return setPin(deps, { merchantId: input.merchantId, cardNo: input.cardNo, pin: pin.value });
}

/**
 * The `data` of contract `card/{card_no}/private/info`: Base64 of the JSON text, encrypted with the named secret, so that
 * the plain data does not leave the vault.
 */
export async function privateInfo(
  deps: Deps,
  input: CardKey & { cardUniqueNo: string; secretId: string },
): Promise<Result<string, CardUnknown | SecretUnknown>> {
  const card = await openCard(deps, input);
  if (!card.ok) return card;
  const secret = await deps.secrets.read(input);
  if (secret === null) return refused("secret_unknown");
  const { pan, cvv, expiry } = card.value;
  const info = {
    card_no: input.cardNo,
    card_unique_no: input.cardUniqueNo,
    cvv,
    pan,
    exp_year: String(expiry.year),
    exp_month: String(expiry.month).padStart(2, "0"),
  };
  return ok(encryptForMerchant(secret, JSON.stringify(info)));
}

async function decryptSubmitted(
  deps: Deps,
  input: Submitted,
): Promise<Result<string, SecretUnknown | "cannot_be_decrypted">> {
  const secret = await deps.secrets.read(input);
  return secret === null ? refused("secret_unknown") : decryptFromMerchant(secret, input.cipherText);
}

async function cardVerificationKeys(keyring: Keyring): Promise<CardVerificationKeys> {
  return (await keyring.derive("card verification keys")).export().subarray(0, 16);
}
