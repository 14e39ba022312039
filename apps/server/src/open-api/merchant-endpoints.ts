import { isPublicNumber } from "@cardwright/contract";
import { ok } from "#kernel/index.ts";
import { fail } from "./answer.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";

/** Get Token, contract section 3. */
export const merchantToken: EndpointHandler<"merchant.token"> = async (deps, call) => {
  const { token, expiresAt } = await deps.accessTokens.issue(call.credential);
  return ok({ access_token: token, expired_time: expiresAt });
};

/** `merchant/client/{card_no}/token`, contract sections 3 and 7: only for merchants whose users may see card data at all. */
export const clientToken: EndpointHandler<"merchant.client_token"> = async (deps, call, { card_no: cardNo }) => {
  const { merchantId, pciEnabled } = call.merchant;
  if (!pciEnabled) {
    return fail("pci_not_enabled");
  }
  if (!isPublicNumber(cardNo)) {
    return fail("card_unknown");
  }
  const created = await deps.cards.createClientToken({ merchantId, cardNo });
  if (!created.ok) {
    return fail(created.reason);
  }
  const { token, expiresInSeconds } = created.value;
  return ok({ client_access_token: token, expires_in: expiresInSeconds });
};
