/** JSON schemas of the contract as TypeScript. */
import {
  CALLBACK_ACTIONS,
  CARD_STATUSES,
  CARD_TYPES,
  CARDHOLDER_STATUSES,
  CONSUMPTION_TYPES,
  EXEMPTION_TYPES,
  FEE_TYPES,
  type JsonSchema,
  MANAGE_FEE_TYPES,
  MANAGEMENT_FEE_FREE_TYPES,
  MERCHANT_MODES,
  PACKAGE_TYPES,
  PUSH_ACTIONS,
  PUSH_STATES,
  REQUESTABLE_CARD_STATUSES,
  TRANSACTION_STATUSES,
  TRANSFER_TYPES,
} from "@cardwright/contract";

export const enumerations: Readonly<Record<string, readonly string[]>> = {
  MerchantMode: MERCHANT_MODES,
  TransactionStatus: TRANSACTION_STATUSES,
  CardStatus: CARD_STATUSES,
  RequestableCardStatus: REQUESTABLE_CARD_STATUSES,
  CardType: CARD_TYPES,
  PackageType: PACKAGE_TYPES,
  CardholderStatus: CARDHOLDER_STATUSES,
  TransferType: TRANSFER_TYPES,
  ConsumptionType: CONSUMPTION_TYPES,
  FeeType: FEE_TYPES,
  CallbackAction: CALLBACK_ACTIONS,
  PushAction: PUSH_ACTIONS,
  CallbackState: PUSH_STATES,
  ExemptionType: EXEMPTION_TYPES,
  ManageFeeType: MANAGE_FEE_TYPES,
  ManagementFeeFreeType: MANAGEMENT_FEE_FREE_TYPES,
};

/** Objects inside of others get a name of their own, by the property that holds them. */
const nestedNames: Readonly<Record<string, string>> = {
  address_info: "AddressInfo",
  fee_detail: "FeeDetail",
  "fee_detail[]": "CallbackFee",
  consumption_limit: "Limits",
  balance_limit: "Limits",
  merchant_info: "MerchantInfo",
  "card_list[]": "CardholderCard",
  "account_list[]": "Account",
  "fee_list[]": "Fee",
  "attempt_list[]": "CallbackAttempt",
};

/** One file of types: interfaces under their names. The same name stands for one and the same shape, or this throws. */
export class Declarations {
  readonly #texts = new Map<string, string>();
  readonly #file: string;
  readonly #earlier: readonly Declarations[];

  /** What an earlier file has declared is imported from there. */
  constructor(file: string, earlier: readonly Declarations[]) {
    this.#file = file;
    this.#earlier = earlier;
  }

  add(name: string, schema: JsonSchema): void {
    const text = this.#interfaceText(name, schema);
    const home = this.#earlier.find((other) => other.#texts.has(name)) ?? this;
    const known = home.#texts.get(name);
    if (known !== undefined && known !== text) throw new Error(`${name} is two different things`);
    home.#texts.set(name, text);
  }

  text(): string {
    const text = [...this.#texts.values()].join("\n");
    const imports = [
      importOf("enumerations", Object.keys(enumerations), text),
      ...this.#earlier.map((other) => importOf(other.#file, [...other.#texts.keys()], text)),
    ].filter((line) => line !== "");
    return `${imports.join("")}\n${text}`;
  }

  #interfaceText(name: string, schema: JsonSchema): string {
    const required = new Set(schema.required ?? []);
    const lines = Object.entries(schema.properties ?? {}).map(([property, value]) => {
      const mark = required.has(property) ? "" : "?";
      // With `exactOptionalPropertyTypes` a caller could not pass on what may be undefined; left out is what it means.
      const orUndefined = required.has(property) ? "" : " | undefined";
      return `${docComment(value, "  ")}  readonly ${property}${mark}: ${this.#typeText(value, property)}${orUndefined};\n`;
    });
    return `${docComment({ description: schema.description }, "")}export interface ${name} {\n${lines.join("")}}\n`;
  }

  #typeText(schema: JsonSchema, place: string): string {
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum !== undefined) return enumText(schema.enum);
    if (place === "type" && schema.format === "transfer-type") return "TransferType";
    switch (schema.type ?? "") {
      case "string":
        return "string";
      case "boolean":
        return "boolean";
      case "integer":
      case "number":
        return "number";
      case "array":
        return `readonly ${this.#typeText(schema.items ?? {}, `${place}[]`)}[]`;
      case "object":
        return this.#nested(schema, place);
      default:
        throw new Error(`no type for ${place}`);
    }
  }

  #nested(schema: JsonSchema, place: string): string {
    // Only the `data` of a push has no fields of its own: they are those of its action.
    if (Object.keys(schema.properties ?? {}).length === 0) return "Readonly<Record<string, unknown>>";
    const name = nestedNames[place];
    if (name === undefined) throw new Error(`no name for the object in ${place}`);
    this.add(name, schema);
    return name;
  }
}

/** The import of what the text mentions, or nothing. */
function importOf(file: string, names: readonly string[], text: string): string {
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`, "u").test(text.replaceAll(/\/\*\*.*\*\//gu, "")));
  return used.length === 0 ? "" : `import type { ${used.toSorted().join(", ")} } from "./${file}.ts";\n`;
}

function enumText(values: readonly unknown[]): string {
  const known = Object.entries(enumerations).find(([, all]) => JSON.stringify(all) === JSON.stringify(values));
  return known === undefined ? values.map((value) => JSON.stringify(value)).join(" | ") : known[0];
}

/** What a field means and the bounds that it keeps. */
export function meaningOf(schema: JsonSchema): string {
  const bounds = [
    schema.maxLength === undefined ? "" : `At most ${schema.maxLength} characters.`,
    schema.minimum === undefined || schema.maximum === undefined ? "" : `From ${schema.minimum} to ${schema.maximum}.`,
  ];
  const said = schema.description ?? "";
  return [said, ...bounds.filter((bound) => bound !== "" && !said.includes(bound.slice(5, -1)))].join(" ").trim();
}

function docComment(schema: JsonSchema, indent: string): string {
  const meaning = meaningOf(schema);
  return meaning === "" ? "" : `${indent}/** ${meaning.replaceAll("*/", "* /")} */\n`;
}
