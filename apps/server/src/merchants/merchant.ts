import type { MerchantMode } from "@cardwright/contract";

/** `Disabled` may become `Active` again; `Closed` is final. */
export const merchantStatuses = ["Active", "Disabled", "Closed"] as const;
export type MerchantStatus = (typeof merchantStatuses)[number];

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
