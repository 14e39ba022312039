import { isPublicNumber } from "@cardwright/contract";
import { type Consumption, findConsumption, listConsumptions } from "#consumptions/index.ts";
import { ok } from "#kernel/index.ts";
import { amountText } from "./amounts.ts";
import { fail } from "./answer.ts";
import type { EndpointHandler } from "./endpoint-handler.ts";
import { numbersOf, periodOf, rowsOf } from "./list-filter.ts";

/** `card/consume/{consume_no}/info`, contract section 3. */
export const consumptionInfo: EndpointHandler<"card.consume_info"> = async (deps, call, { consume_no: consumeNo }) => {
  const { merchantId } = call.merchant;
  const found = isPublicNumber(consumeNo) ? await findConsumption(deps.pool, { merchantId, consumeNo }) : null;
  if (found === null) {
    return fail("consumption_unknown");
  }
  const { acceptor } = found;
  return ok({
    ...rowOf(found),
    fee_list: found.feeRows.map(({ feeType, amount }) => ({ fee_type: feeType, amount: amountText(amount) })),
    merchant_info: {
      country: acceptor.country,
      merchant_mcc: acceptor.mcc,
      city: acceptor.city,
      merchant_name: acceptor.name,
    },
  });
};

/** `card/consume/list`, contract section 3. */
export const listOfConsumptions: EndpointHandler<"card.consume_list"> = async (deps, call, input) => {
  const period = periodOf(call, input);
  if (!period.ok) {
    return period;
  }
  const consumptions = await listConsumptions(deps.pool, {
    merchantId: call.merchant.merchantId,
    cardholderNo: input.cardholder_no ?? null,
    consumeNo: input.consume_no ?? null,
    cardNo: input.card_no ?? null,
    ...numbersOf("O", period.value),
    ...rowsOf(input),
  });
  return ok({ list: consumptions.map(rowOf) });
};

function rowOf(consumption: Consumption) {
  return {
    consume_no: consumption.consumeNo,
    consume_relate_no: consumption.consumeRelateNo,
    card_no: consumption.cardNo,
    cardholder_no: consumption.cardholderNo,
    type: consumption.type,
    amount: amountText(consumption.amount),
    local_amount: consumption.localAmount,
    local_currency: consumption.localCurrency,
    fee: amountText(consumption.fee),
    remark: consumption.remark,
    detail: consumption.detail,
    status: consumption.status,
    time: consumption.createdAt,
  };
}
