import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EndpointId, endpointById, endpoints } from "./endpoints.ts";
import { isErrorName } from "./errors.ts";
import type { AddressRules } from "./formats.ts";
import { exampleOf, jsonSchemaOf, requestExampleOf } from "./json-schema.ts";
import { compileValidator, type ValidationContext, type Validator } from "./validation.ts";

/** `ok`, or the field and the error. */
function verdict(id: EndpointId, input: unknown, context?: ValidationContext, addressRules?: AddressRules): string {
  const validate = addressRules === undefined ? compileValidator(id) : compileValidator(id, { addressRules });
  const result = validate(input, context);
  return result.ok ? "ok" : `${result.field} ${result.error}`;
}

const range = { start_time: "2026-05-01", end_time: "2026-05-31" };
const transfer = { cardholder_no: "U1", transfer_unique_no: "t-1", type: "In", balance: "100.00" };
const address = {
  first_name: "Jane",
  last_name: "Miller",
  phone_code: "44",
  phone: "7700900123",
  postal_code: "SW1A 1AA",
  country: "GB",
  state: "England",
  city: "London",
  address_line1: "10 Example Street",
};
const virtualCard = { package_no: "P1", cardholder_no: "U1", card_unique_no: "c-1", card_type: "Virtual" };
const physicalCard = { ...virtualCard, card_type: "Physical", address_info: address };
const credit = { mode: "CREDIT_EXTENSION" } as const;
const authorization = { mode: "AUTHORIZATION" } as const;

describe("every endpoint", () => {
  test.each(endpoints.map(({ id }) => id))("%s accepts its own example", (id) => {
    const schema = jsonSchemaOf(endpointById(id).request);
    expect(verdict(id, requestExampleOf(schema, ["page", "size", "package_no", "address_info"]))).toBe("ok");
    expect(verdict(id, exampleOf(schema))).toBe("ok");
  });

  test.each(endpoints.filter(({ input }) => input === "body").map(({ id }) => id))(
    "%s names the body when it is no object",
    (id) => {
      for (const input of [undefined, null, 1, "x", true, [], [{}]]) {
        expect(verdict(id, input)).toBe("body invalid_parameter");
      }
    },
  );

  test.each(endpoints.map(({ id }) => id))("%s names each required field that is missing, null or empty", (id) => {
    const schema = jsonSchemaOf(endpointById(id).request);
    const example = requestExampleOf(schema, ["package_no"]);
    for (const field of schema.required ?? []) {
      const { [field]: _removed, ...without } = example;
      expect(verdict(id, without)).toBe(`${field} invalid_parameter`);
      expect(verdict(id, { ...example, [field]: null })).toBe(`${field} invalid_parameter`);
      expect(verdict(id, { ...example, [field]: 5 })).toBe(`${field} wrong_type`);
      if (field === "balance") continue;
      expect(verdict(id, { ...example, [field]: "" })).toBe(`${field} invalid_parameter`);
      expect(verdict(id, { ...example, [field]: " \t　" })).toBe(`${field} invalid_parameter`);
    }
  });

  test("unknown fields are ignored and not handed on, __proto__ among them", () => {
    const input: unknown = JSON.parse('{"card_no":"C1","status":"Frozen","other":1,"__proto__":{"card_no":"X"}}');
    expect(compileValidator("card.status_update")(input)).toEqual({
      ok: true,
      value: { card_no: "C1", status: "Frozen" },
    });
  });

  test("fields that are only inherited do not count", () => {
    expect(verdict("card.status_update", Object.create({ card_no: "C1", status: "Frozen" }))).toBe(
      "card_no invalid_parameter",
    );
  });

  test("null and empty optional fields count as absent", () => {
    const result = compileValidator("card.list")({ card_no: null, cardholder_no: " ", ...range, page: null });
    expect(result).toEqual({ ok: true, value: range });
    expect(verdict("card.package_list", { type: "" })).toBe("ok");
  });
});

