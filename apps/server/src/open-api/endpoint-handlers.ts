import type { EndpointId } from "@cardwright/contract";
import { accountInfo, listTransfers, transferCredit } from "./account-endpoints.ts";
import { applyForCard, cardDetail, listCards, updateCardStatus } from "./card-endpoints.ts";
import { activateCard, privateInfo, setCardPin } from "./card-secret-endpoints.ts";
import { applyForCardholder, cardholderInfo, listCardholders } from "./cardholder-endpoints.ts";
import { consumptionInfo, listOfConsumptions } from "./consumption-endpoints.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";
import { clientToken, merchantToken } from "./merchant-endpoints.ts";
import { listBins, listPackages } from "./product-endpoints.ts";

/** Total over the contract's table: an endpoint without a handler does not compile. */
export const endpointHandlers: { readonly [Id in EndpointId]: EndpointHandler<Id> } = {
  "merchant.token": merchantToken,
  "cardholder.apply": applyForCardholder,
  "cardholder.list": listCardholders,
  "cardholder.info": cardholderInfo,
  "card.apply": applyForCard,
  "card.list": listCards,
  "card.detail": cardDetail,
  "card.private_info": privateInfo,
  "card.active": activateCard,
  "card.status_update": updateCardStatus,
  "card.pin_set": setCardPin,
  "merchant.client_token": clientToken,
  "account.transfer": transferCredit,
  "account.info": accountInfo,
  "account.transfer_list": listTransfers,
  "card.package_list": listPackages,
  "card.support_bins": listBins,
  "card.consume_info": consumptionInfo,
  "card.consume_list": listOfConsumptions,
};
