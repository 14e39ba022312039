/** Made by npm run generate from packages/contract: change that, not this file. */

/** The JSON type of each field that is always there. */
export const callbackShapes = {
  Auth: { consume_no: "string", card_no: "string", cardholder_no: "string", type: "string", amount: "number", local_amount: "number", local_currency: "string", merchant_info: "object", status: "string", time: "number" },
  Consumption: { consume_no: "string", consume_relate_no: "string", card_no: "string", cardholder_no: "string", type: "string", amount: "number", local_amount: "number", local_currency: "string", fee: "number", remark: "string", detail: "string", fee_detail: "array", merchant_info: "object", status: "string", time: "number" },
  Card_update: { card_no: "string", before_status: "string", after_status: "string", reason: "string", time: "number" },
} as const;
