import { randomInt } from "node:crypto";
import type { SecretKind } from "./secret-store.ts";
import { isApiSecret } from "./wire-cipher.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** A new API secret: 32 characters of `[A-Za-z0-9]`, each equally likely (`randomInt` rejects, so there is no bias): 190 bits. */
export function createApiSecret(): string {
  return Array.from({ length: 32 }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

export const apiSecrets: SecretKind = {
  table: "api_secret",
  family: "secret",
  isWellFormed: isApiSecret,
  wrongForm: "an API secret has the wrong form",
};
