import { createHash, randomInt } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** 32 characters of base 62: 190 bits. */
const apiKeyRandomCharacters = 32;
const appIdRandomCharacters = 16;

/** `randomInt` rejects instead of folding, so every character is equally likely. */
function randomText(characters: number): string {
  return Array.from({ length: characters }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

/** A new Api-Key; it is shown once and kept as its hash. */
export function newApiKey(): string {
  return `ck_${randomText(apiKeyRandomCharacters)}`;
}

/** A new App ID: not secret, it is signed into callbacks so that a merchant can tell its applications apart. */
export function newAppId(): string {
  return `app_${randomText(appIdRandomCharacters)}`;
}

/** What the key is found by. A plain SHA-256 is enough for 190 random bits: there is nothing to guess. */
export function apiKeyHash(apiKey: string): Buffer {
  return createHash("sha256").update(apiKey, "utf8").digest();
}

/** First and last four random characters: enough to tell keys apart, and 142 bits stay unknown. */
export function apiKeyHint(apiKey: string): string {
  return `${apiKey.slice(0, 7)}…${apiKey.slice(-4)}`;
}
