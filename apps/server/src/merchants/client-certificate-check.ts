import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { ok, type Result, refused } from "#kernel/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";

export type CertificateFault =
  | "client_certificate_invalid"
  | "client_certificate_not_in_force"
  | "client_key_invalid"
  | "client_key_mismatch";

/** A certificate that TLS can be spoken with, in canonical form. */
export interface CheckedCertificate {
  readonly leaf: X509Certificate;
  /** The leaf, then its issuers. */
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/gu;
/** Extended key usages (RFC 5280): of a TLS client, and of anything. */
const clientUsages = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];
const curves = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * Whether a certificate and a key are good for the client's side of TLS: a leaf that is in force, each further certificate the issuer
 * of the one before it, and the leaf's own key. Nothing of what was given is in a refusal.
 */
export function checkClientCertificate(
  given: { readonly certificatePem: string; readonly privateKeyPem: string },
  nowMs: number,
): Result<CheckedCertificate, CertificateFault> {
  const chain = chainOf(given.certificatePem);
  const leaf = chain?.[0];
  if (chain === null || leaf === undefined || !isClientLeaf(leaf)) return refused("client_certificate_invalid");
  if (leaf.validFromDate.getTime() > nowMs || leaf.validToDate.getTime() <= nowMs) {
    return refused("client_certificate_not_in_force");
  }
  const key = privateKeyOf(given.privateKeyPem);
  if (key === null) return refused("client_key_invalid");
  if (!leaf.checkPrivateKey(key)) return refused("client_key_mismatch");
  const certificatePem = chain.map(String).join("");
  const privateKeyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
  return isUsable({ cert: certificatePem, key: privateKeyPem })
    ? ok({ leaf, certificatePem, privateKeyPem })
    : refused("client_certificate_invalid");
}

function chainOf(pem: string): X509Certificate[] | null {
  if (pem.length > bounds.certificatePemCharactersMax) return null;
  const blocks = pem.match(certificateBlock) ?? [];
  if (blocks.length > bounds.certificateChainMax) return null;
  try {
    const chain = blocks.map((block) => new X509Certificate(block));
    const followEachOther = chain.every((certificate, place) => {
      const issuer = chain[place + 1];
      return issuer === undefined || (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
    });
    return followEachOther ? chain : null;
  } catch {
    return null;
  }
}

/** A certificate without extended key usages may be used for anything. */
function isClientLeaf(certificate: X509Certificate): boolean {
  // Node names the extended usages "keyUsage"; without any it is undefined, which its types do not say.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  return !certificate.ca && (usages === undefined || usages.some((usage) => clientUsages.includes(usage)));
}

function privateKeyOf(pem: string): KeyObject | null {
  if (pem.length > bounds.privateKeyPemCharactersMax) return null;
  try {
    const key = createPrivateKey({ key: pem, format: "pem" });
    return isStrongKey(key) ? key : null;
  } catch {
    // Encrypted, or no key at all. The error could quote it.
    return null;
  }
}

function isStrongKey(key: KeyObject): boolean {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const isRsa = key.asymmetricKeyType === "rsa";
  const isCurve = key.asymmetricKeyType === "ec" && curves.includes(namedCurve);
  const rsaFits = isRsa && modulusLength >= bounds.rsaBitsMin && modulusLength <= bounds.rsaBitsMax;
  return rsaFits || isCurve || key.asymmetricKeyType === "ed25519";
}

/** The last word has the library that will use them: it refuses what is too weak. */
function isUsable(pair: { readonly cert: string; readonly key: string }): boolean {
  try {
    createSecureContext(pair);
    return true;
  } catch {
    return false;
  }
}
