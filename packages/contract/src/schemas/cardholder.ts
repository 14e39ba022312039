import { z } from "zod";
import { CARD_STATUSES, CARD_TYPES, CARDHOLDER_STATUSES } from "../constants.ts";
import { accountRow } from "./account.ts";
import {
  amount,
  cardholderNo,
  cardNo,
  described,
  listOf,
  oneOf,
  paging,
  range,
  requiredCardholderNo,
  requiredText,
  text,
  time,
} from "./field.ts";
import { organization } from "./product.ts";

const cardholderUniqueNo = text({
  description: "Your number of the cardholder, at most 64 characters.",
  example: "user-10001",
});
const email = text({ description: "From the identity check; empty before it is known.", example: "jane@example.com" });
const status = oneOf(CARDHOLDER_STATUSES, { description: "State of the identity check.", example: "Approved" });

export const cardholderApplyBody = z.object({
  cardholder_no: cardholderNo
    .meta({ description: "Only to update a cardholder: its number.", examples: ["U202605220001"] })
    .optional(),
  cardholder_unique_no: requiredText({
    description: "Your number of the cardholder, at most 64 characters. On an update the one that is stored.",
    example: "user-10001",
    lengthMax: 64,
  }),
  sumsub_share_token: requiredText({
    description: "Share token of the person's Sumsub applicant. Works once, for at most 20 minutes.",
    example: "eyJhbGciOiJub25lIn0.share.demo",
  }),
});

export const cardholderApplyData = z.object({
  cardholder_no: cardholderNo,
  cardholder_unique_no: cardholderUniqueNo,
});

export const cardholderListBody = z.object({
  cardholder_no: cardholderNo.optional(),
  cardholder_unique_no: cardholderUniqueNo.max(64).optional(),
  ...range,
  ...paging,
});

export const cardholderListData = listOf(
  z.object({
    cardholder_no: cardholderNo,
    cardholder_unique_no: cardholderUniqueNo,
    email,
    fail_reason: text({ description: "Why the check refused the person; else empty.", example: "" }),
    status,
    time: time("When the cardholder applied first."),
  }),
);

export const cardholderInfoParams = z.object({ cardholder_no: requiredCardholderNo });

export const cardholderInfoData = z.object({
  cardholder_no: cardholderNo,
  cardholder_unique_no: cardholderUniqueNo,
  email,
  status,
  total_balance: amount({ description: "All accounts together in USD, frozen part included." }),
  time: time("When the cardholder applied first."),
  card_list: described(
    z.array(
      z.object({
        card_no: cardNo,
        card_unique_no: text({ description: "Your number of the card.", example: "card-10001" }),
        card_type: oneOf(CARD_TYPES, { description: "Type of the card.", example: "Virtual" }),
        card_last_no: text({ description: "Last four digits of the card number.", example: "4242" }),
        organization,
        status: oneOf(CARD_STATUSES, { description: "Status of the card.", example: "Activated" }),
      }),
    ),
    { description: "The cardholder's issued cards." },
  ),
  account_list: described(z.array(accountRow), {
    description: "The cardholder's accounts, as in the account information.",
  }),
});
