import type { CallbackTarget, ClientIdentity } from "#callbacks/index.ts";
import type { Merchants, CallbackTarget as Named } from "#merchants/index.ts";
import type { Vault } from "#vault/index.ts";

export interface TargetDeps {
  readonly merchants: Pick<Merchants, "callbackTarget">;
  readonly vault: Pick<Vault, "readSecret" | "webhookSecrets" | "clientKeys">;
}

/** A name that was read before a rotation, and its secret after it: the second look finds the new name. */
const looksMax = 2;

/**
 * Where a merchant receives callbacks, with the secrets that sign and secure them; null without a callback URL or a credential. Names
 * and secrets lie with two roles and are read one after the other, so what was named may be erased by then: it is looked at again.
 */
export async function callbackTargetOf(deps: TargetDeps, merchantId: number): Promise<CallbackTarget | null> {
  for (let look = 1; look <= looksMax; look += 1) {
    const named = await deps.merchants.callbackTarget(merchantId);
    if (named === null) return null;
    const target = await withSecrets(deps, { merchantId, named });
    if (target !== null) return target;
  }
  return null;
}

async function withSecrets(
  { vault }: TargetDeps,
  { merchantId, named }: { readonly merchantId: number; readonly named: Named },
): Promise<CallbackTarget | null> {
  const { url, appId, primaryCredentialId, webhookSecretIds, clientCertificate } = named;
  const [apiSecret, identity, ...webhookSecrets] = await Promise.all([
    vault.readSecret({ merchantId, secretId: primaryCredentialId }),
    clientCertificate === null ? null : identityOf(vault, { merchantId, ...clientCertificate }),
    ...webhookSecretIds.map((secretId) => vault.webhookSecrets.read({ merchantId, secretId })),
  ]);
  const isWhole = apiSecret !== null && webhookSecrets[0] !== null && (clientCertificate === null || identity !== null);
  if (!isWhole) return null;
  return {
    url,
    appId,
    apiSecret,
    // The older one may have expired and been erased in between.
    webhookSecrets: webhookSecrets.filter((secret) => secret !== null),
    ...(identity !== null && { clientIdentity: identity }),
  };
}

async function identityOf(
  vault: TargetDeps["vault"],
  named: { readonly merchantId: number; readonly certificateId: string; readonly certificatePem: string },
): Promise<ClientIdentity | null> {
  const { merchantId, certificateId, certificatePem } = named;
  const privateKeyPem = await vault.clientKeys.read({ merchantId, secretId: certificateId });
  return privateKeyPem === null ? null : { certificateId, certificatePem, privateKeyPem };
}
