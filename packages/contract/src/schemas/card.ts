import { z } from "zod";
import { CARD_STATUSES, CARD_TYPES, REQUESTABLE_CARD_STATUSES } from "../constants.ts";
import {
  cardholderNo,
  cardNo,
  described,
  formatted,
  listOf,
  oneOf,
  paging,
  range,
  requiredCardholderNo,
  requiredCardNo,
  requiredText,
  text,
  time,
} from "./field.ts";
import { cardBinNo, feeDetail, organization, packageNo } from "./product.ts";

const cardUniqueNo = text({ description: "Your number of the card, at most 64 characters.", example: "card-10001" });
const cardType = oneOf(CARD_TYPES, { description: "Virtual, or physical and sent by post.", example: "Virtual" });
const cardLastNo = text({
  description: "Last four digits of the card number; empty before the card is made.",
  example: "4242",
});
const status = oneOf(CARD_STATUSES, {
  description:
    "`Pending` being made, `ToActivate`, `Activated`, `Fail` application failed, `Frozen`, `Delete`. The last of a failed or deleted card.",
  example: "Activated",
});
const result = z.object({ result: described(z.boolean(), { description: "Always true.", example: true }) });

interface AddressText {
  readonly description: string;
  readonly example: string;
  readonly lengthMax: number;
}

function addressText(notes: AddressText): z.ZodString {
  return formatted(z.string().max(notes.lengthMax), { ...notes, format: "address-text" });
}

/**
 * The address of a card. Which fields are required depends on `card_type` (see `requiredAddressFields`), so that the
 * schema alone requires none.
 */
export const addressInfo = z
  .object({
    first_name: addressText({ description: "Given name.", example: "Jane", lengthMax: 64 }).optional(),
    last_name: addressText({ description: "Family name.", example: "Miller", lengthMax: 64 }).optional(),
    phone_code: formatted(z.string(), {
      description: "Dialling code of the phone, digits without `+`.",
      example: "44",
      format: "dialling-code",
    }).optional(),
    phone: formatted(z.string().max(20), {
      description: "Phone number without dialling code: digits, spaces and hyphens.",
      example: "7700900123",
      format: "phone",
    }).optional(),
    postal_code: formatted(z.string().max(16), {
      description: "Postal code in the form of the country.",
      example: "SW1A 1AA",
      format: "postal-code",
    }).optional(),
    country: formatted(z.string(), {
      description: "ISO 3166-1 alpha-2, upper case.",
      example: "GB",
      format: "country-code",
    }).optional(),
    state: addressText({ description: "State, province or region.", example: "England", lengthMax: 64 }).optional(),
    city: addressText({ description: "City.", example: "London", lengthMax: 64 }).optional(),
    address_line1: addressText({
      description: "Street and number.",
      example: "10 Example Street",
      lengthMax: 128,
    }).optional(),
    address_line2: addressText({
      description: "Flat, floor; never required.",
      example: "Flat 2",
      lengthMax: 128,
    }).optional(),
  })
  .meta({
    description:
      "Where the cardholder lives. Physical cards: required, all but `address_line2`. Virtual cards: may be omitted; if present, `postal_code, country, state, city, address_line1` are required. English letters, digits, space and `- / # . , '` only.",
  });

export type AddressInfo = z.infer<typeof addressInfo>;
export type AddressField = keyof AddressInfo;

/** The fields that an address must have, in their order (section 3, `card/apply`). */
export const requiredAddressFields: Readonly<Record<(typeof CARD_TYPES)[number], readonly AddressField[]>> = {
  Physical: addressInfo.keyof().options.filter((field) => field !== "address_line2"),
  Virtual: ["postal_code", "country", "state", "city", "address_line1"],
};

