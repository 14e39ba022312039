import { X509Certificate } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu;

/** The certificates in a text; anything between them is left out, as the tools that write such files put comments there. */
export function certificatesIn(pem: string): readonly string[] {
  return pem.match(pemBlock) ?? [];
}

/** False for none as well. Node itself takes no notice of an authority that it cannot read. */
export function areReadable(certificates: readonly string[]): boolean {
  return certificates.length > 0 && certificates.every(isReadable);
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/**
 * What a server's certificate is checked against: the authorities of this machine (`NODE_EXTRA_CA_CERTS` among them) and those given.
 * Made once for a run: reading them takes some 40 ms, which would be in the latency of each connection.
 */
export function trustIn(ca: string | null): SecureContext {
  const own = ca === null ? {} : { ca: [...getCACertificates("default"), ...certificatesIn(ca)] };
  return createSecureContext({ ...own, minVersion: "TLSv1.2" });
}

/** Codes that Node gives to a certificate which it does not accept: OpenSSL's names, and its own for a wrong host name. */
const codes =
  /^(?:ERR_TLS_CERT_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_(?:CERT|CRL)_)/u;

export function isAboutCertificate(errorCode: string): boolean {
  return codes.test(errorCode);
}
