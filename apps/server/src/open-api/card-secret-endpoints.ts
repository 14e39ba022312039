import { isPublicNumber } from "@cardwright/contract";
import { ok } from "#kernel/index.ts";
import { fail } from "./answer.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";

/** `card/{card_no}/private/info`, contract sections 3 and 6: cipher text for the credential that makes the call. */
export const privateInfo: EndpointHandler<"card.private_info"> = async (deps, call, { card_no: cardNo }) => {
  const { merchantId, pciEnabled } = call.merchant;
  if (!pciEnabled) {
    return fail("pci_not_enabled");
  }
  if (!isPublicNumber(cardNo)) {
    return fail("card_unknown");
  }
  const info = await deps.cards.privateInfo({ merchantId, cardNo, secretId: call.credential.credentialId });
  return info.ok ? info : fail(info.reason);
};

/** `card/active`, contract sections 3 and 9. */
export const activateCard: EndpointHandler<"card.active"> = async (deps, call, input) => {
  const activated = await deps.cards.activate({
    merchantId: call.merchant.merchantId,
    cardNo: input.card_no,
    cardholderNo: input.cardholder_no,
    lastFour: input.card_last_no,
    cvvCipherText: input.cvv,
    secretId: call.credential.credentialId,
  });
  return activated.ok ? ok({ result: true }) : fail(activated.reason);
};

/** `card/pin/set`, contract sections 3 and 9. */
export const setCardPin: EndpointHandler<"card.pin_set"> = async (deps, call, input) => {
  const set = await deps.cards.setPin({
    merchantId: call.merchant.merchantId,
    cardNo: input.card_no,
    cardholderNo: input.cardholder_no,
    secretId: call.credential.credentialId,
    cipherText: input.pin,
  });
  return set.ok ? ok({ result: true }) : fail(set.reason);
};
