import {
  type AddressInfo,
  type ErrorName,
  type FeeDetail,
  isPublicNumber,
  type RequestInput,
  ZERO_FEE_DETAIL,
} from "@cardwright/contract";
import type { ApplyCardRefusal, Card, CardAddress } from "#cards/index.ts";
import { ok } from "#kernel/index.ts";
import type { Call } from "./admission.ts";
import { fail } from "./answer.ts";
import type { EndpointDeps, EndpointHandler } from "./endpoint-handler.ts";
import { numbersOf, periodOf, rowsOf } from "./list-filter.ts";

/** `card/apply`, contract sections 3 and 9. The validator has made sure that the mode's own product number is there. */
export const applyForCard: EndpointHandler<"card.apply"> = async (deps, call, input) => {
  const { merchantId, utcOffsetMinutes } = call.merchant;
  const applied = await deps.cards.apply({
    merchantId,
    utcOffsetMinutes,
    productNo: productNoOf(call, input),
    cardholderNo: input.cardholder_no,
    cardUniqueNo: input.card_unique_no,
    cardType: input.card_type,
    address: input.address_info === undefined ? null : addressOf(input.address_info),
  });
  if (!applied.ok) {
    return fail(applyError(applied.reason, call));
  }
  return ok({ card_no: applied.value.cardNo, card_unique_no: applied.value.cardUniqueNo });
};

/**
 * The number of the mode's own kind of product; the first letter of a number says its kind (contract section 1). A BIN's number in
 * the place of a package's, or the other way round, is a number that does not exist.
 */
function productNoOf({ merchant }: Call, input: RequestInput<"card.apply">): string {
  const [productNo = "", kind] =
    merchant.mode === "CREDIT_EXTENSION" ? [input.package_no, "P"] : [input.card_bin_no, "B"];
  return productNo.startsWith(kind) ? productNo : "";
}

function applyError(reason: ApplyCardRefusal, { merchant }: Call): ErrorName {
  if (reason === "product_unknown") {
    return merchant.mode === "CREDIT_EXTENSION" ? "package_unknown" : "bin_unknown";
  }
  return reason;
}

function addressOf(address: AddressInfo): CardAddress {
  return {
    firstName: address.first_name ?? "",
    lastName: address.last_name ?? "",
    phoneCode: address.phone_code ?? "",
    phone: address.phone ?? "",
    postalCode: address.postal_code ?? "",
    country: address.country ?? "",
    state: address.state ?? "",
    city: address.city ?? "",
    addressLine1: address.address_line1 ?? "",
    addressLine2: address.address_line2 ?? "",
  };
}

/** `card/list`, contract section 3. */
export const listCards: EndpointHandler<"card.list"> = async (deps, call, input) => {
  const period = periodOf(call, input);
  if (!period.ok) {
    return period;
  }
  const cards = await deps.cards.list({
    merchantId: call.merchant.merchantId,
    cardholderNo: input.cardholder_no ?? null,
    cardUniqueNo: input.card_unique_no ?? null,
    cardNo: input.card_no ?? null,
    ...numbersOf("C", period.value),
    ...rowsOf(input),
  });
  return ok({ list: cards.map(rowOf) });
};

/** `card/{card_no}/detail`, contract section 3. */
export const cardDetail: EndpointHandler<"card.detail"> = async (deps, call, { card_no: cardNo }) => {
  const { merchantId } = call.merchant;
  const card = isPublicNumber(cardNo) ? await deps.cards.find({ merchantId, cardNo }) : null;
  if (card === null) {
    return fail("card_unknown");
  }
  return ok({ ...rowOf(card), card_name: card.cardName, ...(await productOf(deps, card)) });
};

interface ShownProduct {
  readonly package_name_en: string;
  readonly package_name_cn: string;
  readonly fee_detail: FeeDetail;
}

/** The fees are those the card was opened with. Without a package, in authorization mode, there are no names and no fees. */
async function productOf(deps: EndpointDeps, card: Card): Promise<ShownProduct> {
  const { packageNo, packageTermsVersion: version } = card;
  if (packageNo === null || version === null) {
    return { package_name_en: "", package_name_cn: "", fee_detail: ZERO_FEE_DETAIL };
  }
  const named = await deps.products.findPackage(packageNo);
  const terms = await deps.products.terms({ productNo: packageNo, version });
  return {
    package_name_en: named?.enName ?? "",
    package_name_cn: named?.cnName ?? "",
    fee_detail: terms.feeDetail,
  };
}

function rowOf(card: Card) {
  return {
    card_no: card.cardNo,
    card_unique_no: card.cardUniqueNo,
    cardholder_no: card.cardholderNo,
    card_type: card.cardType,
    card_last_no: card.status === "Pending" || card.status === "Fail" ? "" : card.lastFour,
    organization: card.organization,
    status: card.status,
    time: card.createdAt,
  };
}

/** `card/status/update`, contract sections 3 and 4. */
export const updateCardStatus: EndpointHandler<"card.status_update"> = async (deps, call, input) => {
  const { merchantId } = call.merchant;
  const changed = await deps.cards.requestStatus({ merchantId, cardNo: input.card_no, to: input.status });
  return changed.ok ? ok({ result: true }) : fail(changed.reason);
};
