import { z } from "zod";
import { ok, refused } from "#kernel/index.ts";
import type { ClientCertificate, Merchants } from "#merchants/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";
import { merchantParams, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const newCertificate = z.strictObject({
  certificate_pem: z.string().max(bounds.certificatePemCharactersMax).meta({
    description: "A leaf certificate for TLS clients that is in force, then up to four of its issuers.",
  }),
  private_key_pem: z.string().max(bounds.privateKeyPemCharactersMax).meta({
    description: "The leaf's key, not encrypted: RSA with 2048 to 4096 bits, P-256, P-384, P-521 or Ed25519.",
  }),
});

const certificateAnswer = z.strictObject({
  certificate_id: z.string(),
  subject: z.string().meta({ examples: ["C=DE, O=Acme, CN=cardwright"] }),
  issuer: z.string(),
  serial: z.string().meta({ description: "Hexadecimal." }),
  fingerprint_sha256: z.string().meta({ description: "32 bytes in hexadecimal, with colons." }),
  valid_from: timeMs,
  valid_to: timeMs,
  created_at: timeMs,
});

const path = "/merchants/{merchant_no}/client-certificate";

/** What we show a merchant's server that asks who connects (mutual TLS). */
export function clientCertificateRoutes({ merchants }: { readonly merchants: Merchants }): Route[] {
  return [
    route({
      method: "GET",
      path,
      summary: "Read the client certificate of the connections to a merchant's server",
      description: "Never its key.",
      status: 200,
      params: merchantParams,
      answer: certificateAnswer,
      refusals: ["merchant_unknown", "client_certificate_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const certificate = await merchants.clientCertificates.find(merchant.merchantId);
        return certificate === null ? refused("client_certificate_unknown") : ok(certificateToWire(certificate));
      },
    }),
    route({
      method: "PUT",
      path,
      summary: "Set the client certificate of the connections to a merchant's server",
      description:
        "In force within 5 seconds; requests under way end as they began. The key is encrypted at rest and never shown.",
      status: 200,
      params: merchantParams,
      body: newCertificate,
      answer: certificateAnswer,
      refusals: [
        "merchant_unknown",
        "merchant_closed",
        "client_certificate_invalid",
        "client_certificate_not_in_force",
        "client_key_invalid",
        "client_key_mismatch",
      ],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId } = merchant;
        const pair = { certificatePem: body.certificate_pem, privateKeyPem: body.private_key_pem };
        const set = await merchants.clientCertificates.set({ merchantId, ...pair }, by);
        return set.ok ? ok(certificateToWire(set.value)) : set;
      },
    }),
    route({
      method: "DELETE",
      path,
      summary: "Connect to a merchant's server without a client certificate",
      description: "Within 5 seconds. Also a success when there is none.",
      status: 204,
      params: merchantParams,
      refusals: ["merchant_unknown", "merchant_closed"],
      handle: async ({ params, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const removed = await merchants.clientCertificates.remove({ merchantId: merchant.merchantId }, by);
        return removed.ok ? ok(undefined) : removed;
      },
    }),
  ];
}

function certificateToWire(certificate: ClientCertificate): z.infer<typeof certificateAnswer> {
  return {
    certificate_id: certificate.certificateId,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serial,
    fingerprint_sha256: certificate.fingerprint,
    valid_from: certificate.validFromMs,
    valid_to: certificate.validToMs,
    created_at: certificate.createdAtMs,
  };
}
