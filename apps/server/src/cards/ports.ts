import type { Result } from "#kernel/index.ts";
import type { CardAddress } from "./address.ts";
import type { CardKey } from "./card.ts";

/** What the cards room needs of the vault. */
export interface CardVault {
  issueCard(
    request: CardKey & {
      readonly bin: string;
      readonly panLength: number;
      readonly expiry: { readonly year: number; readonly month: number };
    },
  ): Promise<Result<{ readonly last4: string }, string>>;
  discardCard(card: CardKey): Promise<void>;
  verifySubmittedCvv(
    input: CardKey & { readonly secretId: string; readonly cipherText: string },
  ): Promise<
    Result<null, "card_unknown" | "secret_unknown" | "cannot_be_decrypted" | "cvv_malformed" | "cvv_mismatch">
  >;
  setSubmittedPin(
    input: CardKey & { readonly secretId: string; readonly cipherText: string },
  ): Promise<Result<null, "card_unknown" | "secret_unknown" | "cannot_be_decrypted" | "pin_format">>;
  privateInfo(
    input: CardKey & { readonly cardUniqueNo: string; readonly secretId: string },
  ): Promise<Result<string, "card_unknown" | "secret_unknown">>;
}

/** What becomes of a physical card at the company that makes it. */
export type MakingState = "unknown" | "ordered" | "made" | "shipped" | "failed";

/** The company that makes and ships physical cards. Both calls may be repeated: an order is known by its card number. */
export interface CardMaker {
  order(order: CardKey & { readonly cardName: string; readonly address: CardAddress }): Promise<void>;
  stateOf(card: CardKey): Promise<MakingState>;
}