describe("paging", () => {
  test.each([
    [{ page: "0" }, "page wrong_type"],
    [{ size: "10" }, "size wrong_type"],
    [{ page: true }, "page wrong_type"],
    [{ size: [10] }, "size wrong_type"],
    [{ size: {} }, "size wrong_type"],
    [{ size: 1.5 }, "size invalid_parameter"],
    [{ page: 0.5 }, "page invalid_parameter"],
    [{ size: 0 }, "size invalid_parameter"],
    [{ size: 101 }, "size invalid_parameter"],
    [{ size: -1 }, "size invalid_parameter"],
    [{ page: -1 }, "page invalid_parameter"],
    [{ page: 1_000_001 }, "page invalid_parameter"],
    [{ page: Number.POSITIVE_INFINITY }, "page invalid_parameter"],
    [{ page: 1e300 }, "page invalid_parameter"],
    [{ page: 0, size: 1 }, "ok"],
    [{ page: 1_000_000, size: 100 }, "ok"],
    [{ page: "0", size: 0 }, "page wrong_type"],
  ])("%j is %s", (fields, expected) => {
    expect(verdict("card.support_bins", fields)).toBe(expected);
    expect(verdict("card.list", { ...range, ...fields })).toBe(expected);
  });
});

describe("time filters", () => {
  test("a time that does not exist is reported before a later field", () => {
    expect(verdict("card.list", { ...range, start_time: "2023-02-30", page: "0" })).toBe(
      "start_time invalid_parameter",
    );
    expect(verdict("card.consume_list", { ...range, end_time: "2023-01-01 24:00:00" })).toBe(
      "end_time invalid_parameter",
    );
  });

  test("a time as a number is of the wrong type", () => {
    expect(verdict("cardholder.list", { ...range, end_time: 1779408000000 })).toBe("end_time wrong_type");
  });
});

describe("order", () => {
  test("of several wrong fields the first in the contract's order is named, whatever the order in the body", () => {
    expect(verdict("account.transfer", { balance: "x", type: "x", transfer_unique_no: 1, cardholder_no: "" })).toBe(
      "cardholder_no invalid_parameter",
    );
    expect(verdict("account.transfer", { balance: "x", type: "x", transfer_unique_no: 1, cardholder_no: "U1" })).toBe(
      "transfer_unique_no wrong_type",
    );
    expect(verdict("account.transfer", { ...transfer, balance: "x", type: "x" })).toBe("type transfer_type_unknown");
  });

  test("inside an address each field reports its own first error in order", () => {
    const wrong = { ...address, first_name: "珍", city: 5, phone: "x" };
    expect(verdict("card.apply", { ...physicalCard, address_info: wrong })).toBe(
      "address_info.first_name english_only",
    );
    expect(verdict("card.apply", { ...physicalCard, address_info: { ...wrong, first_name: "J" } })).toBe(
      "address_info.phone invalid_parameter",
    );
  });
});

describe("lengths", () => {
  test.each([
    ["account.transfer", transfer, "transfer_unique_no"],
    ["card.apply", virtualCard, "card_unique_no"],
    ["cardholder.apply", { cardholder_unique_no: "u", sumsub_share_token: "t" }, "cardholder_unique_no"],
  ] as const)("%s takes 64 characters of its unique number, not 65", (id, body, field) => {
    expect(verdict(id, { ...body, [field]: "x".repeat(64) })).toBe("ok");
    expect(verdict(id, { ...body, [field]: "😀".repeat(64) })).toBe("ok");
    expect(verdict(id, { ...body, [field]: "x".repeat(65) })).toBe(`${field} invalid_parameter`);
  });

  test.each([
    ["first_name", 64],
    ["last_name", 64],
    ["state", 64],
    ["city", 64],
    ["address_line1", 128],
    ["address_line2", 128],
    ["phone", 20],
    ["postal_code", 16],
  ])("%s takes %i characters and no more", (field, length) => {
    const withText = (text: string): object => ({ ...physicalCard, address_info: { ...address, [field]: text } });
    expect(verdict("card.apply", withText("1".repeat(length)))).toBe("ok");
    expect(verdict("card.apply", withText("1".repeat(length + 1)))).toBe(`address_info.${field} invalid_parameter`);
  });
});

