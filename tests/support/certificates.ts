// The certificate library injects its parts by decorators, which need this first.
import "reflect-metadata";
import { randomBytes, type webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** An authority that a test makes up, and that nobody else trusts. */
export interface TestAuthority {
  readonly certificatePem: string;
  issue(wanted?: Partial<WantedCertificate>): Promise<TestCertificate>;
}

export interface TestCertificate {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

interface WantedCertificate {
  readonly name: string;
  readonly usage: "client" | "server" | "none";
  /** May issue certificates itself. */
  readonly isAuthority: boolean;
  /** Of a server; `127.0.0.1` and `localhost` when absent. */
  readonly host: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly rsaBits: number;
}

const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;
const usages = { client: [ExtendedKeyUsage.clientAuth], server: [ExtendedKeyUsage.serverAuth], none: [] };

/** The keys are of P-256, which are made in a millisecond. */
export async function createAuthority(name = "Test authority"): Promise<TestAuthority> {
  const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    serialNumber: serial(),
    ...validity({}),
    signingAlgorithm: curve,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    certificatePem: pemOf(certificate.toString("pem")),
    issue: (wanted = {}) => issue({ issuer: certificate.subject, signingKey: keys.privateKey, wanted }),
  };
}

async function issue(parts: {
  readonly issuer: string;
  readonly signingKey: webcrypto.CryptoKey;
  readonly wanted: Partial<WantedCertificate>;
}): Promise<TestCertificate> {
  const { issuer, signingKey, wanted } = parts;
  const keys =
    wanted.rsaBits === undefined
      ? await crypto.subtle.generateKey(curve, true, ["sign", "verify"])
      : await crypto.subtle.generateKey(
          {
            name: "RSASSA-PKCS1-v1_5",
            modulusLength: wanted.rsaBits,
            publicExponent: new Uint8Array([1, 0, 1]),
            hash: "SHA-256",
          },
          true,
          ["sign", "verify"],
        );
  const certificate = await X509CertificateGenerator.create({
    issuer,
    subject: `C=DE, O=Cardwright tests, CN=${wanted.name ?? "leaf"}`,
    publicKey: keys.publicKey,
    signingKey,
    serialNumber: serial(),
    ...validity(wanted),
    signingAlgorithm: curve,
    extensions: extensionsOf(wanted),
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificatePem: pemOf(certificate.toString("pem")),
    privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${(key.toString("base64").match(/.{1,64}/gu) ?? []).join("\n")}\n-----END PRIVATE KEY-----\n`,
  };
}

function extensionsOf({ isAuthority = false, usage = "client", host }: Partial<WantedCertificate>): Extension[] {
  const names: { type: "dns" | "ip"; value: string }[] =
    host === undefined
      ? [
          { type: "ip", value: "127.0.0.1" },
          { type: "dns", value: "localhost" },
        ]
      : [{ type: "dns", value: host }];
  return [
    new BasicConstraintsExtension(isAuthority, undefined, true),
    ...(usages[usage].length === 0 ? [] : [new ExtendedKeyUsageExtension(usages[usage])]),
    ...(usage === "server" ? [new SubjectAlternativeNameExtension(names)] : []),
  ];
}

function validity({ validFromMs, validToMs }: Partial<WantedCertificate>): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(validFromMs ?? now - dayMs), notAfter: new Date(validToMs ?? now + 365 * dayMs) };
}

function serial(): string {
  return `01${randomBytes(8).toString("hex")}`;
}

function pemOf(text: string): string {
  return `${text.trim()}\n`;
}
