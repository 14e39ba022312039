import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import {
  allowListEntriesMax,
  allowListEntryCharactersMax,
  type Credential,
  type CredentialKey,
  expiryMsMax,
  labelCharactersMax,
  type Merchants,
} from "#merchants/index.ts";
import { credentialParams, merchantParams, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const allowList = z
  .array(z.string().max(allowListEntryCharactersMax))
  .max(allowListEntriesMax)
  .meta({
    description: "IPv4 and IPv6 addresses and CIDR ranges that may call. Empty: nobody.",
    examples: [["203.0.113.7", "2001:db8::/32"]],
  });
const label = z.string().max(labelCharactersMax).exactOptional();
const expiresAt = z
  .int()
  .min(1)
  .max(expiryMsMax)
  .nullable()
  .exactOptional()
  .meta({ description: "Unix time in milliseconds; null: never." });

const newCredential = z.strictObject({ label, allow_list: allowList.exactOptional(), expires_at: expiresAt });
const credentialChange = z.strictObject({
  label,
  status: z
    .enum(["Enabled", "Disabled"])
    .exactOptional()
    .meta({ description: "Disabling ends every Access-Token issued before, for ever." }),
  expires_at: expiresAt,
});

const credentialShape = {
  credential_id: z.string(),
  label: z.string(),
  api_key_hint: z.string().meta({ description: "First and last characters of the key." }),
  status: z.enum(["Enabled", "Disabled"]),
  is_primary: z.boolean().meta({ description: "Its secret signs the callbacks." }),
  allow_list: z.array(z.string()),
  expires_at: timeMs.nullable(),
  created_at: timeMs,
};
const credentialAnswer = z.strictObject(credentialShape);
const createdAnswer = z.strictObject({
  ...credentialShape,
  api_key: z.string().meta({ description: "Shown this once." }),
  api_secret: z.string().meta({ description: "Shown this once: 32 characters of A-Z, a-z, 0-9." }),
  webhook_secret: z.string().exactOptional().meta({
    description:
      "Shown this once, with the merchant's first credential: signs the callbacks by Standard Webhooks, whichever credential is primary.",
  }),
});

/** The Api-Keys of a merchant. */
export function credentialRoutes({ merchants }: { readonly merchants: Merchants }): Route[] {
  return [
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/credentials",
      summary: "Create a credential",
      description:
        "The answer shows api_key and api_secret, with the first one also the merchant's webhook_secret; they can never be read again. The first one is primary.",
      status: 201,
      params: merchantParams,
      body: newCredential,
      answer: createdAnswer,
      refusals: [
        "merchant_unknown",
        "merchant_closed",
        "credentials_too_many",
        "label_invalid",
        "allow_list_invalid",
        "expiry_invalid",
      ],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { label, allow_list, expires_at } = body;
        const request = {
          merchantId: merchant.merchantId,
          ...(label !== undefined && { label }),
          ...(allow_list !== undefined && { allowList: allow_list }),
          ...(expires_at !== undefined && { expiresAt: expires_at }),
        };
        const made = await merchants.createCredential(request, by);
        if (!made.ok) return made;
        const { credential, apiKey, apiSecret, webhookSecret } = made.value;
        return ok({
          ...credentialToWire(credential),
          api_key: apiKey,
          api_secret: apiSecret,
          ...(webhookSecret !== null && { webhook_secret: webhookSecret }),
        });
      },
    }),
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/credentials",
      summary: "List a merchant's credentials, oldest first",
      status: 200,
      params: merchantParams,
      answer: z.strictObject({ list: z.array(credentialAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        return ok({ list: (await merchants.listCredentials(merchant.merchantId)).map(credentialToWire) });
      },
    }),
    route({
      method: "PATCH",
      path: "/merchants/{merchant_no}/credentials/{credential_id}",
      summary: "Change a credential's label, status or expiry",
      description: "A disabled primary credential goes on signing callbacks until another is made primary.",
      status: 200,
      params: credentialParams,
      body: credentialChange,
      answer: credentialAnswer,
      refusals: ["merchant_unknown", "merchant_closed", "credential_unknown", "label_invalid", "expiry_invalid"],
      handle: async ({ params, body, by }) => {
        const { label, status, expires_at } = body;
        const change = {
          ...(label !== undefined && { label }),
          ...(status !== undefined && { status }),
          ...(expires_at !== undefined && { expiresAt: expires_at }),
        };
        return changed(merchants, params, (key) => merchants.updateCredential({ ...key, change }, by));
      },
    }),
    route({
      method: "DELETE",
      path: "/merchants/{merchant_no}/credentials/{credential_id}",
      summary: "Delete a credential",
      description: "Ends the key and its tokens at once and erases the secret. Not the primary one.",
      status: 204,
      params: credentialParams,
      refusals: ["merchant_unknown", "credential_unknown", "credential_is_primary"],
      handle: async ({ params, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const key = { merchantId: merchant.merchantId, credentialId: params.credential_id };
        const deleted = await merchants.deleteCredential(key, by);
        return deleted.ok ? ok(undefined) : deleted;
      },
    }),
    route({
      method: "PUT",
      path: "/merchants/{merchant_no}/credentials/{credential_id}/allow-list",
      summary: "Replace a credential's allow-list",
      status: 200,
      params: credentialParams,
      body: z.strictObject({ allow_list: allowList }),
      answer: credentialAnswer,
      refusals: ["merchant_unknown", "merchant_closed", "credential_unknown", "allow_list_invalid"],
      handle: async ({ params, body, by }) =>
        changed(merchants, params, (key) => merchants.setAllowList({ ...key, allowList: body.allow_list }, by)),
    }),
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/credentials/{credential_id}/primary",
      summary: "Make a credential the one that signs callbacks",
      status: 200,
      params: credentialParams,
      answer: credentialAnswer,
      refusals: ["merchant_unknown", "merchant_closed", "credential_unknown", "credential_disabled"],
      handle: async ({ params, by }) => changed(merchants, params, (key) => merchants.setPrimary(key, by)),
    }),
  ];
}

async function changed<Reason>(
  merchants: Merchants,
  params: z.infer<typeof credentialParams>,
  change: (key: CredentialKey) => Promise<Result<Credential, Reason>>,
): Promise<Result<z.infer<typeof credentialAnswer>, Reason | "merchant_unknown">> {
  const merchant = await merchants.find(params.merchant_no);
  if (merchant === null) return refused("merchant_unknown");
  const outcome = await change({ merchantId: merchant.merchantId, credentialId: params.credential_id });
  return outcome.ok ? ok(credentialToWire(outcome.value)) : outcome;
}

function credentialToWire(credential: Credential): z.infer<typeof credentialAnswer> {
  if (credential.status === "Deleted") throw new Error("a deleted credential is not shown");
  return {
    credential_id: credential.credentialId,
    label: credential.label,
    api_key_hint: credential.apiKeyHint,
    status: credential.status,
    is_primary: credential.isPrimary,
    allow_list: [...credential.allowList],
    expires_at: credential.expiresAt,
    created_at: credential.createdAt,
  };
}
