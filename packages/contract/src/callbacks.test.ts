import { expect, test } from "vitest";
import {
  authData,
  CALLBACK_HEADERS,
  callbackAnswer,
  callbackBody,
  callbacks,
  cardUpdateData,
  consumptionData,
} from "./callbacks.ts";
import { exampleOf, jsonSchemaOf } from "./json-schema.ts";

const keysOf = (schema: { shape: object }): string => Object.keys(schema.shape).join(" ");

test("the keys of data stand in the contract's order", () => {
  expect(keysOf(authData)).toBe(
    "consume_no card_no cardholder_no type amount local_amount local_currency merchant_info status time",
  );
  expect(keysOf(consumptionData)).toBe(
    "consume_no consume_relate_no card_no cardholder_no type amount local_amount local_currency fee remark detail fee_detail merchant_info status time",
  );
  expect(keysOf(cardUpdateData)).toBe("card_no before_status after_status reason time");
});

test("nested keys stand in the order of a Java HashMap", () => {
  expect(keysOf(consumptionData.shape.merchant_info)).toBe("country merchant_mcc city merchant_name");
  expect(keysOf(consumptionData.shape.fee_detail.element)).toBe("amount fee_type");
});

test("the example of each callback is a callback", () => {
  for (const { body } of callbacks) expect(callbackBody.safeParse(exampleOf(jsonSchemaOf(body))).error).toBeUndefined();
  expect(callbacks.map(({ action }) => action)).toEqual(["Auth", "Consumption", "Card_update"]);
});

test("amounts in callbacks are numbers, not texts", () => {
  const example: unknown = exampleOf(jsonSchemaOf(authData));
  expect(authData.safeParse({ ...(typeof example === "object" ? example : {}), amount: "100.00" }).success).toBe(false);
});

test("only a whole number is a code in the merchant's answer", () => {
  expect(callbackAnswer.safeParse({ code: 0, message: "" }).success).toBe(true);
  for (const code of ["0", 0.5, null, undefined, true]) expect(callbackAnswer.safeParse({ code }).success).toBe(false);
});

test("header names are those of the contract", () => {
  expect(Object.values(CALLBACK_HEADERS)).toEqual(["Timestamp", "Signature", "Sign-Version", "Timezone"]);
});
