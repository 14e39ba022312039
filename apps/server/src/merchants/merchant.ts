import type { MerchantMode } from "@cardwright/contract";
import type { Rate } from "@cardwright/money";

/** `Disabled` may become `Active` again; `Closed` is final. */
export const merchantStatuses = ["Active", "Disabled", "Closed"] as const;
export type MerchantStatus = (typeof merchantStatuses)[number];

export const failurePolicyKinds = ["decline", "stand_in"] as const;

/**
 * Authorization mode: what becomes of a purchase when the merchant's server gives no good answer in time (contract section 8).
 * `stand_in` approves within the three amounts, which are in minor units of the card's currency and include the amount itself.
 */
export interface FailurePolicy {
  readonly kind: (typeof failurePolicyKinds)[number];
  /** Of one purchase. */
  readonly purchaseMax: bigint;
  /** Of all that was approved so on one card in one day. */
  readonly cardDayMax: bigint;
  /** Of all that was approved so on the merchant's cards together in one day. */
  readonly dayMax: bigint;
}

export const declineOnFailure: FailurePolicy = { kind: "decline", purchaseMax: 0n, cardDayMax: 0n, dayMax: 0n };

export const creditPolicyKinds = ["none", "reserve", "ratio"] as const;

/**
 * Credit mode: what all the credit that a merchant's cardholders hold may come to when it transfers more: anything, its reserve
 * (available and held), or so many times its reserve.
 */
export type CreditPolicy = { readonly kind: "none" | "reserve" } | { readonly kind: "ratio"; readonly ratio: Rate };

/** What an operator may change later. */
export interface MerchantSettings {
  readonly name: string;
  /** Empty: no callbacks are sent. */
  readonly callbackUrl: string;
  /** May receive and show card data (contract section 3, `private/info`; section 7). */
  readonly pciEnabled: boolean;
  /** Origins of the pages that may embed the card frame. */
  readonly cardFrameOrigins: readonly string[];
  /** Minutes east of UTC: day boundaries of the limits of cards opened from now on. */
  readonly utcOffsetMinutes: number;
  readonly failurePolicy: FailurePolicy;
  readonly creditPolicy: CreditPolicy;
}

/** A company that issues cards through the platform. */
export interface Merchant extends MerchantSettings {
  /** Leads the key of every table; never shown. */
  readonly merchantId: number;
  readonly merchantNo: string;
  readonly mode: MerchantMode;
  readonly status: MerchantStatus;
  /** Signed into every callback (contract section 6). */
  readonly appId: string;
  /** Unix ms. */
  readonly createdAt: number;
}

export interface NewMerchant extends Partial<MerchantSettings> {
  readonly name: string;
  /** One for ever: the merchant's accounts are those of its mode (contract section 2). */
  readonly mode: MerchantMode;
}

export interface MerchantChange extends Partial<MerchantSettings> {
  readonly status?: MerchantStatus;
}

/** China and Singapore, the time zone of the wire contract's default (section 1). */
export const defaultUtcOffsetMinutes = 480;
