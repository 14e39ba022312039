import { type ErrorName, isPublicNumber } from "@cardwright/contract";
import type { ApplyRefusal, Cardholder } from "#cardholders/index.ts";
import type { Card } from "#cards/index.ts";
import { ok } from "#kernel/index.ts";
import { accountRow, totalOf } from "./account-row.ts";
import { amountText } from "./amounts.ts";
import { fail } from "./answer.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";
import { pageOf, periodOf } from "./list-filter.ts";

const applyErrors: Readonly<Record<ApplyRefusal, ErrorName>> = {
  cardholder_exists: "cardholder_exists",
  cardholder_not_found: "cardholder_unknown",
  already_verified: "cardholder_already_verified",
  verification_pending: "verification_pending",
  verification_failed: "verification_failed",
  unique_number_differs: "unique_no_differs",
  kyc_data_unavailable: "kyc_unavailable",
};

/** `cardholder/apply`, contract section 3. */
export const applyForCardholder: EndpointHandler<"cardholder.apply"> = async (deps, call, input) => {
  const applied = await deps.cardholders.apply({
    merchantId: call.merchant.merchantId,
    cardholderNo: input.cardholder_no,
    cardholderUniqueNo: input.cardholder_unique_no,
    sumsubShareToken: input.sumsub_share_token,
  });
  if (!applied.ok) {
    return fail(applyErrors[applied.reason]);
  }
  const { cardholderNo, cardholderUniqueNo } = applied.value;
  return ok({ cardholder_no: cardholderNo, cardholder_unique_no: cardholderUniqueNo });
};

/** `cardholder/list`, contract section 3. */
export const listCardholders: EndpointHandler<"cardholder.list"> = async (deps, call, input) => {
  const period = periodOf(call, input);
  if (!period.ok) {
    return period;
  }
  const rows = await deps.cardholders.list({
    merchantId: call.merchant.merchantId,
    cardholderNo: input.cardholder_no,
    cardholderUniqueNo: input.cardholder_unique_no,
    ...period.value,
    ...pageOf(input),
  });
  return ok({ list: rows.map((row) => ({ ...identityOf(row), fail_reason: row.failReason })) });
};

/** `cardholder/{cardholder_no}/info`, contract section 3. Without accounts the balance is zero: before approval, and in authorization mode. */
export const cardholderInfo: EndpointHandler<"cardholder.info"> = async (deps, call, input) => {
  const key = { merchantId: call.merchant.merchantId, cardholderNo: input.cardholder_no };
  const cardholder = isPublicNumber(key.cardholderNo) ? await deps.cardholders.find(key) : null;
  if (cardholder === null) {
    return fail("cardholder_unknown");
  }
  const accounts = call.merchant.mode === "CREDIT_EXTENSION" ? await deps.credit.accountsOf(key) : null;
  const cards = await deps.cards.ofCardholder(key);
  return ok({
    ...identityOf(cardholder),
    total_balance: amountText(accounts === null ? 0n : totalOf(accounts.credit) + totalOf(accounts.bonus)),
    card_list: cards.map(issuedCard),
    account_list: accounts === null ? [] : [accountRow(key.cardholderNo, accounts)],
  });
};

function identityOf(cardholder: Cardholder) {
  return {
    cardholder_no: cardholder.cardholderNo,
    cardholder_unique_no: cardholder.cardholderUniqueNo,
    email: cardholder.email,
    status: cardholder.status,
    time: cardholder.createdAt,
  };
}

function issuedCard(card: Card) {
  return {
    card_no: card.cardNo,
    card_unique_no: card.cardUniqueNo,
    card_type: card.cardType,
    card_last_no: card.lastFour,
    organization: card.organization,
    status: card.status,
  };
}
