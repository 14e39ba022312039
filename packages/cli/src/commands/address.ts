import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { AddressInfo } from "@cardwright/sdk";
import type { Flags } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { textsIn } from "../config/json-file.ts";
import { wrongUsage } from "../exit-codes.ts";

const fields = {
  "first-name": "first_name",
  "last-name": "last_name",
  "phone-code": "phone_code",
  phone: "phone",
  "postal-code": "postal_code",
  country: "country",
  state: "state",
  city: "city",
  "address-line1": "address_line1",
  "address-line2": "address_line2",
} as const satisfies Readonly<Record<string, keyof AddressInfo>>;

type AddressFlag = keyof typeof fields;
const flagNames: readonly AddressFlag[] = Object.keys(fields).filter((name): name is AddressFlag =>
  Object.hasOwn(fields, name),
);

const part = (about: string) => ({ kind: "text", value: "TEXT", about }) as const;

/** A physical card needs an address: all of it but the second line. */
export const addressFlags = {
  address: { kind: "text", value: "FILE", about: "the address, a JSON object with the wire's names (address_info)" },
  "first-name": part("given name, for the address"),
  "last-name": part("family name"),
  "phone-code": part("dialling code without +"),
  phone: part("phone number without the dialling code"),
  "postal-code": part("postal code"),
  country: part("two letters, ISO 3166-1"),
  state: part("state, province or region"),
  city: part("city"),
  "address-line1": part("street and number"),
  "address-line2": part("flat, floor"),
} as const satisfies Flags;

/** The file's address with what the flags say in its place; null when there is neither. */
export async function addressOf(
  { folder }: Context,
  flags: { readonly address: string | undefined } & { readonly [Name in AddressFlag]: string | undefined },
): Promise<AddressInfo | null> {
  const ofFile = flags.address === undefined ? {} : await addressIn(resolve(folder, flags.address));
  const ofFlags = Object.fromEntries(
    flagNames.flatMap((name) => (flags[name] === undefined ? [] : [[fields[name], flags[name]]])),
  );
  const address: AddressInfo = { ...ofFile, ...ofFlags };
  return Object.keys(address).length === 0 ? null : address;
}

async function addressIn(file: string): Promise<AddressInfo> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw wrongUsage(
      `The address cannot be read from ${file}: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return textsIn(content, { where: file, keys: Object.values(fields) });
}
