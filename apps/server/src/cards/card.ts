import type { CardStatus, CardType } from "@cardwright/contract";

/** A card as the platform knows it; its number and CVV exist only in the vault. */
export interface Card {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly cardUniqueNo: string;
  readonly cardholderNo: string;
  readonly cardBinNo: string;
  readonly binTermsVersion: number;
  readonly packageNo: string | null;
  readonly packageTermsVersion: number | null;
  readonly cardType: CardType;
  readonly organization: string;
  readonly cardName: string;
  readonly lastFour: string;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly status: CardStatus;
  /** Unix ms. */
  readonly createdAt: number;
}

export interface CardKey {
  readonly merchantId: number;
  readonly cardNo: string;
}

/** Contract section 4, "Legal status changes": what `status/update` may do. Staying the same is a success without effect. */
const requestable: Record<"Frozen" | "Activated" | "Delete", readonly CardStatus[]> = {
  Frozen: ["Activated"],
  Activated: ["Frozen"],
  Delete: ["ToActivate", "Activated", "Frozen"],
};

export function mayBecome(from: CardStatus, to: keyof typeof requestable): boolean {
  return requestable[to].includes(from);
}

/** Card data may be shown, and a token for the frame given, from `ToActivate` on, but not of a dead card (contract section 9). */
export function mayShowData(status: CardStatus): boolean {
  return status === "ToActivate" || status === "Activated" || status === "Frozen";
}

/** The card's last month: `months` after the one it is opened in, in its own time zone. */
export function expiryOf(options: {
  readonly now: number;
  readonly months: number;
  readonly utcOffsetMinutes: number;
}): {
  readonly year: number;
  readonly month: number;
} {
  const local = new Date(options.now + options.utcOffsetMinutes * 60_000);
  const index = local.getUTCFullYear() * 12 + local.getUTCMonth() + options.months;
  return { year: Math.floor(index / 12), month: (index % 12) + 1 };
}
