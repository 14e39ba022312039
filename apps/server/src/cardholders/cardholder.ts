import type { ImportRefusal } from "./kyc-provider.ts";

/** Contract section 4. `Pending`: taken over by the provider; `In_progress`: being checked. */
export type CardholderStatus = "Pending" | "In_progress" | "Approved" | "Rejected";

export interface Cardholder {
  readonly merchantId: number;
  readonly cardholderNo: string;
  readonly cardholderUniqueNo: string;
  readonly status: CardholderStatus;
  /** "" until the provider was read for the first time, like both names. */
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** "" unless `Rejected`. */
  readonly failReason: string;
  /** Unix ms of the first accepted application. */
  readonly createdAt: number;
}

/** What `cardholder/apply` answers. */
export interface AcceptedApplication {
  readonly cardholderNo: string;
  readonly cardholderUniqueNo: string;
}

/** Why an application is refused; the face maps each to its code (contract sections 3 and 5, 2001 to 2011). */
export type ApplyRefusal =
  | "cardholder_exists"
  | "cardholder_not_found"
  | "already_verified"
  | "verification_pending"
  | "verification_failed"
  | "unique_number_differs"
  | "kyc_data_unavailable";

/** Contract section 3: one code for both ways in which the provider does not give us the applicant. */
export const applyRefusalOf: Readonly<Record<ImportRefusal, ApplyRefusal>> = {
  token_refused: "kyc_data_unavailable",
  unreachable: "kyc_data_unavailable",
};
