import { z } from "zod";
import { TRANSACTION_STATUSES, TRANSFER_TYPES } from "../constants.ts";
import {
  amount,
  cardholderNo,
  formatted,
  listOf,
  oneOf,
  paging,
  range,
  requiredCardholderNo,
  requiredText,
  text,
  time,
} from "./field.ts";

const transferNo = text({ description: "Our number of the transfer.", example: "T202605220001" });
const transferUniqueNo = text({
  description: "Your number of the transfer, at most 64 characters.",
  example: "topup-2026-0001",
});
const beforeBalance = amount({ description: "The account's balance before, frozen part included.", example: "0.00" });
const afterBalance = amount({ description: "The account's balance after, frozen part included." });

export const accountTransferBody = z.object({
  cardholder_no: requiredCardholderNo,
  transfer_unique_no: requiredText({
    description:
      "Your number of the transfer, at most 64 characters. The idempotency key: the same content again gets the first answer, other content is 3004.",
    example: "topup-2026-0001",
    lengthMax: 64,
  }),
  type: formatted(z.string(), {
    description: "`In` gives credit to the cardholder, `Out` takes it back. Upper or lower case.",
    example: "In",
    format: "transfer-type",
  }),
  balance: formatted(z.string(), {
    description: "The amount to move, TUSDT: above zero, at most 2 decimals.",
    example: "100.00",
    format: "positive-amount",
  }),
});

export const accountTransferData = z.object({
  transfer_no: transferNo,
  transfer_unique_no: transferUniqueNo,
  before_balance: beforeBalance,
  after_balance: afterBalance,
});

export const accountInfoParams = z.object({ cardholder_no: requiredCardholderNo });

export const accountRow = z.object({
  cardholder_no: cardholderNo,
  symbol: text({ description: "Currency of the account.", example: "TUSDT" }),
  symbol_chain: text({ description: "Chain of the currency.", example: "TRC20" }),
  balance: amount({ description: "Balance, frozen part included." }),
  usd_balance: amount({ description: "Balance in USD." }),
  bonus_balance: amount({ description: "Bonus balance.", example: "0.00" }),
  usd_bonus_balance: amount({ description: "Bonus balance in USD.", example: "0.00" }),
  frozen_balance: amount({ description: "Part of the balance that authorizations hold.", example: "0.00" }),
  usd_frozen_balance: amount({ description: "Frozen part in USD.", example: "0.00" }),
});

export const accountInfoData = listOf(accountRow);

export const accountTransferListBody = z.object({
  cardholder_no: cardholderNo.optional(),
  transfer_no: transferNo.optional(),
  transfer_unique_no: transferUniqueNo.max(64).optional(),
  ...range,
  ...paging,
});

export const accountTransferListData = listOf(
  z.object({
    transfer_no: transferNo,
    transfer_unique_no: transferUniqueNo,
    cardholder_no: cardholderNo,
    type: oneOf(TRANSFER_TYPES, { description: "Direction.", example: "In" }),
    balance: amount({ description: "Amount moved, TUSDT." }),
    before_balance: beforeBalance,
    after_balance: afterBalance,
    status: oneOf(TRANSACTION_STATUSES, { description: "Status of the transfer.", example: "Success" }),
    time: time("When the transfer was made."),
  }),
);