export const cardApplyBody = z.object({
  card_bin_no: cardBinNo
    .meta({ description: "Authorization mode: the BIN to open the card on.", examples: ["B202605220001"] })
    .optional(),
  package_no: packageNo
    .meta({ description: "Credit mode: the package to open the card on.", examples: ["P202605220001"] })
    .optional(),
  cardholder_no: requiredCardholderNo,
  card_unique_no: requiredText({
    description:
      "Your number of the card, at most 64 characters. The idempotency key: the same content again gets the first answer, other content is 4004.",
    example: "card-10001",
    lengthMax: 64,
  }),
  card_type: cardType,
  address_info: addressInfo.optional(),
});

export const cardApplyData = z.object({ card_no: cardNo, card_unique_no: cardUniqueNo });

export const cardListBody = z.object({
  cardholder_no: cardholderNo.optional(),
  card_unique_no: cardUniqueNo.max(64).optional(),
  card_no: cardNo.optional(),
  ...range,
  ...paging,
});

export const cardListData = listOf(
  z.object({
    card_no: cardNo,
    card_unique_no: cardUniqueNo,
    cardholder_no: cardholderNo,
    card_type: cardType,
    card_last_no: cardLastNo,
    organization,
    status,
    time: time("When the card was applied for."),
  }),
);

export const cardDetailParams = z.object({ card_no: requiredCardNo });

export const cardDetailData = z.object({
  card_no: cardNo,
  card_unique_no: cardUniqueNo,
  cardholder_no: cardholderNo,
  card_name: text({ description: "Name on the card.", example: "JANE MILLER" }),
  package_name_en: text({
    description: "English name of the package; empty in authorization mode.",
    example: "Everyday",
  }),
  package_name_cn: text({
    description: "Chinese name of the package; empty in authorization mode.",
    example: "日常卡",
  }),
  card_type: cardType,
  organization,
  card_last_no: cardLastNo,
  fee_detail: feeDetail,
  status,
  time: time("When the card was applied for."),
});

export const cardPrivateInfoParams = z.object({ card_no: requiredCardNo });

export const cardPrivateInfoData = text({
  description:
    "Base64 of AES/ECB/PKCS5Padding, key the `apiSecret` of the calling credential, over a JSON text with the strings `card_no, card_unique_no, cvv, pan, exp_year, exp_month`.",
  example: "kq3vG0m8Vt0h2lT7n2XrVw==",
});

/** What `card/private/info` holds once decrypted. */
export const cardPrivateInfoPlain = z.object({
  card_no: cardNo,
  card_unique_no: cardUniqueNo,
  cvv: text({ description: "Three digits.", example: "123" }),
  pan: text({ description: "The card number.", example: "4000001234567899" }),
  exp_year: text({ description: "Four digits.", example: "2028" }),
  exp_month: text({ description: "Two digits.", example: "12" }),
});

export const cardActiveBody = z.object({
  cardholder_no: requiredCardholderNo,
  card_no: requiredCardNo,
  cvv: requiredText({
    description: "The three digits of the CVV, encrypted like the private info. Plain text is refused.",
    example: "kq3vG0m8Vt0h2lT7n2XrVw==",
  }),
  card_last_no: described(z.string().regex(/^\d{4}$/u), {
    description: "Last four digits of the card number.",
    example: "4242",
  }),
});
export const cardActiveData = result;

export const cardStatusUpdateBody = z.object({
  card_no: requiredCardNo,
  status: oneOf(REQUESTABLE_CARD_STATUSES, {
    description: "The status asked for. `Delete` is final. The present status again is a success without effect.",
    example: "Frozen",
  }),
});
export const cardStatusUpdateData = result;

export const cardPinSetBody = z.object({
  card_no: requiredCardNo,
  cardholder_no: requiredCardholderNo,
  pin: requiredText({
    description:
      "The PIN, encrypted like the private info: 6 digits without three or more identical or sequential ones in a row.",
    example: "kq3vG0m8Vt0h2lT7n2XrVw==",
  }),
});
export const cardPinSetData = result;
