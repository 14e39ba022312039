/** Where a card is sent and billed. Checked against the contract before it gets here; absent texts are empty. */
export interface CardAddress {
  readonly firstName: string;
  readonly lastName: string;
  readonly phoneCode: string;
  readonly phone: string;
  readonly postalCode: string;
  readonly country: string;
  readonly state: string;
  readonly city: string;
  readonly addressLine1: string;
  readonly addressLine2: string;
}