describe("account/transfer", () => {
  test.each(["In", "in", "OUT", "oUt"])("the type %s is known", (type) => {
    expect(verdict("account.transfer", { ...transfer, type })).toBe("ok");
  });

  test.each(["Both", "In ", "in\n", "transfer"])("the type %j is unknown", (type) => {
    expect(verdict("account.transfer", { ...transfer, type })).toBe("type transfer_type_unknown");
  });

  test.each(["0.01", "1", "1.5", "100.00", "999999999999.99"])("the amount %s is taken", (balance) => {
    expect(verdict("account.transfer", { ...transfer, balance })).toBe("ok");
  });

  test.each([
    "",
    " ",
    "0",
    "0.00",
    "-1",
    "+1",
    "1.234",
    "1.",
    ".5",
    "1e3",
    "1,000.00",
    "abc",
    "NaN",
    "Infinity",
    "0x10",
    "01",
    "1.00\n",
    "١",
    "1000000000000",
    "9".repeat(400),
  ])("the amount %j is refused", (balance) => {
    expect(verdict("account.transfer", { ...transfer, balance })).toBe("balance amount_invalid");
  });

  test("an amount that is no text is of the wrong type, and a missing one is invalid", () => {
    expect(verdict("account.transfer", { ...transfer, balance: 100 })).toBe("balance wrong_type");
    expect(verdict("account.transfer", { ...transfer, balance: null })).toBe("balance invalid_parameter");
  });
});

describe("card/apply", () => {
  test("the product number of the merchant's own mode is required", () => {
    const { package_no: _none, ...noProduct } = virtualCard;
    expect(verdict("card.apply", noProduct, credit)).toBe("package_no invalid_parameter");
    expect(verdict("card.apply", { ...noProduct, package_no: "" }, credit)).toBe("package_no invalid_parameter");
    expect(verdict("card.apply", noProduct, authorization)).toBe("card_bin_no invalid_parameter");
    expect(verdict("card.apply", noProduct)).toBe("card_bin_no invalid_parameter");
    expect(verdict("card.apply", virtualCard, credit)).toBe("ok");
    expect(verdict("card.apply", { ...noProduct, card_bin_no: "B1" }, authorization)).toBe("ok");
  });

  test("the other mode's product number is refused, alone and beside the own one", () => {
    const { package_no: _none, ...noProduct } = virtualCard;
    expect(verdict("card.apply", virtualCard, authorization)).toBe("package_no mode_not_supported");
    expect(verdict("card.apply", { ...noProduct, card_bin_no: "B1" }, credit)).toBe("card_bin_no mode_not_supported");
    expect(verdict("card.apply", { ...virtualCard, card_bin_no: "B1" }, credit)).toBe("card_bin_no mode_not_supported");
  });

  test("the card type is one of two, spelt exactly", () => {
    for (const card_type of ["virtual", "Gift", "Virtual,Physical"]) {
      expect(verdict("card.apply", { ...virtualCard, card_type })).toBe("card_type invalid_parameter");
    }
  });

  test("a physical card needs an address and everything in it but the second line", () => {
    const { address_info: _none, ...noAddress } = physicalCard;
    expect(verdict("card.apply", noAddress)).toBe("address_info address_required");
    expect(verdict("card.apply", { ...noAddress, address_info: null })).toBe("address_info address_required");
    expect(verdict("card.apply", physicalCard)).toBe("ok");
    for (const field of Object.keys(address)) {
      expect(verdict("card.apply", { ...physicalCard, address_info: { ...address, [field]: " " } })).toBe(
        `address_info.${field} invalid_parameter`,
      );
    }
  });

  test("a virtual card needs no address, and five fields of one that is given", () => {
    const five = { postal_code: "1", country: "GB", state: "s", city: "c", address_line1: "a" };
    expect(verdict("card.apply", virtualCard)).toBe("ok");
    expect(verdict("card.apply", { ...virtualCard, address_info: five })).toBe("ok");
    expect(verdict("card.apply", { ...virtualCard, address_info: {} })).toBe(
      "address_info.postal_code invalid_parameter",
    );
    for (const field of Object.keys(five)) {
      expect(verdict("card.apply", { ...virtualCard, address_info: { ...five, [field]: null } })).toBe(
        `address_info.${field} invalid_parameter`,
      );
    }
  });

  test("an address of another type is named, and so are its fields", () => {
    for (const address_info of ["x", 5, true, []]) {
      expect(verdict("card.apply", { ...physicalCard, address_info })).toBe("address_info wrong_type");
    }
    expect(verdict("card.apply", { ...physicalCard, address_info: { ...address, city: {} } })).toBe(
      "address_info.city wrong_type",
    );
  });

  test.each([
    ["city", "Zürich", "english_only"],
    ["city", "伦敦!", "english_only"],
    ["city", "London!", "address_characters"],
    ["address_line1", "10 Example St.\n", "address_characters"],
    ["address_line2", "Flat 2 @ back", "address_characters"],
    ["state", "a\u007f", "address_characters"],
    ["last_name", "O’Hara", "english_only"],
    ["postal_code", "SW1A_1AA", "address_characters"],
    ["phone", "+447700", "address_characters"],
    ["phone", "seven", "invalid_parameter"],
    ["phone_code", "+44", "invalid_parameter"],
    ["phone_code", "四", "invalid_parameter"],
    ["country", "gb", "invalid_parameter"],
    ["country", "GBR", "invalid_parameter"],
    ["country", "英国", "invalid_parameter"],
  ])("%s %j is %s", (field, text, error) => {
    expect(verdict("card.apply", { ...physicalCard, address_info: { ...address, [field]: text } })).toBe(
      `address_info.${field} ${error}`,
    );
  });

  test("letters, digits, space and - / # . , ' are address characters", () => {
    const address_info = { ...address, last_name: "O'Hara", address_line1: "Flat 1-2/3, No. #4" };
    expect(verdict("card.apply", { ...physicalCard, address_info })).toBe("ok");
  });

  test("what only the server knows of countries is asked in field order", () => {
    const rules: AddressRules = {
      isCountrySupported: (country) => country !== "ZZ",
      isDiallingCode: (code) => code === "44",
      postalCodeFits: ({ country, postalCode }) => country !== "GB" || /^[A-Z]/.test(postalCode),
    };
    const ask = (fields: object): string =>
      verdict("card.apply", { ...physicalCard, address_info: { ...address, ...fields } }, credit, rules);
    expect(ask({})).toBe("ok");
    expect(ask({ phone_code: "999" })).toBe("address_info.phone_code invalid_parameter");
    expect(ask({ postal_code: "12345" })).toBe("address_info.postal_code postal_code_mismatch");
    expect(ask({ postal_code: "12345", country: "ZZ" })).toBe("address_info.country country_not_supported");
    expect(ask({ country: "ZZ", city: "Zürich" })).toBe("address_info.country country_not_supported");
  });
});

