import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import type { Keyring } from "./keyring.ts";
import { type CardKey, countPinTry, type Sql, selectPin, upsertPin } from "./store.ts";

/** Three wrong tries in a row, as at every cash machine; a new PIN gives three more. */
export const wrongPinTriesMax = 3;
/** Each repeat means that the PIN was changed between reading and counting. */
const changedPinRetriesMax = 3;
const saltBytes = 16;

export type SetPinReason = "pin_format" | "card_unknown";
export type VerifyPinReason = "pin_not_set" | "pin_mismatch" | "pin_tries_exceeded";

interface Deps {
  readonly sql: Sql;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/**
 * Contract 4016: six digits without three or more identical or sequential ones in a row, up or down. 9 and 0 are not
 * neighbours: `890` is no sequence.
 */
export function isAcceptablePin(pin: string): boolean {
  if (!/^[0-9]{6}$/u.test(pin)) return false;
  const steps = Array.from(pin.slice(1), (digit, place) => Number(digit) - Number(pin.charAt(place)));
  return !steps.some((step, place) => step === steps[place + 1] && Math.abs(step) <= 1);
}

/** Stores a verification value of the PIN, never the PIN, and forgives earlier wrong tries. */
export async function setPin(deps: Deps, input: CardKey & { pin: string }): Promise<Result<null, SetPinReason>> {
  if (!isAcceptablePin(input.pin)) return refused("pin_format");
  const salt = randomBytes(saltBytes);
  const plain = Buffer.concat([salt, await verificationValue(deps, input, salt)]);
  const envelope = await deps.keyring.seal({ family: "pin", recordId: recordId(input), plain });
  const { merchantId, cardNo } = input;
  const stored = await upsertPin(deps.sql, { merchantId, cardNo, envelope, nowMs: deps.clock.now() });
  return stored ? ok(null) : refused("card_unknown");
}

/** Compares in constant time; the answer is given only after the try was counted. */
export async function verifyPin(deps: Deps, input: CardKey & { pin: string }): Promise<Result<null, VerifyPinReason>> {
  for (let round = 0; round <= changedPinRetriesMax; round += 1) {
    const stored = await selectPin(deps.sql, input);
    if (stored === null) return refused("pin_not_set");
    if (stored.wrongTries >= wrongPinTriesMax) return refused("pin_tries_exceeded");
    const isRight = await matches(deps, input, stored.envelope);
    const { merchantId, cardNo } = input;
    const attempt = { merchantId, cardNo, version: stored.version, isRight, wrongTriesMax: wrongPinTriesMax };
    if (await countPinTry(deps.sql, attempt)) return isRight ? ok(null) : refused("pin_mismatch");
  }
  // Replaced four times while one try was compared: whatever was given, it is not the card's PIN now.
  return refused("pin_mismatch");
}

async function matches(deps: Deps, input: CardKey & { pin: string }, envelope: Buffer): Promise<boolean> {
  const plain = await deps.keyring.open({ family: "pin", recordId: recordId(input), envelope });
  const given = await verificationValue(deps, input, plain.subarray(0, saltBytes));
  return timingSafeEqual(plain.subarray(saltBytes), given);
}

/**
 * HMAC-SHA256 under a key of its own, over salt, card and PIN. A million PINs are tried quickly by whoever has that key,
 * so the value is sealed as well, under a second one.
 */
async function verificationValue(deps: Deps, input: CardKey & { pin: string }, salt: Buffer): Promise<Buffer> {
  const key = await deps.keyring.derive("pin verification");
  return createHmac("sha256", key)
    .update(salt)
    .update(`${recordId(input)}\n${input.pin}`, "utf8")
    .digest();
}

function recordId(card: CardKey): string {
  return `${card.merchantId}/${card.cardNo}`;
}
