import { z } from "zod";
import { CONSUMPTION_TYPES, FEE_TYPES, TRANSACTION_STATUSES } from "../constants.ts";
import {
  amount,
  cardholderNo,
  cardNo,
  described,
  listOf,
  oneOf,
  paging,
  range,
  requiredText,
  text,
  time,
} from "./field.ts";

export const consumeNo = text({ description: "Our number of the consumption.", example: "O202605220001" });
export const consumeRelateNo = text({
  description: "Of a reversal or refund: the original consumption; else empty.",
  example: "",
});
export const consumptionType = oneOf(CONSUMPTION_TYPES, { description: "What it is.", example: "Consumption" });
export const transactionStatus = oneOf(TRANSACTION_STATUSES, {
  description: "`Pending` authorized, `Success` cleared, `Fail` declined, expired or reversed.",
  example: "Success",
});
export const localCurrency = text({ description: "Currency of the shop, ISO 4217.", example: "EUR" });
export const remark = text({
  description: "Reason code of a decline, or `expired`, `reversed`, `stand_in`; else empty.",
  example: "",
});
export const detail = text({ description: "A sentence for `remark`; else empty.", example: "" });
export const feeType = oneOf(FEE_TYPES, { description: "What the fee is for.", example: "Consume_fee" });

/** Key order of the wire (section 6): both insertion order and the order of a Java `HashMap`. */
export const merchantInfo = z
  .object({
    country: text({ description: "Country of the shop; may be empty.", example: "DE" }),
    merchant_mcc: text({ description: "Merchant category code; may be empty.", example: "5411" }),
    city: text({ description: "City of the shop; may be empty.", example: "Berlin" }),
    merchant_name: text({ description: "Name of the shop; may be empty.", example: "Corner Market" }),
  })
  .meta({ description: "The shop." });

const localAmount = amount({
  description: "Amount in the shop's currency, with that currency's number of decimals.",
  example: "92.50",
});

const rowBeforeFees = {
  consume_no: consumeNo,
  consume_relate_no: consumeRelateNo,
  card_no: cardNo,
  cardholder_no: cardholderNo,
  type: consumptionType,
  amount: amount({ description: "Amount in the card's currency, without fees, never negative." }),
  local_amount: localAmount,
  local_currency: localCurrency,
  fee: amount({ description: "Sum of the fees.", example: "1.00" }),
};

export const consumeInfoParams = z.object({
  consume_no: requiredText({ description: "Our number of the consumption.", example: "O202605220001" }),
});

export const consumeInfoData = z.object({
  ...rowBeforeFees,
  fee_list: described(
    z.array(z.object({ fee_type: feeType, amount: amount({ description: "The fee.", example: "1.00" }) })),
    { description: "The fees one by one." },
  ),
  remark,
  detail,
  merchant_info: merchantInfo,
  status: transactionStatus,
  time: time("When the consumption was created."),
});

export const consumeListBody = z.object({
  cardholder_no: cardholderNo.optional(),
  consume_no: consumeNo.optional(),
  card_no: cardNo.optional(),
  ...range,
  ...paging,
});

export const consumeListData = listOf(
  z.object({
    ...rowBeforeFees,
    remark,
    detail,
    status: transactionStatus,
    time: time("When the consumption was created."),
  }),
);