describe("cards", () => {
  test("the last four digits are four digits", () => {
    const body = { cardholder_no: "U1", card_no: "C1", cvv: "abc=", card_last_no: "4242" };
    expect(verdict("card.active", body)).toBe("ok");
    for (const card_last_no of ["424", "42424", "42a2", "４２４２"]) {
      expect(verdict("card.active", { ...body, card_last_no })).toBe("card_last_no invalid_parameter");
    }
  });

  test("a merchant may not ask for a status that only we give", () => {
    for (const status of ["Pending", "ToActivate", "Fail", "frozen"]) {
      expect(verdict("card.status_update", { card_no: "C1", status })).toBe("status invalid_parameter");
    }
  });

  test("a number that cannot be one of ours is left to be answered as one that does not exist", () => {
    expect(verdict("card.detail", { card_no: "%%% not a number ".repeat(10) })).toBe("ok");
  });
});

test("any input at all is answered with a declared field and a known error, or with a value that passes again", () => {
  const anything = fc.anything({ maxDepth: 3, withNullPrototype: true });
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("In", "1.00", "2026-05-01", "GB", "Physical"),
  );
  const bodies = endpoints.map(({ id, request }) => {
    const fields = Object.keys(request.shape);
    const body = fc.dictionary(fc.constantFrom("x", "__proto__", ...fields), fc.oneof(anything, text, fc.integer()));
    const nested = fc.dictionary(fc.constantFrom(...Object.keys(address), "address_line2"), fc.oneof(anything, text));
    return fc.tuple(
      fc.constant(id),
      fc.oneof(
        anything,
        body,
        fc.tuple(body, nested).map(([outer, address_info]) => ({ ...physicalCard, ...outer, address_info })),
      ),
    );
  });
  const validators = new Map(endpoints.map(({ id }) => [id, compileValidator(id)]));
  fc.assert(
    fc.property(fc.oneof(...bodies), ([id, input]) => {
      expect(isAnswered({ id, input, validate: validators.get(id) })).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

function isAnswered(options: { id: EndpointId; input: unknown; validate: Validator<unknown> | undefined }): boolean {
  const { id, input, validate } = options;
  if (validate === undefined) return false;
  const result = validate(input);
  if (result.ok) return validate(result.value).ok;
  const { properties = {} } = jsonSchemaOf(endpointById(id).request);
  const [field = "", inner] = result.field.split(".");
  const isDeclared = inner === undefined || properties[field]?.properties?.[inner] !== undefined;
  return isErrorName(result.error) && isDeclared && (field === "body" || Object.hasOwn(properties, field));
}
