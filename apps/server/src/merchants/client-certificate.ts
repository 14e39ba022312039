import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import type { ClientCertificateRefusal } from "./refusals.ts";

/** The certificate that we show a merchant's server (mutual TLS), without its key. Times in Unix ms. */
export interface ClientCertificate {
  readonly certificateId: string;
  /** One line like `C=DE, O=Acme, CN=cardwright`. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** SHA-256 over the certificate: 32 bytes in hexadecimal, with colons. */
  readonly fingerprint: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly createdAtMs: number;
}

export interface NewClientCertificate {
  readonly merchantId: number;
  /** The certificate, then those of its issuers, if its receiver needs them: at most five in all. */
  readonly certificatePem: string;
  /** Not encrypted: RSA with 2,048 to 4,096 bits, P-256, P-384, P-521 or Ed25519. */
  readonly privateKeyPem: string;
}

export interface ClientCertificates {
  /** Null when the merchant has none. */
  find(merchantId: number): Promise<ClientCertificate | null>;
  /**
   * The certificate of all connections to the merchant's server from now on, in every process within 5 s; requests under way end as
   * they began. Setting the same one again changes nothing.
   */
  set(input: NewClientCertificate, by: Initiator): Promise<Result<ClientCertificate, ClientCertificateRefusal>>;
  /** Connections are made without a certificate from now on; a success also when there is none. */
  remove(
    input: { readonly merchantId: number },
    by: Initiator,
  ): Promise<Result<null, "merchant_unknown" | "merchant_closed">>;
  /** One round of the worker: erases the keys of at most 100 certificates that are not used any more. Answers how many. */
  eraseEnded(): Promise<number>;
  /** One round of the worker: writes the event of at most 100 certificates that expire within 30 days, once each. Answers how many. */
  warnOfExpiring(): Promise<number>;
}
